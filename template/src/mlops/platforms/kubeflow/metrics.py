# The template's: `copier update` renews this file.
"""What jobs found, as metrics of Prometheus: a job does not live until it is asked, so a Pushgateway keeps them."""

import re
from collections.abc import Mapping

from mlops.errors import MlopsError
from mlops.platforms.kubeflow.session import Session

JOB = "mlops"
SECONDS = 30


def publish(session: Session, metrics: Mapping[str, float], dimensions: Mapping[str, str]) -> None:
    """Write metrics as `mlops_signal_...`, in place of those of the same names that this environment wrote before.

    Raises:
        UsageError: there is no Pushgateway to write to.
        MlopsError: it did not take them.
    """
    from prometheus_client import CollectorRegistry, Gauge, pushadd_to_gateway

    where, registry = session.setting("pushgateway"), CollectorRegistry()
    labels = {_snake(name): value for name, value in dimensions.items()} | session.tags
    for name, value in metrics.items():
        Gauge(f"mlops_signal_{_snake(name)}", f"{name}, as a job found it.", registry=registry).set(value)
    try:
        pushadd_to_gateway(where, job=JOB, registry=registry, grouping_key=labels, timeout=SECONDS)
    except (OSError, ValueError) as error:  # what urllib raises
        raise MlopsError(
            f"the metrics cannot be written to the Pushgateway {where}: {error}; is MLOPS_KUBEFLOW_PUSHGATEWAY right?"
        ) from error


def _snake(name: str) -> str:
    return re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", name).lower()
