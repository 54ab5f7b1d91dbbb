# The template's: `copier update` renews this file.
"""Metrics and what they say: of all rows, by slice, calibrated, beside a naive guess."""

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
import polars as pl

from mlops.errors import UsageError
from mlops.project import Metric

Array = np.ndarray[Any, Any]
SLICES = 50
"""At most so many values of a column are reported, the most frequent first."""
BINS = 10


def standard_metrics(task: str) -> dict[str, Metric]:
    """The metrics that every model of a task has."""
    from sklearn import metrics as sk

    if task == "regression":
        return {
            "mae": Metric(sk.mean_absolute_error, higher_is_better=False),
            "rmse": Metric(sk.root_mean_squared_error, higher_is_better=False),
            "median_ae": Metric(sk.median_absolute_error, higher_is_better=False),
            "r2": Metric(sk.r2_score),
        }
    return {
        "roc_auc": Metric(_roc_auc),
        "log_loss": Metric(_log_loss, higher_is_better=False),
        "brier": Metric(_brier, higher_is_better=False),
        "accuracy": Metric(lambda truth, scores: float(np.mean(scores.argmax(axis=1) == truth))),
        "f1_macro": Metric(lambda truth, scores: float(sk.f1_score(truth, scores.argmax(axis=1), average="macro"))),
    }


def _roc_auc(truth: Array, scores: Array) -> float:
    """Area under the ROC curve; of more than two classes the mean of each against the rest."""
    from sklearn.metrics import roc_auc_score

    present = np.unique(truth)
    if scores.shape[1] == 2:
        return float(roc_auc_score(truth, scores[:, 1])) if len(present) == 2 else float("nan")
    each = [roc_auc_score(truth == at, scores[:, at]) for at in present] if len(present) > 1 else []
    return float(np.mean(each)) if each else float("nan")


def _log_loss(truth: Array, scores: Array) -> float:
    chosen = np.clip(scores[np.arange(len(truth)), truth], 1e-15, 1)
    return float(-np.log(chosen).mean())


def _brier(truth: Array, scores: Array) -> float:
    """The mean squared error of probabilities: of the positive class if two, else summed over all."""
    if scores.shape[1] == 2:
        return float(np.mean((scores[:, 1] - truth) ** 2))
    return float(np.mean(((scores - np.eye(scores.shape[1])[truth]) ** 2).sum(axis=1)))


def measure(metrics: Mapping[str, Metric], truth: Array, scores: Array) -> dict[str, float]:
    """All metrics of predictions; NaN where one is not defined for these rows.

    Raises:
        UsageError: a metric raised or gave no number.
    """
    values = {}
    for name, metric in metrics.items():
        try:
            values[name] = float(metric.function(truth, scores))
        except Exception as error:
            raise UsageError(f"the metric '{name}' failed: {type(error).__name__}: {error}") from error
    return values


def naive_scores(task: str, target: Array, classes: int, rows: int) -> list[Array]:
    """What can be said without features: the frequencies of the classes, or the median and the mean."""
    if task == "regression":
        return [np.full(rows, np.median(target)), np.full(rows, np.mean(target))]
    frequencies = np.bincount(target, minlength=classes) / len(target)
    return [np.tile(frequencies, (rows, 1))]


def better(metric: Metric, ours: float, theirs: float) -> float:
    """By how much `ours` is better than `theirs`, in the metric's own unit."""
    return ours - theirs if metric.higher_is_better else theirs - ours


def by_slice(
    metrics: Mapping[str, Metric],
    columns: pl.DataFrame,
    truth: Array,
    scores: Array,
    *,
    least_rows: int,
    is_defined: Callable[[Array], bool],
) -> list[dict[str, Any]]:
    """Metrics for each value of each column that has enough rows and, in a classification, two classes."""
    found = []
    for name in columns.columns:
        counts = columns[name].value_counts(sort=True).drop_nulls().head(SLICES)
        for value, rows in counts.sort("count", name, descending=[True, False]).iter_rows():
            if rows < least_rows:
                continue
            mask = (columns[name] == value).fill_null(False).to_numpy()
            if not is_defined(truth[mask]):
                continue
            values = measure(metrics, truth[mask], scores[mask])
            found.append({"column": name, "value": str(value), "rows": int(rows), "metrics": values})
    return found


def calibration(task: str, truth: Array, scores: Array) -> list[dict[str, float]]:
    """Predicted beside observed in bins of equally many rows.

    In a classification of two classes it is the positive one's probability and rate, of more the
    predicted class's confidence and accuracy; in a regression the mean prediction and mean truth.
    """
    if task == "regression":
        predicted, observed = scores, truth.astype(float)
    elif scores.shape[1] == 2:
        predicted, observed = scores[:, 1], (truth == 1).astype(float)
    else:
        predicted, observed = scores.max(axis=1), (scores.argmax(axis=1) == truth).astype(float)
    order = np.argsort(predicted, kind="stable")
    return [
        {
            "predicted": float(predicted[part].mean()),
            "observed": float(observed[part].mean()),
            "rows": len(part),
        }
        for part in np.array_split(order, BINS)
        if len(part)
    ]
