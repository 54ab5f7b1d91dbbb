# The template's: `copier update` renews this file.
"""The log of predictions: whole parts by day, and nothing that happens to it reaches a request."""

import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest

from mlops.serving.log import Entry, PredictionLog
from mlops.serving.records import Identity
from mlops.settings import Settings

NOW = datetime(2024, 5, 1, 12, tzinfo=UTC)


def entry(rows: int = 2, *, at: datetime = NOW, version: str = "1") -> Entry:
    table = pl.DataFrame({"key": list(range(rows)), "secret": ["s"] * rows, "size": [0.5] * rows})
    scores = np.tile([0.25, 0.75], (rows, 1))
    ids = [f"{version}-{number}" for number in range(rows)]
    return Entry(at, table, scores, ids, Identity("model", version, "test"), ["no", "yes"])


def logged(folder: str = "logs/predictions") -> pl.DataFrame:
    return pl.read_parquet(sorted(Path(folder).rglob("*.parquet")), hive_partitioning=False)


def until(condition: Callable[[], bool]) -> None:
    end = time.monotonic() + 20
    while not condition():
        assert time.monotonic() < end, "it did not come to pass"
        time.sleep(0.02)


def run(entries: list[Entry], **settings: object) -> PredictionLog:
    log = PredictionLog(Settings(**settings))  # type: ignore[arg-type]
    log.start()
    for each in entries:
        log.put(each)
    log.close()
    return log


def test_records_have_the_row_the_model_and_the_prediction() -> None:
    log = run([entry()])
    assert logged().rows(named=True)[0] == {
        **{"prediction_id": "1-0", "predicted_at": NOW, "model_name": "model", "model_version": "1"},
        **{"environment": "test", "key": 0, "secret": "s", "size": 0.5},
        **{"prediction": "yes", "probability_no": 0.25, "probability_yes": 0.75},
    }
    assert (log.written, log.dropped, log.waiting) == (2, 0, 0)


def test_parts_lie_by_day_and_a_change_of_model_is_kept_apart() -> None:
    run([entry(), entry(at=NOW + timedelta(days=1)), entry(version="2", rows=3)])
    assert sorted(path.parent.name for path in Path("logs").rglob("*.parquet")) == [
        "date=2024-05-01",
        "date=2024-05-02",
    ]
    assert logged()["model_version"].value_counts(sort=True).rows() == [("1", 4), ("2", 3)]


@pytest.mark.parametrize("rule", [{"log_rows": 3}, {"log_seconds": 0.1}])
def test_a_part_is_written_when_it_is_full_or_old(rule: dict[str, Any]) -> None:
    log = PredictionLog(Settings(**rule))
    log.start()
    log.put(entry())
    log.put(entry())
    until(lambda: log.written == 4)
    log.close()


def test_columns_can_be_left_out_and_rows_sampled() -> None:
    run([entry(1000)], log_redact="secret, key", log_sample=0.5)
    found = logged()
    assert "secret" not in found.columns
    assert "key" not in found.columns
    assert 300 < len(found) < 700


def test_rows_beyond_the_buffer_are_counted_and_dropped() -> None:
    log = PredictionLog(Settings(log_buffer=5))
    for _ in range(4):
        log.put(entry())
    assert (log.waiting, log.dropped) == (4, 4)
    log.start()
    log.close()
    assert log.written == 4


def test_a_log_that_cannot_be_written_loses_nothing_while_there_is_room(folder: Path) -> None:
    (folder / "logs").write_text("a file in the folder's place", encoding="utf-8")
    log = PredictionLog(Settings(log_seconds=0.05))
    log.start()
    log.put(entry())
    until(lambda: log.failures > 1)
    assert log.waiting == 2
    (folder / "logs").unlink()
    until(lambda: log.written == 2)
    log.close()
    assert len(logged()) == 2


def test_it_closes_in_time_when_the_disk_is_full(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: object, **__: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(pl.DataFrame, "write_parquet", full)
    log = run([entry()])
    assert (log.written, log.waiting) == (0, 2)
    assert log.failures == 1
    assert not list(folder.rglob("*.tmp"))


def test_old_parts_are_deleted(folder: Path) -> None:
    for name in ("date=2020-01-01", f"date={datetime.now(UTC).date()}", "other"):
        (folder / "logs/predictions" / name).mkdir(parents=True)
    run([entry(at=datetime.now(UTC))], log_retention_days=30)
    assert sorted(path.name for path in (folder / "logs/predictions").iterdir()) == [
        f"date={datetime.now(UTC).date()}",
        "other",
    ]


def test_a_url_of_fsspec_is_written_too(folder: Path) -> None:
    import fsspec

    run([entry()], log_uri="memory://bucket/predictions")
    files = fsspec.filesystem("memory").find("/bucket/predictions")
    assert len(files) == 1
    run([entry()], log_uri=f"file://{folder}/elsewhere")
    assert len(logged("elsewhere")) == 2
