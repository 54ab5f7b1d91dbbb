# The template's: `copier update` renews this file.
"""The rows to be watched: read a batch at a time, checked, predicted where they are not, with their labels."""

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import datetime
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl

from mlops.contract import Breach, cast_column
from mlops.errors import MlopsError, UsageError
from mlops.files import BATCH_ROWS
from mlops.monitoring.reference import Reference, day_of
from mlops.params import read_moment
from mlops.pipeline.ingest import moment
from mlops.project import Dataset
from mlops.registry.bundle import as_predictions
from mlops.serving.rows import RowContract, any_of, count
from mlops.source import open_source, scan_source

Array = np.ndarray[Any, Any]
ID, AT, VERSION = "prediction_id", "predicted_at", "model_version"
LABELS_IN_MEMORY = 1_000_000
"""With more labels than these, labels and predictions are laid out on disk by their key, and joined part by part."""


@dataclass(frozen=True)
class Batch:
    """Some rows that are to be watched."""

    rows: pl.DataFrame
    """The columns known when scoring and what there is of the key, as the contract types them."""
    scores: Array
    days: Array
    """Days since 1970; 0 where the rows have no time."""
    slices: pl.DataFrame
    labels: pl.Series | None
    """Labels that the rows bring along themselves."""
    join: pl.DataFrame
    """The columns that labels are found by."""


@dataclass
class Tally:
    """What was met on the way."""

    rows: int = 0
    broken: int = 0
    breaches: dict[tuple[str, str], Breach] = field(default_factory=dict)
    versions: dict[str, int] = field(default_factory=dict)
    """Rows by the version that predicted them; `none` where nothing did."""
    scored: int = 0
    """Rows that the watched model predicted now, because another one had or none."""


@dataclass(frozen=True)
class Period:
    """From when to when rows are looked at."""

    since: datetime | None = None
    until: datetime | None = None

    @classmethod
    def parse(cls, since: str | None, until: str | None) -> "Period":
        """Read two dates or times.

        Raises:
            UsageError: one is none, or they are in the wrong order.
        """
        read: list[datetime | None] = []
        for name, text in (("--since", since), ("--until", until)):
            try:
                read.append(None if text is None else read_moment(text))
            except ValueError as error:
                raise UsageError(f"{name} '{text}' is no date; write it as 2013-07-01 or 2013-07-01T12:00") from error
        if read[0] is not None and read[1] is not None and read[0] >= read[1]:
            raise UsageError(f"--since {since} is not before --until {until}")
        return cls(*read)


class Rows:
    """The rows of a file, a folder, a pattern or a URL, which can be walked over more than once."""

    def __init__(self, parts: list[pl.LazyFrame], location: str, reference: Reference, period: Period) -> None:
        self.location, self.reference, self.bundle = location, reference, reference.bundle
        self.dataset = reference.bundle.dataset
        self.tally = Tally()
        schemas = [part.collect_schema() for part in parts]
        present = set.intersection(*(set(schema) for schema in schemas)) if schemas else set()
        known = list(self.bundle.about["inputs"])
        self.absent = [name for name in known if name not in present]
        """Columns that the rows do not have: a log may leave some out."""
        self.contract = RowContract(self.dataset, [name for name in known if name in present])
        self.time = self._time(present)
        self.own_labels = has_labels(present, self.dataset)
        self.join_by = [name for name in (ID, *self.dataset.key) if name in present]
        self._parts = [self._in_period(part, schema, period) for part, schema in zip(parts, schemas, strict=True)]
        self.count, self.first, self.last = self._extent()

    def _time(self, present: set[str]) -> str | None:
        """The column that says when: the data's own time, or else when it was predicted."""
        name = self.dataset.time
        if name in present and name is not None and self.dataset.dtypes[name].is_temporal():
            return name
        return AT if AT in present else None

    def when(self, found: pl.Schema) -> pl.Expr:
        """The time of rows of this schema."""
        if self.time is None:
            return pl.lit(None, dtype=pl.Datetime("us"))
        dtype = pl.Datetime("us", "UTC") if self.time == AT else self.dataset.dtypes[self.time]
        same = found[self.time] == dtype
        return pl.col(self.time) if same else cast_column(self.time, found[self.time], dtype)

    def _in_period(self, part: pl.LazyFrame, found: pl.Schema, period: Period) -> pl.LazyFrame:
        if (period.since, period.until) == (None, None):
            return part
        if self.time is None:
            raise UsageError(f"{self.location} has no column that says when, which --since and --until need")
        dtype = pl.Datetime("us", "UTC") if self.time == AT else self.dataset.dtypes[self.time]
        if period.since is not None:
            part = part.filter(self.when(found) >= moment(period.since, dtype))
        if period.until is not None:
            part = part.filter(self.when(found) < moment(period.until, dtype))
        return part

    def _extent(self) -> tuple[int, Any, Any]:
        """Rows, and the first and last moment."""
        found = []
        for part in self._parts:
            when = self.when(part.collect_schema())
            low, high = when.min().alias("low"), when.max().alias("high")
            found.append(part.select(pl.len(), low, high).collect(engine="streaming").row(0))
        lows, highs = ([row[at] for row in found if row[at] is not None] for at in (1, 2))
        return sum(row[0] for row in found), min(lows, default=None), max(highs, default=None)

    def batches(self) -> Iterator[Batch]:
        """The rows in order, `BATCH_ROWS` at a time; `tally` counts them.

        Raises:
            MlopsError: a column is missing, or the model cannot predict the rows.
        """
        self.tally = Tally()
        for part in self._parts:
            found = part.collect_schema()
            typing = self.contract.bind(found)
            rows = part.select(pl.len()).collect(engine="streaming").item()
            for start in range(0, rows, BATCH_ROWS):
                raw = part.slice(start, BATCH_ROWS).collect()
                typed, faults = typing.apply(raw)
                self.tally.rows += len(raw)
                if faults:
                    count(self.tally.breaches, faults)
                    self.tally.broken += int(any_of(faults).sum())
                yield Batch(
                    typed,
                    self._scores(raw, typed),
                    self._days(raw),
                    typed.select(name for name in self.dataset.slices if name in typed.columns),
                    labels_of(raw, self.reference) if self.own_labels else None,
                    self._keys(raw, typed),
                )

    def _days(self, raw: pl.DataFrame) -> Array:
        when = raw.select(self.when(raw.schema)).to_series()
        # A row without a time counts to the first day, so that no row is lost.
        first = 0 if self.first is None else int(day_of(pl.Series([self.first], dtype=when.dtype))[0])
        return day_of(when).fill_null(first).to_numpy()

    def _keys(self, raw: pl.DataFrame, typed: pl.DataFrame) -> pl.DataFrame:
        ids = [raw[ID].cast(pl.String)] if ID in self.join_by else []
        return pl.DataFrame([*ids, *(typed[name] for name in self.join_by if name != ID)])

    def _scores(self, raw: pl.DataFrame, typed: pl.DataFrame) -> Array:
        """What the watched model says of the rows, from the record or, where another one wrote it, said now."""
        classes = self.bundle.classes
        names = as_predictions(np.zeros((0, len(classes)) if classes else 0), classes).columns
        names = names[1:] if classes else names
        version = self.reference.model.version
        if set(names) <= set(raw.columns):
            by = raw[VERSION].cast(pl.String).fill_null("none") if VERSION in raw.columns else None
            table = raw.select(pl.col(name).cast(pl.Float64, strict=False) for name in names).to_numpy()
            usable = np.isfinite(table).all(axis=1)
            if by is None:
                ours = usable
                self._met({version or "this": len(raw)})
            else:
                ours = usable & ((by == version).to_numpy() if version is not None else True)
                self._met(dict(by.value_counts().iter_rows()))
            scores = table if classes else table[:, 0]
        else:
            self._met({"none": len(raw)})
            ours = np.zeros(len(raw), dtype=bool)
            scores = np.zeros((len(raw), len(classes)) if classes else len(raw))
        if not ours.all():
            scores = scores.copy()
            scores[~ours] = self._score_now(typed.filter(~ours))
            self.tally.scored += int((~ours).sum())
        return scores

    def _score_now(self, rows: pl.DataFrame) -> Array:
        if self.absent:
            raise MlopsError(
                f"{self.location} has rows that {self.reference.model.name} version {self.reference.model.version} "
                f"has not predicted, and cannot: they lack the column '{self.absent[0]}'"
            )
        try:
            return self.bundle.scores(rows)
        except MlopsError:
            raise
        except Exception as error:
            raise MlopsError(
                f"{self.reference.model.name} version {self.reference.model.version} cannot predict rows of "
                f"{self.location}: {type(error).__name__}: {error}"
            ) from error

    def _met(self, versions: dict[str, int]) -> None:
        for version, rows in versions.items():
            self.tally.versions[version] = self.tally.versions.get(version, 0) + rows


@contextmanager
def open_rows(location: str, reference: Reference, period: Period, name: str) -> Iterator[Rows]:
    """Give the rows of a file, a folder, a pattern or a URL; remote ones lie in a temporary folder meanwhile."""
    with _parts(location, name) as (parts, shown):
        yield Rows(parts, shown, reference, period)


@contextmanager
def _parts(location: str, name: str) -> Iterator[tuple[list[pl.LazyFrame], str]]:
    """A table for each file, for logs of several versions differ in their columns."""
    from polars.exceptions import PolarsError

    source = open_source(location, name)
    with tempfile.TemporaryDirectory(prefix="monitor-", dir=_scratch()) as folder:
        parts = []
        try:
            for number, path in enumerate(source.paths):
                with scan_source(replace(source, paths=(path,))) as frame:
                    if source.local and source.format == "parquet":
                        parts.append(frame)
                        continue
                    # As Parquet, for any part of it can be read by itself.
                    kept = Path(folder, f"{number:06d}.parquet")
                    frame.sink_parquet(kept, row_group_size=BATCH_ROWS)
                    parts.append(pl.scan_parquet(kept))
            yield parts, source.location
        except PolarsError as error:
            raise MlopsError(
                f"{name} '{source.location}' is not readable {source.format}: {str(error).splitlines()[0]}"
            ) from error


def _scratch() -> Path:
    folder = Path(".mlops")
    folder.mkdir(exist_ok=True)
    return folder


def has_labels(present: set[str], dataset: Dataset) -> bool:
    """Whether a table with these columns has labels: the target, or what it is made of."""
    return dataset.label in present or set(dataset.target.meta.root_names()) <= present


def labels_of(raw: pl.DataFrame, reference: Reference) -> pl.Series:
    """The labels of rows, as training had them."""
    dataset = reference.bundle.dataset
    if dataset.label in raw.columns:
        return raw.select(_typed(dataset.label, raw.schema, reference.rows.schema[dataset.label])).to_series()
    needed = dataset.target.meta.root_names()
    return (
        raw.select(_typed(name, raw.schema, dataset.dtypes[name]) for name in needed).select(dataset.target).to_series()
    )


def _typed(name: str, found: pl.Schema, dtype: pl.DataType) -> pl.Expr:
    return pl.col(name) if found[name] == dtype else cast_column(name, found[name], dtype)


class Labels:
    """Labels by prediction id or by key, to be joined with predictions in memory that does not grow with either."""

    def __init__(self, parts: list[pl.LazyFrame], shown: str, folder: Path, rows: Rows) -> None:
        """Lay out labels by their key in an empty folder.

        Raises:
            UsageError: there is no label in them, or nothing to find a prediction by.
        """
        self.parts, self.shown, self._folder = parts, shown, folder
        self.dataset, self.reference = rows.dataset, rows.reference
        present = set.intersection(*(set(part.collect_schema()) for part in self.parts))
        if not has_labels(present, self.dataset):
            wanted = " or ".join(dict.fromkeys([self.dataset.label, *self.dataset.target.meta.root_names()]))
            raise UsageError(f"--labels '{self.shown}' has no label: it needs the column {wanted}")
        self.by = self._common(present, rows)
        total = sum(part.select(pl.len()).collect(engine="streaming").item() for part in self.parts)
        self.partitions = max(1, -(-total // LABELS_IN_MEMORY))
        self.rows = 0
        self._spilled = 0
        for number, part in enumerate(self._read()):
            self.rows += len(part)
            self._lay_out(part, "labels", number)
        self._whole = self._labels(0) if self.partitions == 1 else None

    def _common(self, present: set[str], rows: Rows) -> list[str]:
        if ID in present and ID in rows.join_by:
            return [ID]
        key = list(self.dataset.key)
        if set(key) <= present and set(key) <= set(rows.join_by):
            return key
        raise UsageError(
            f"--labels '{self.shown}' cannot be joined with {rows.location}: both need {ID}, or {', '.join(key)}"
        )

    def _read(self) -> Iterator[pl.DataFrame]:
        """Hashes of what labels are found by, and the labels that are there."""
        for part in self.parts:
            rows = part.select(pl.len()).collect(engine="streaming").item()
            for start in range(0, rows, BATCH_ROWS):
                raw = part.slice(start, BATCH_ROWS).collect()
                label = labels_of(raw, self.reference)
                dtypes = {**self.dataset.dtypes, ID: pl.String()}
                typed = raw.select(_typed(name, raw.schema, dtypes[name]) for name in self.by)
                yield pl.DataFrame([hashed(typed), label.alias("label")]).drop_nulls()

    def _lay_out(self, part: pl.DataFrame, kind: str, number: int) -> None:
        if self.partitions == 1:
            chosen = {0: part}
        else:
            place = (pl.col("hash") % self.partitions).alias("__place__")
            chosen = {
                int(key[0]): rows.drop("__place__")
                for key, rows in part.with_columns(place).partition_by("__place__", as_dict=True).items()
            }
        for place_number, rows in chosen.items():
            rows.write_parquet(Path(self._folder, f"{kind}-{place_number}-{number:06d}.parquet"))

    def _labels(self, place: int) -> pl.DataFrame:
        files = sorted(self._folder.glob(f"labels-{place}-*.parquet"))
        if not files:
            return pl.DataFrame(schema={"hash": pl.UInt64, "label": pl.Int64})
        # Of a label that came twice the later one counts.
        return pl.read_parquet(files, glob=False).unique("hash", keep="last", maintain_order=True)

    def add(self, batch: Batch, columns: pl.DataFrame) -> pl.DataFrame | None:
        """Join a batch; None where that has to wait for `rest`.

        Args:
            batch: Rows of predictions.
            columns: What is to be kept of them beside the label.
        """
        table = pl.DataFrame([hashed(batch.join.select(self.by)), *columns.iter_columns()])
        if self._whole is not None:
            return table.join(self._whole, on="hash", how="inner", maintain_order="left")
        self._lay_out(table, "rows", self._spilled)
        self._spilled += 1
        return None

    def rest(self) -> Iterator[pl.DataFrame]:
        """The joined rows that had to wait."""
        if self._whole is not None:
            return
        for place in range(self.partitions):
            labels = self._labels(place)
            for file in sorted(self._folder.glob(f"rows-{place}-*.parquet")):
                yield pl.read_parquet(file).join(labels, on="hash", how="inner", maintain_order="left")


@contextmanager
def open_labels(location: str, rows: Rows) -> Iterator[Labels]:
    """Give the labels of a file, a folder, a pattern or a URL."""
    with (
        tempfile.TemporaryDirectory(prefix="labels-", dir=_scratch()) as folder,
        _parts(location, "--labels") as (parts, shown),
    ):
        yield Labels(parts, shown, Path(folder), rows)


def hashed(keys: pl.DataFrame) -> pl.Series:
    """64 bits for each key; at ten million rows two keys share them once in half a million times."""
    return keys.select(pl.struct(keys.columns).hash(seed=0).alias("hash")).to_series()
