# The template's: `copier update` renews this file.
"""How long the prediction of a single row takes: measured once a bundle, and no part of what `evaluate` has found.

The quickest of a few counts: what else the machine does makes predictions slower, and nothing makes them quicker.
"""

import time
from pathlib import Path

import polars as pl

from mlops.files import folder_hash, read_json, write_json
from mlops.pipeline.paths import BUNDLE, TEST
from mlops.registry.bundle import Bundle, load_bundle

NOTES = Path(".mlops/latency")
ROWS = 20


def note(seconds: list[float]) -> None:
    """Remember what `evaluate` met when it predicted rows one by one: then nothing has to be measured twice."""
    write_json(_file(), {"ms": min(seconds) * 1000})


def latency_ms() -> float:
    """The milliseconds of a single row of the test set, with the bundle in `models/bundle`."""
    try:
        return float(read_json(_file())["ms"])
    except (OSError, ValueError, KeyError, TypeError):
        return _measure(load_bundle(BUNDLE), pl.read_parquet(TEST, n_rows=ROWS))


def _file() -> Path:
    return NOTES / f"{folder_hash(BUNDLE)}.json"


def _measure(bundle: Bundle, rows: pl.DataFrame) -> float:
    bundle.scores(rows.head(1))  # what the first prediction sets up is not what the next ones take
    seconds = []
    for place in range(len(rows)):
        start = time.perf_counter()
        bundle.scores(rows.slice(place, 1))
        seconds.append(time.perf_counter() - start)
    return min(seconds) * 1000
