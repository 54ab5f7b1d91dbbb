# The template's: `copier update` renews this file.
"""What the monitor found, as metrics of Cloud Monitoring: alerts of `infra/gcp/project` act on them."""

from collections.abc import Mapping
from datetime import UTC, datetime

from mlops.platforms.gcp import monitoring
from mlops.platforms.gcp.session import Session, answering


def publish(session: Session, metrics: Mapping[str, float], dimensions: Mapping[str, str]) -> None:
    """Write metrics as `custom.googleapis.com/mlops/<name>`, each a gauge that is read once.

    Raises:
        UsageError: no project is set.
        MlopsError: Cloud Monitoring did not take them.
    """
    named = {"project": session.project.name, **{name.lower(): value for name, value in dimensions.items()}}
    at = f"{datetime.now(UTC):%Y-%m-%dT%H:%M:%SZ}"
    told = [
        {
            "metric": {"type": f"custom.googleapis.com/mlops/{name}", "labels": named},
            "resource": {"type": "global", "labels": {"project_id": session.setting("project")}},
            "metricKind": "GAUGE",
            "valueType": "DOUBLE",
            "points": [{"interval": {"endTime": at}, "value": {"doubleValue": float(value)}}],
        }
        for name, value in metrics.items()
    ]
    with answering("the metrics cannot be written to Cloud Monitoring"):
        monitoring.ask(session, "POST", "timeSeries", json={"timeSeries": told})
