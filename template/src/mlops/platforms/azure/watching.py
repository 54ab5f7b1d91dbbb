# The template's: `copier update` renews this file.
"""How a deployment does while requests go to it, by the metrics of Azure Monitor."""

from datetime import UTC, datetime, timedelta

from mlops.platforms import judging
from mlops.platforms.azure.place import Place
from mlops.platforms.azure.session import answering
from mlops.platforms.judging import Figures

METRICS = "2023-10-01"


def watch(place: Place, new: str, old: str, minutes: int) -> str | None:
    """Look at a deployment for so long, at least once; returns what is wrong with it, as soon as something is."""
    return judging.watch(lambda start: _fault(place, new, old, start), minutes, place.session.settings.poll_seconds)


def _fault(place: Place, new: str, old: str, start: datetime) -> str | None:
    with answering(f"the metrics of {place.endpoint} cannot be looked at"):
        requests = _metric(place, "RequestsPerMinute", ("deployment", "statusCodeClass"), start)
        slow = _metric(place, "RequestLatency_P90", ("deployment",), start)
    now, before = (Figures(judging.failed(requests, each), max(slow.get((each,), [0.0]))) for each in (new, old))
    return judging.worse(now, before, "took up to {:.0f} ms for nine of ten requests")


def _metric(place: Place, name: str, split: tuple[str, ...], start: datetime) -> dict[tuple[str, ...], list[float]]:
    """The values of a metric, one a minute, by the values of its dimensions."""
    begin = start.replace(second=0, microsecond=0)
    end = max(datetime.now(UTC), begin + timedelta(minutes=1))
    said = place.resource(
        "GET",
        f"{place.endpoint_id}/providers/Microsoft.Insights/metrics",
        METRICS,
        metricnames=name,
        aggregation="Average",
        interval="PT1M",
        timespan=f"{begin:%Y-%m-%dT%H:%M:%SZ}/{end:%Y-%m-%dT%H:%M:%SZ}",
        **{"$filter": " and ".join(f"{each} eq '*'" for each in split)},
    )
    found: dict[tuple[str, ...], list[float]] = {}
    for series in [series for metric in (said or {}).get("value", []) for series in metric.get("timeseries", [])]:
        values = {each["name"]["value"].lower(): each["value"] for each in series.get("metadatavalues", [])}
        key = tuple(str(values.get(each.lower(), "")) for each in split)
        found.setdefault(key, []).extend(point["average"] for point in series["data"] if "average" in point)
    return {key: values for key, values in found.items() if values}
