# The template's: `copier update` renews this file.
"""How a deployed model does while requests go to it, by the metrics of Cloud Monitoring."""

from datetime import UTC, datetime, timedelta
from typing import Any

from mlops.platforms import judging
from mlops.platforms.gcp import monitoring, scaling
from mlops.platforms.gcp.place import Place
from mlops.platforms.gcp.session import answering
from mlops.platforms.judging import Figures

DEPLOYED = "metric.labels.deployed_model_id"


def watch(place: Place, new: Any, old: Any, minutes: int) -> str | None:
    """Look at a deployed model for so long, at least once; returns what is wrong with it, as soon as something is."""
    return judging.watch(lambda start: _fault(place, new, old, start), minutes, place.session.settings.poll_seconds)


def _fault(place: Place, new: Any, old: Any, start: datetime) -> str | None:
    with answering(f"the metrics of {place.endpoint} cannot be looked at"):
        requests = _metric(place, "response_count", start, "ALIGN_SUM", "REDUCE_SUM", "metric.labels.response_code")
        slow = _metric(place, "prediction_latencies", start, "ALIGN_PERCENTILE_95", "REDUCE_MAX", latency_type="total")
        replicas = _metric(place, "replicas", start, "ALIGN_MIN", "REDUCE_SUM")
    now, before = (Figures(judging.failed(requests, each.id), max(slow.get((each.id,), [0.0]))) for each in (new, old))
    newest = replicas.get((new.id,), [])[:1]
    if newest and newest[0] < scaling.least(new):
        return f"has {newest[0]:.0f} of {scaling.least(new)} replicas"
    return judging.worse(now, before, "took up to {:.0f} ms for 95 of 100 requests")


def _metric(
    place: Place, name: str, start: datetime, aligner: str, reducer: str, *split: str, **labels: str
) -> dict[tuple[str, ...], list[float]]:
    """The values of a metric of the endpoint, one a minute and the newest first, by deployed model and labels."""
    begin = start.replace(second=0, microsecond=0)
    end = max(datetime.now(UTC), begin + timedelta(minutes=1))
    wanted = {
        "metric.type": f"aiplatform.googleapis.com/prediction/online/{name}",
        "resource.type": "aiplatform.googleapis.com/Endpoint",
        "resource.labels.endpoint_id": place.endpoint,
        "resource.labels.location": place.region,
        **{f"metric.labels.{each}": value for each, value in labels.items()},
    }
    fields = (DEPLOYED, *split)
    said = monitoring.ask(
        place.session,
        "GET",
        "timeSeries",
        params={
            "filter": " AND ".join(f'{each} = "{value}"' for each, value in wanted.items()),
            "interval.startTime": f"{begin:%Y-%m-%dT%H:%M:%SZ}",
            "interval.endTime": f"{end:%Y-%m-%dT%H:%M:%SZ}",
            "aggregation.alignmentPeriod": "60s",
            "aggregation.perSeriesAligner": aligner,
            "aggregation.crossSeriesReducer": reducer,
            "aggregation.groupByFields": list(fields),
        },
    )
    found: dict[tuple[str, ...], list[float]] = {}
    for series in said.get("timeSeries", []):
        known = series["metric"].get("labels", {})
        key = tuple(known.get(each.rpartition(".")[2], "") for each in fields)
        found[key] = [float(next(iter(point["value"].values()))) for point in series["points"]]
    return found
