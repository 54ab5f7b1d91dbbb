# The template's: `copier update` renews this file.
"""The log of predictions: what was asked and answered, as Parquet, for `mlops monitor` to read.

A request hands its rows over and goes on; a thread of its own writes them. Whatever happens to the
log, no request waits for it or fails by it: rows that find no room are counted and dropped.
"""

import logging
import random
import time
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from threading import Event, Lock, Thread
from typing import TYPE_CHECKING, Any
from uuid import uuid4

import numpy as np
import polars as pl

from mlops.errors import MlopsError, UsageError
from mlops.registry.bundle import as_predictions
from mlops.serving.records import ID, Identity, records
from mlops.source import without_secrets

if TYPE_CHECKING:
    from mlops.settings import Settings

logger = logging.getLogger("mlops.serving")
TICK_SECONDS = 1.0
TICK_ROWS = 5_000
CLOSE_SECONDS = 20.0


@dataclass(frozen=True)
class Entry:
    """A request's rows with their predictions."""

    at: datetime
    rows: pl.DataFrame
    scores: np.ndarray[Any, Any]
    ids: list[str]
    identity: Identity
    classes: list[Any] | None


class PredictionLog:
    """The log of one server. `put` may be called from any thread."""

    def __init__(self, settings: "Settings") -> None:
        self.settings = settings
        self.waiting = self.written = self.dropped = self.failures = 0
        self._place = open_place(settings.log_uri)
        self._queue: list[Entry] = []
        self._queued = 0
        """Rows in the queue; those that are gathered and not yet written wait, but wake nobody."""
        self._pending: list[pl.DataFrame] = []
        self._since = time.monotonic()
        self._next_try = 0.0
        self._cleaned: str | None = None
        self._lock, self._wake, self._closing = Lock(), Event(), Event()
        self._thread = Thread(target=self._run, name="prediction-log", daemon=True)

    def start(self) -> None:
        self._thread.start()

    def put(self, entry: Entry) -> None:
        """Take an entry over, or drop it where there is no room."""
        rows = len(entry.rows)
        with self._lock:
            if self._closing.is_set() or self.waiting + rows > self.settings.log_buffer:
                self.dropped += rows
                return
            self.waiting += rows
            self._queued += rows
            self._queue.append(entry)
            crowded = self._queued >= TICK_ROWS
        if crowded:
            self._wake.set()

    def close(self) -> None:
        """Write what waits, within a limit of time."""
        self._closing.set()
        self._wake.set()
        if self._thread.is_alive():
            self._thread.join(CLOSE_SECONDS)
        if self.waiting:
            logger.error("predictions were not logged", extra={"rows": self.waiting})

    def _run(self) -> None:
        while True:
            self._wake.wait(TICK_SECONDS)
            self._wake.clear()
            closing = self._closing.is_set()
            try:
                self._gather()
                if self._is_due() or closing:
                    self._flush()
                self._clean()
            except Exception as error:
                self._failed(error)
            if closing:
                return

    def _gather(self) -> None:
        """Make frames of what came since the last time: many small ones take much memory."""
        with self._lock:
            entries, self._queue, self._queued = self._queue, [], 0
        kinds: dict[Any, list[Entry]] = {}
        for entry in entries:
            kind = (entry.identity, tuple(entry.rows.schema.items()), str(entry.classes))
            kinds.setdefault(kind, []).append(entry)
        for alike in kinds.values():
            self._gather_alike(alike)

    def _gather_alike(self, entries: list[Entry]) -> None:
        rows = sum(len(entry.rows) for entry in entries)
        try:
            if not self._pending:
                self._since = time.monotonic()
            table = pl.concat([entry.rows for entry in entries])
            at = pl.Series("predicted_at", [entry.at for entry in entries for _ in entry.ids], pl.Datetime("us", "UTC"))
            made = records(
                table,
                as_predictions(np.concatenate([entry.scores for entry in entries]), entries[0].classes),
                pl.Series(ID, [identity for entry in entries for identity in entry.ids]),
                entries[0].at,
                entries[0].identity,
            ).with_columns(at)
            made = made.drop(self.settings.log_redact, strict=False)
            if self.settings.log_sample < 1:
                kept = [random.random() < self.settings.log_sample for _ in range(rows)]  # noqa: S311
                made = made.filter(pl.Series(kept))
        except Exception as error:
            self._lose(rows)
            logger.exception("predictions cannot be logged", extra={"why": str(error), "rows": rows})
            return
        self._lose(rows - len(made), sampled=True)
        if len(made):
            self._pending.append(made)

    def _lose(self, rows: int, *, sampled: bool = False) -> None:
        with self._lock:
            self.waiting -= rows
            self.dropped += 0 if sampled else rows

    def _is_due(self) -> bool:
        if not self._pending or time.monotonic() < self._next_try:
            return False
        full = sum(map(len, self._pending)) >= self.settings.log_rows
        return full or time.monotonic() - self._since >= self.settings.log_seconds

    def _flush(self) -> None:
        """Write parts by day; what cannot be written waits for the next time."""
        while self._pending:
            schema = self._pending[0].schema
            alike = [frame for frame in self._pending if frame.schema == schema]
            table = pl.concat(alike)
            for (day,), part in table.group_by(pl.col("predicted_at").dt.date(), maintain_order=True):
                self._place.write(part, f"date={day}/{uuid4()}.parquet")
                with self._lock:
                    self.waiting -= len(part)
                    self.written += len(part)
                # Written rows must not be written again if the next day's part fails.
                table = table.filter(pl.col("predicted_at").dt.date() != day)
                self._pending = [
                    *([table] if len(table) else []),
                    *(frame for frame in self._pending if frame.schema != schema),
                ]
        if self.failures:
            self._next_try = 0.0

    def _failed(self, error: Exception) -> None:
        self.failures += 1
        self._next_try = time.monotonic() + min(self.settings.log_seconds, 10.0)
        if self.failures == 1 or self.failures % 100 == 0:
            logger.error(
                "prediction log cannot be written",
                extra={"why": f"{type(error).__name__}: {error}", "times": self.failures, "waiting": self.waiting},
            )

    def _clean(self) -> None:
        """Delete local parts that are too old, once a day."""
        days, today = self.settings.log_retention_days, datetime.now(UTC).date()
        if days is None or self._cleaned == str(today):
            return
        self._cleaned = str(today)
        self._place.delete_before(f"date={today - timedelta(days=days)}")


class Place:
    """A folder for parts, local or at an fsspec URL."""

    def __init__(self, filesystem: Any, path: str) -> None:
        self.filesystem = filesystem
        self.path = path.rstrip("/")

    def write(self, part: pl.DataFrame, name: str) -> None:
        """Write a part whole or not at all."""
        if self.filesystem is None:
            target = Path(self.path) / name
            target.parent.mkdir(parents=True, exist_ok=True)
            fresh = target.with_suffix(".tmp")  # no reader takes it for a part, even if this process dies
            try:
                part.write_parquet(fresh, compression="zstd")
                fresh.replace(target)
            finally:
                fresh.unlink(missing_ok=True)
            return
        import io

        buffer = io.BytesIO()
        part.write_parquet(buffer, compression="zstd")
        folder = f"{self.path}/{name.partition('/')[0]}"
        self.filesystem.makedirs(folder, exist_ok=True)
        self.filesystem.pipe_file(f"{self.path}/{name}", buffer.getvalue())

    def delete_before(self, name: str) -> None:
        import shutil

        if self.filesystem is None:
            for folder in Path(self.path).glob("date=*"):
                if folder.name < name:
                    shutil.rmtree(folder, ignore_errors=True)


def open_place(uri: str) -> Place:
    """Where parts go.

    Raises:
        UsageError: an unknown protocol.
        MlopsError: the service did not answer.
    """
    if "://" not in uri:
        return Place(None, uri)
    import fsspec

    try:
        filesystem, path = fsspec.core.url_to_fs(uri)
    except (ImportError, ValueError) as error:
        raise UsageError(f"MLOPS_LOG_URI '{without_secrets(uri)}': {error}") from error
    except Exception as error:
        shown = without_secrets(uri)
        raise MlopsError(f"MLOPS_LOG_URI '{shown}' cannot be reached: {type(error).__name__}: {error}") from error
    protocols = filesystem.protocol if isinstance(filesystem.protocol, tuple) else (filesystem.protocol,)
    return Place(None if "file" in protocols else filesystem, path)
