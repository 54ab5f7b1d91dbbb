# The template's: `copier update` renews this file.
"""What a model version keeps of its training and test rows, for later rows to be compared with.

The bundle has `reference.parquet`, a sample of the training rows, and `reference.json`, counts over all of them.
The run's evaluation has `predictions.parquet`, each row of the test set, and `sample.parquet`, a few with all columns.
"""

from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import polars as pl

from mlops import tracking
from mlops.errors import MlopsError, UsageError
from mlops.files import batches, read_json, write_json
from mlops.project import Dataset

if TYPE_CHECKING:
    from mlflow import MlflowClient

    from mlops.registry.bundle import Bundle
    from mlops.registry.models import ModelRef

SAMPLE_ROWS = 10_000
TEST_ROWS = 2_000
CATEGORIES = 1_000
"""Values of a column that are counted, the most frequent first."""
CELLS = 10
"""Cells of equally many rows that numbers are counted in."""
REFERENCE, COUNTS = "reference.parquet", "reference.json"


def is_number(dtype: pl.DataType) -> bool:
    """Whether a column is compared as numbers: times are, by their distance from 1970."""
    return dtype.is_numeric() or dtype.is_temporal()


def numbers(column: pl.Series) -> np.ndarray[Any, Any]:
    """A column as float64, NaN where a value is missing."""
    if column.dtype.is_temporal():
        column = column.to_physical()
    return column.cast(pl.Float64).fill_null(float("nan")).to_numpy()


def sample(frame: pl.DataFrame, rows: int) -> pl.DataFrame:
    """So many rows in their order, the same ones each time."""
    if len(frame) <= rows:
        return frame
    return frame[np.sort(np.random.default_rng(0).permutation(len(frame))[:rows])]


def write_reference(folder: Path, frame: pl.DataFrame, dataset: Dataset, classes: list[Any] | None) -> None:
    """Keep what is needed of the training rows in a bundle's folder."""
    known = list(dataset.known_when_scoring)
    kept = sample(frame.select(list(dict.fromkeys([*known, dataset.label]))), SAMPLE_ROWS)
    kept.write_parquet(folder / REFERENCE, compression="zstd")
    edges = None if classes is not None else cell_edges(numbers(frame[dataset.label]))
    write_json(
        folder / COUNTS,
        {
            "rows": len(frame),
            "columns": {name: _column(frame[name]) for name in known},
            "label_edges": edges,
            "label_cells": _cells_by_day(frame, dataset, classes, edges),
        },
    )


def cell_edges(values: np.ndarray[Any, Any]) -> list[float]:
    """The inner edges of cells that hold equally many of these numbers, as far as ties allow."""
    finite = values[np.isfinite(values)]
    if not len(finite):
        return []
    return [float(edge) for edge in np.unique(np.quantile(finite, np.arange(1, CELLS) / CELLS, method="lower"))]


def _column(column: pl.Series) -> dict[str, Any]:
    found: dict[str, Any] = {"missing": column.null_count(), "dtype": str(column.dtype)}
    if is_number(column.dtype):
        values = numbers(column)
        finite = values[np.isfinite(values)]
        found["missing"] = len(values) - len(finite)
        return found | {"low": float(finite.min()), "high": float(finite.max())} if len(finite) else found
    if column.dtype.is_nested():
        return found
    counts = column.drop_nulls().cast(pl.String).value_counts(sort=True)
    counts = counts.sort("count", column.name, descending=[True, False])
    kept = counts.head(CATEGORIES)
    return found | {
        "categories": dict(kept.iter_rows()),
        "other": int(counts["count"].sum()) - int(kept["count"].sum()),
    }


def day_of(column: pl.Series) -> pl.Series:
    """Whole days since 1970 of moments in their own time zone."""
    if isinstance(column.dtype, pl.Datetime) and column.dtype.time_zone:
        column = column.dt.replace_time_zone(None)
    return column.cast(pl.Date).to_physical().cast(pl.Int32)


def _cells_by_day(
    frame: pl.DataFrame, dataset: Dataset, classes: list[Any] | None, edges: list[float] | None
) -> list[list[int]]:
    """How many labels of each day lie in each cell: a class, or a range of numbers."""
    cells = label_cells(frame[dataset.label], classes, edges)
    size = len(classes) if classes is not None else len(edges or []) + 1
    timed = dataset.time is not None and dataset.dtypes[dataset.time].is_temporal()
    days = day_of(frame[dataset.time]).to_numpy() if timed and dataset.time else np.zeros(len(frame), dtype=int)
    present, index = np.unique(days, return_inverse=True)
    table = np.bincount(index * size + cells, minlength=len(present) * size)
    return [[int(count) for count in row] for row in table.reshape(len(present), size)]


def label_cells(labels: pl.Series, classes: list[Any] | None, edges: list[float] | None) -> np.ndarray[Any, Any]:
    """The cell of each label."""
    if classes is not None:
        codes = labels.replace_strict(classes, list(range(len(classes))), return_dtype=pl.Int64)
        return codes.to_numpy()
    return np.searchsorted(np.asarray(edges or []), numbers(labels), side="left")


@dataclass(frozen=True)
class Reference:
    """A model version with what it was trained and tested on."""

    model: "ModelRef"
    bundle: "Bundle"
    counts: dict[str, Any]
    rows: pl.DataFrame
    """A sample of training rows: the columns known when scoring, and the label."""
    evaluation: Path | None
    """The folder that the stage `evaluate` left; None of a model that came as a folder."""

    @property
    def label(self) -> str:
        return str(self.bundle.about["label"])

    @property
    def label_rows(self) -> np.ndarray[Any, Any]:
        """Training labels in cells, of shape (days, cells)."""
        return np.asarray(self.counts["label_cells"], dtype=float)

    @property
    def last_day(self) -> int | None:
        """The last day that training or test rows are of; None where they have no time that is a date."""
        spans = [self.bundle.about.get("training_span")]
        if self.evaluation is not None:
            spans.append(read_json(self.evaluation / "evaluation.json").get("test_span"))
        moments = []
        for span in filter(None, spans):
            with suppress(ValueError):  # of a time that is no date, such as a year's number
                moments.append(datetime.fromisoformat(span[1]))
        return max((int(day_of(pl.Series([moment]))[0]) for moment in moments), default=None)

    def predictions(self) -> Iterator[pl.DataFrame]:
        """The test set's rows with label and prediction, a batch at a time."""
        if self.evaluation is not None:
            yield from batches(self.evaluation / "predictions.parquet")

    def labelled_sample(self) -> pl.DataFrame:
        """A few labelled rows with all columns known when scoring, which training has not seen if there are any."""
        if self.evaluation is not None and (self.evaluation / "sample.parquet").is_file():
            return pl.read_parquet(self.evaluation / "sample.parquet")
        return sample(self.rows, TEST_ROWS)


def load_reference(model: "ModelRef", client: "MlflowClient | None") -> Reference:
    """Load what a version keeps.

    Raises:
        UsageError: it has kept nothing.
    """
    if not (model.path / COUNTS).is_file():
        raise UsageError(
            f"{model.name} version {model.version or model.path} keeps no reference of its training to compare with; "
            "train it again with 'mlops run', or name another with --model"
        )
    evaluation = None
    if model.run_id is not None and client is not None:
        try:
            evaluation = tracking.download(client, model.run_id, "evaluation")
        except Exception as error:
            raise MlopsError(
                f"the evaluation of {model.name} version {model.version} cannot be read from its run "
                f"{model.run_id}: {(str(error).splitlines() or ['no reason given'])[0]}"
            ) from error
    return Reference(
        model,
        model.load(),
        read_json(model.path / COUNTS),
        pl.read_parquet(model.path / REFERENCE),
        evaluation,
    )
