# The template's: `copier update` renews this file.
"""What the monitor found, as metrics of Application Insights: alerts of `infra/azure/project` act on them."""

import os
import time
from collections.abc import Mapping

from mlops.errors import MlopsError
from mlops.platforms.azure.session import Session

EXTRAS = ("STATSBEAT_DISABLED_ALL", "SDKSTATS_DISABLED", "CONTROLPLANE_DISABLED")
"""Switches off what the exporter would tell and ask besides: figures of its own, and settings from Microsoft."""


def publish(session: Session, metrics: Mapping[str, float], dimensions: Mapping[str, str]) -> None:
    """Write metrics with the project among their dimensions, each a gauge that is read once.

    Raises:
        UsageError: there is no Application Insights to write to.
        MlopsError: it did not take them.
    """
    where = session.setting("application_insights")
    for extra in EXTRAS:
        os.environ.setdefault(f"APPLICATIONINSIGHTS_{extra}", "true")
    from azure.monitor.opentelemetry.exporter import AzureMonitorMetricExporter
    from opentelemetry.sdk.metrics.export import (
        Gauge,
        Metric,
        MetricExportResult,
        MetricsData,
        NumberDataPoint,
        ResourceMetrics,
        ScopeMetrics,
    )
    from opentelemetry.sdk.resources import Resource
    from opentelemetry.sdk.util.instrumentation import InstrumentationScope

    try:
        exporter = AzureMonitorMetricExporter(
            connection_string=where, disable_offline_storage=True, credential=session.credential
        )
    except ValueError as error:
        raise MlopsError(f"MLOPS_AZURE_APPLICATION_INSIGHTS is no connection string: {error}") from error
    now, named = time.time_ns(), {**dimensions, "Project": session.project.name}
    # Made by hand, for a meter would write the names in small letters, and alerts look for them as they are.
    told = [
        Metric(name, None, None, Gauge([NumberDataPoint(named, now, now, float(value))]))
        for name, value in metrics.items()
    ]
    resource = Resource({"service.name": session.name})
    scope = ScopeMetrics(InstrumentationScope("mlops"), told, "")
    said = exporter.export(MetricsData([ResourceMetrics(resource, [scope], "")]))
    exporter.shutdown()
    if said is not MetricExportResult.SUCCESS:
        raise MlopsError(
            "the metrics cannot be written to Application Insights; is MLOPS_AZURE_APPLICATION_INSIGHTS right?"
        )
