# The template's: `copier update` renews this file.
"""Whether a new version may go on serving: its answer to a row, and what metrics say of it beside the one before."""

import json
import time
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import NamedTuple

from mlops.platforms.base import Release

ERRORS = 0.01
"""The share of its requests that a new version may answer with an error of the server, if the one before has fewer."""
SLOWER = 2.0
"""How many times as long a new version may take as the one before takes."""
SLOW_MS = 100
"""Below this no version counts as slow."""
OF_WHO_ASKS = (401, 403, 404, 429)
"""Statuses that say something of who asks or of the endpoint, and not of the version."""


class Figures(NamedTuple):
    """How a version does: the share of its requests that failed, and how long they took."""

    failed: float
    took_ms: float


def misanswered(answer: str | bytes, release: Release) -> str | None:
    """What is wrong with the answer to the release's sample; None if nothing is."""
    try:
        (row,) = json.loads(answer)["predictions"]
        version = row["model_version"]
    except (ValueError, KeyError, TypeError) as error:
        return f"answers a row with something else than a prediction ({type(error).__name__}: {error})"
    return None if version == release.version else f"was deployed, and version {version} answers"


def watch(look: Callable[[datetime], str | None], minutes: float, pause: float) -> str | None:
    """Look for so long, at least once, at what happened since; returns what is wrong, as soon as something is."""
    start, until = datetime.now(UTC), time.monotonic() + 60 * minutes
    while True:
        if (why := look(start)) is not None:
            return why
        left = until - time.monotonic()
        if left <= 0:
            return None
        time.sleep(min(pause, left))


def worse(new: Figures, old: Figures, took: str) -> str | None:
    """What a new version does worse than the one before; `took` tells of the time, with a place for milliseconds."""
    if new.failed > max(ERRORS, old.failed):
        return f"failed {100 * new.failed:.0f} % of its requests"
    if old.took_ms and new.took_ms > max(SLOW_MS, SLOWER * old.took_ms):
        return f"{took.format(new.took_ms)}, and the one before {old.took_ms:.0f} ms"
    return None


def failed(requests: Mapping[tuple[str, ...], list[float]], name: str) -> float:
    """The share of requests that the server failed, of counts by a deployment's name and a class such as `5xx`."""
    counts = {key: sum(values) for key, values in requests.items() if key[0] == name}
    total = sum(counts.values())
    return sum(count for (_, status), count in counts.items() if status.startswith("5")) / total if total else 0.0
