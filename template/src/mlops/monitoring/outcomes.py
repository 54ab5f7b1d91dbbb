# The template's: `copier update` renews this file.
"""Labels beside predictions, summed by day and by slice: the same of the reference and of what came later."""

from collections import defaultdict
from typing import Any

import numpy as np
import polars as pl

from mlops.errors import UsageError
from mlops.metrics import SLICES
from mlops.monitoring.reference import label_cells

Array = np.ndarray[Any, Any]
KEPT_ROWS = 50_000
"""Rows that are kept for metrics that are no mean of rows, such as ROC AUC."""
DAY = "__day__"


def row_loss(metric: str, truth: Array, scores: Array) -> Array:
    """The loss of each row, whose mean is the metric.

    Raises:
        UsageError: the task has no such loss.
    """
    wanted = ("mae", "mse") if scores.ndim == 1 else ("brier", "log_loss")
    if metric not in wanted:
        raise UsageError(f"params.yaml: monitor.metric is '{metric}', and this task needs {' or '.join(wanted)}")
    if metric == "mae":
        return np.asarray(np.abs(truth - scores))
    if metric == "mse":
        return np.asarray((truth - scores) ** 2)
    if metric == "log_loss":
        return np.asarray(-np.log(np.clip(scores[np.arange(len(truth)), truth], 1e-15, 1)))
    if scores.shape[1] == 2:
        return np.asarray((scores[:, 1] - truth) ** 2)
    return np.asarray(((scores - np.eye(scores.shape[1])[truth]) ** 2).sum(axis=1))


def score_value(scores: Array) -> Array:
    """What is shown of a prediction as one number: the last class's probability, or the number itself."""
    return scores if scores.ndim == 1 else scores[:, -1]


def score_cells(scores: Array, edges: list[float]) -> Array:
    """The cell of each prediction: of more than two classes the predicted one, else a range of numbers."""
    if scores.ndim == 2 and scores.shape[1] > 2:
        return np.asarray(scores.argmax(axis=1))
    return np.searchsorted(np.asarray(edges), score_value(scores), side="left")


class ByDay:
    """Rows of numbers added up by day."""

    def __init__(self, width: int) -> None:
        self._days: dict[int, Array] = defaultdict(lambda: np.zeros(width))
        self.width = width

    def add(self, days: Array, values: Array) -> None:
        """Add values of shape (n, width) to their days."""
        present, index = np.unique(days, return_inverse=True)
        sums = np.column_stack([np.bincount(index, values[:, at], len(present)) for at in range(self.width)])
        for day, row in zip(present, sums, strict=True):
            self._days[int(day)] += row

    def add_cells(self, days: Array, cells: Array) -> None:
        """Count rows by day and cell."""
        present, index = np.unique(days, return_inverse=True)
        table = np.bincount(index * self.width + cells, minlength=len(present) * self.width)
        for day, row in zip(present, table.reshape(-1, self.width), strict=True):
            self._days[int(day)] += row

    def table(self, since: int | None = None) -> Array:
        """The sums of each day, in order, from a day on."""
        days = [day for day in sorted(self._days) if since is None or day >= since]
        return np.array([self._days[day] for day in days]).reshape(len(days), self.width)

    def in_periods(self, period_of: Array, first: int, periods: int) -> Array:
        """The sums of each period; `period_of[day - first]` says which one a day lies in."""
        table = np.zeros((periods, self.width))
        for day, row in self._days.items():
            table[period_of[day - first]] += row
        return table


class Predictions:
    """Predictions in cells by day."""

    def __init__(self, size: int, edges: list[float]) -> None:
        self.edges = edges
        self.cells = ByDay(size)
        self.sums = ByDay(2)
        """Rows and the sum of what is shown of the predictions."""

    def add(self, days: Array, scores: Array) -> None:
        self.cells.add_cells(days, score_cells(scores, self.edges))
        values = score_value(scores)
        self.sums.add(days, np.column_stack([np.ones(len(values)), values]))


class Outcomes:
    """Labels and losses by day and by slice."""

    def __init__(self, metric: str, classes: list[Any] | None, label_edges: list[float] | None) -> None:
        self.metric, self.classes, self.label_edges = metric, classes, label_edges
        self.rows = self.unknown = 0
        self.loss = ByDay(3)
        """Rows, sum and sum of squares of the losses."""
        self.labels = ByDay(len(classes) if classes is not None else len(label_edges or []) + 1)
        self.label_sums = ByDay(3)
        """Labelled rows, sum of labels (of the last class, or the numbers), sum of what is shown of predictions."""
        self.slices: dict[tuple[str, str], ByDay] = {}
        self._kept: list[tuple[Array, Array, Array]] = []
        self._held = 0

    def add(self, labels: pl.Series, scores: Array, days: Array, slices: pl.DataFrame) -> None:
        """Add labelled rows; labels that training does not know are counted and left out."""
        if self.classes is not None:
            known = labels.is_in(self.classes).to_numpy()
            self.unknown += int((~known).sum())
            if not known.all():
                labels, scores, days, slices = labels.filter(known), scores[known], days[known], slices.filter(known)
        if not len(labels):
            return
        cells = label_cells(labels, self.classes, self.label_edges)
        truth = cells if self.classes is not None else labels.cast(pl.Float64).to_numpy()
        losses = row_loss(self.metric, truth, scores)
        sums = np.column_stack([np.ones(len(losses)), losses, losses**2])
        self.rows += len(losses)
        self.loss.add(days, sums)
        self.labels.add_cells(days, cells)
        shown = truth if self.classes is None else (truth == len(self.classes) - 1)
        self.label_sums.add(days, np.column_stack([np.ones(len(losses)), shown, score_value(scores)]))
        for name in slices.columns:
            self._add_slice(name, slices[name], days, sums)
        self._keep(truth, scores)

    def _add_slice(self, name: str, column: pl.Series, days: Array, sums: Array) -> None:
        values = column.cast(pl.String)
        for value in values.unique().drop_nulls().sort():
            key = (name, str(value))
            if key not in self.slices:
                if sum(1 for other, _ in self.slices if other == name) >= 4 * SLICES:
                    continue
                self.slices[key] = ByDay(3)
            chosen = (values == value).fill_null(False).to_numpy()
            self.slices[key].add(days[chosen], sums[chosen])

    def _keep(self, truth: Array, scores: Array) -> None:
        """Hold on to a bounded number of rows, drawn at random but the same ones each time."""
        marks = np.random.default_rng(self.rows).random(len(truth))
        self._kept.append((marks, truth, scores))
        self._held += len(truth)
        if self._held > 2 * KEPT_ROWS:
            self._kept = [self._lowest()]
            self._held = len(self._kept[0][0])

    def _lowest(self) -> tuple[Array, Array, Array]:
        marks, truth, scores = (np.concatenate(parts) for parts in zip(*self._kept, strict=True))
        if len(marks) <= KEPT_ROWS:
            return marks, truth, scores
        chosen = np.sort(np.argpartition(marks, KEPT_ROWS)[:KEPT_ROWS])
        return marks[chosen], truth[chosen], scores[chosen]

    def kept(self) -> tuple[Array, Array]:
        """Truth and scores of the rows that were held on to."""
        _, truth, scores = self._lowest()
        return truth, scores
