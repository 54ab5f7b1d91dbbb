# The template's: `copier update` renews this file.
"""How a deployment does while requests go to it, by the metrics of Azure Monitor."""

import time
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta

from mlops.platforms.azure.place import Place
from mlops.platforms.azure.session import answering

ERRORS = 0.01
"""The share of its requests that a new version may answer with an error of the server, if the one before has fewer."""
SLOWER = 2.0
"""How many times as long a new version may take for nine of ten requests as the one before takes."""
SLOW_MS = 100
"""Below this no version counts as slow."""
METRICS = "2023-10-01"


def watch(place: Place, new: str, old: str | None, minutes: int) -> str | None:
    """Look at a deployment for so long, at least once; returns what is wrong with it, as soon as something is."""
    start, until = datetime.now(UTC), time.monotonic() + 60 * minutes
    while True:
        if (why := _fault(place, new, old, start)) is not None:
            return why
        left = until - time.monotonic()
        if left <= 0:
            return None
        time.sleep(min(place.session.settings.poll_seconds, left))


def _fault(place: Place, new: str, old: str | None, start: datetime) -> str | None:
    with answering(f"the metrics of {place.endpoint} cannot be looked at"):
        requests = _metric(place, "RequestsPerMinute", ("deployment", "statusCodeClass"), start)
        slow = _metric(place, "RequestLatency_P90", ("deployment",), start)
    failed = {name: _failed(requests, name) for name in (new, old) if name}
    if failed[new] > max(ERRORS, failed.get(old or "", 0.0)):
        return f"failed {100 * failed[new]:.0f} % of its requests"
    now, before = (max(slow.get((name or "",), [0.0])) for name in (new, old))
    if old and before and now > max(SLOW_MS, SLOWER * before):
        return f"took up to {now:.0f} ms for nine of ten requests, and the one before {before:.0f} ms"
    return None


def _failed(requests: Mapping[tuple[str, ...], list[float]], deployment: str) -> float:
    counts = {key: sum(values) for key, values in requests.items() if key[0] == deployment}
    total = sum(counts.values())
    return sum(count for (_, status), count in counts.items() if status.lower() == "5xx") / total if total else 0.0


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
