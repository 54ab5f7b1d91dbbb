# The template's: `copier update` renews this file.
"""What the monitor finds: rows walked over once, counted beside the model's reference, and put into words."""

from dataclasses import dataclass
from typing import Any

import numpy as np
import polars as pl

from mlops.monitoring.calendar import Calendar
from mlops.monitoring.columns import Column
from mlops.monitoring.outcomes import DAY, Outcomes, Predictions, score_value
from mlops.monitoring.reference import SAMPLE_ROWS, Reference, cell_edges, day_of, numbers, sample
from mlops.monitoring.rows import Batch, Labels, Rows
from mlops.monitoring.sketch import Numbers
from mlops.params import Params
from mlops.registry.bundle import as_predictions

Array = np.ndarray[Any, Any]
SCORE = "__score_"


@dataclass
class Side:
    """Predictions and labels of one side, reference or current."""

    predictions: Predictions
    outcomes: Outcomes


class Watch:
    """Everything that is counted of the rows and of the reference."""

    def __init__(self, reference: Reference, params: Params, rows: Rows) -> None:
        self.reference, self.params, self.rows = reference, params, rows
        bundle = reference.bundle
        self.classes: list[Any] | None = bundle.classes
        self.metric: str = params.monitor.metric or ("mae" if self.classes is None else "brier")
        first, last = (
            int(day_of(pl.Series([moment]))[0]) if moment is not None else 0 for moment in (rows.first, rows.last)
        )
        self.calendar = Calendar.over(first, last)
        known = (
            reference.last_day if rows.time is not None and rows.time == self.reference.bundle.dataset.time else None
        )
        self.all_known = known is not None and last <= known
        """Whether all rows are of days that the model was trained or tested on."""
        self.fresh = known + 1 if known is not None and first <= known < last else None
        """The first day that is news to the model, where there are others before it."""
        days = last - (self.fresh or first) + 1
        self.recent = last - params.monitor.recent_days + 1 if days >= 2 * params.monitor.recent_days else None
        """The first of the last days that are looked at by themselves."""
        self._open_reference()
        self.now = self._side()
        schema = bundle.schema
        seen = [name for name in schema if name != rows.time and name not in rows.absent]
        columns = (Column.of(name, schema[name], reference, self.calendar) for name in seen)
        self.columns = [column for column in columns if column is not None]

    def _side(self) -> Side:
        edges = None if self.classes is not None else self.reference.counts["label_edges"]
        size = len(self.classes) if self.classes and self.several else len(self.score_edges) + 1
        return Side(Predictions(size, self.score_edges), Outcomes(self.metric, self.classes, edges))

    @property
    def several(self) -> bool:
        """Whether there are more than two classes."""
        return self.classes is not None and len(self.classes) > 2

    def _open_reference(self) -> None:
        """Count the test set's rows; without one, the training rows' predictions stand in for them."""
        reference = self.reference
        if reference.evaluation is not None:
            held = reference.evaluation / "predictions.parquet"
            size = pl.scan_parquet(held).select(pl.len()).collect().item()
            every = max(1, size // SAMPLE_ROWS)
            few = pl.scan_parquet(held).gather_every(every).collect()
            scores = self.scores_of(few)
        else:
            few, size = pl.DataFrame(), 0
            scores = reference.bundle.scores(reference.rows)
        shown = score_value(scores)
        self.score_edges: list[float] = [] if self.several else cell_edges(shown)
        self.scores, self.recent_scores = Numbers(shown), Numbers(shown)
        self.label_numbers, self.recent_label_numbers = (Numbers(self._pooled(few, size)) for _ in range(2))
        self.was = self._side()
        dataset = reference.bundle.dataset
        for batch in reference.predictions():
            timed = dataset.time in batch.columns and dataset.time is not None
            days = day_of(batch[dataset.time]).to_numpy() if timed and dataset.time else np.zeros(len(batch), int)
            slices = batch.select(name for name in dataset.slices if name in batch.columns)
            self.was.predictions.add(days, self.scores_of(batch))
            self.was.outcomes.add(batch[reference.label], self.scores_of(batch), days, slices)
        if reference.evaluation is None:
            self.was.predictions.add(np.zeros(len(scores), int), scores)
        self.label_table = np.concatenate([reference.label_rows, self.was.outcomes.labels.table()])
        """Labels of training and test rows in cells by day."""

    def _pooled(self, few: pl.DataFrame, size: int) -> Array:
        """Labels of a regression, of training and test rows in the proportion of their numbers."""
        if self.classes is not None:
            return np.array([])
        label, trained = self.reference.label, self.reference.counts["rows"]
        learnt = numbers(self.reference.rows[label])
        if not size:
            return learnt
        share = sample(few, max(1, round(len(learnt) * size / trained)))
        return np.concatenate([learnt, numbers(share[label])])

    def scores_of(self, frame: pl.DataFrame) -> Array:
        """The predictions in a table as metrics take them."""
        if self.classes is None:
            return frame["prediction"].cast(pl.Float64).to_numpy()
        names = as_predictions(np.zeros((0, len(self.classes))), self.classes).columns[1:]
        return frame.select(names).to_numpy()

    def walk(self, labels: Labels | None, progress: Any = None) -> None:
        """Count all rows."""
        for batch in self.rows.batches():
            self._add(batch)
            if labels is not None:
                joined = labels.add(batch, self._slim(batch))
                if joined is not None:
                    self._add_labelled(joined)
            elif batch.labels is not None:
                there = batch.labels.is_not_null()
                slim = self._slim(batch).with_columns(batch.labels.alias("label"))
                self._add_labelled(slim.filter(there))
            if progress is not None:
                progress(len(batch.rows))
        if labels is not None:
            for joined in labels.rest():
                self._add_labelled(joined)

    def _add(self, batch: Batch) -> None:
        periods = self.calendar.period_of(batch.days)
        for column in self.columns:
            column.add(batch.rows[column.name], periods)
        self.now.predictions.add(batch.days, batch.scores)
        shown = score_value(batch.scores)
        self.scores.add(shown if self.fresh is None else shown[batch.days >= self.fresh])
        if self.recent is not None:
            self.recent_scores.add(shown[batch.days >= self.recent])

    def _slim(self, batch: Batch) -> pl.DataFrame:
        """What has to be known of a row once its label is there."""
        scores = batch.scores if batch.scores.ndim == 2 else batch.scores[:, None]
        parts = [pl.Series(f"{SCORE}{at}", scores[:, at]) for at in range(scores.shape[1])]
        return pl.DataFrame([pl.Series(DAY, batch.days), *parts, *batch.slices.iter_columns()])

    def _add_labelled(self, table: pl.DataFrame) -> None:
        names = [name for name in table.columns if name.startswith(SCORE)]
        scores = table.select(names).to_numpy()
        scores = scores[:, 0] if self.classes is None else scores
        slices = table.select(name for name in self.reference.bundle.dataset.slices if name in table.columns)
        days = table[DAY].to_numpy()
        self.now.outcomes.add(table["label"], scores, days, slices)
        if self.classes is None:
            values = numbers(table["label"])
            self.label_numbers.add(values if self.fresh is None else values[days >= self.fresh])
            if self.recent is not None:
                self.recent_label_numbers.add(values[days >= self.recent])
