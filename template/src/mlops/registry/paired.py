# The template's: `copier update` renews this file.
"""Is one model better than another, or was it chance: both judged by the same rows."""

from dataclasses import dataclass
from typing import Any

import numpy as np

from mlops.project import Metric

Array = np.ndarray[Any, Any]
REPLICATES = 500
MOST_ROWS = 20_000
"""More rows are drawn from, and the interval narrowed as all of them would narrow it."""
MOST_SLOW_ROWS = 5_000
SLOW_REPLICATES = 200
"""For metrics that have to be worked out anew for each replicate."""
FEWEST_GROUPS = 10
AT_ONCE = 50


@dataclass(frozen=True)
class Paired:
    """By how much the first model is better, in the metric's own unit; negative where it is worse."""

    gain: float
    low: float
    high: float
    confidence: float
    rows: int

    @property
    def text(self) -> str:
        return f"{self.confidence:.0%} interval of the gain {self.low:+.4f} to {self.high:+.4f}"


def compare(
    name: str,
    metric: Metric,
    truth: Array,
    ours: Array,
    theirs: Array,
    *,
    confidence: float,
    groups: Array | None = None,
) -> Paired:
    """Compare two models' predictions of the same rows by a bootstrap.

    Args:
        name: Of the metric; the standard ones are worked out for all replicates at once.
        metric: What is compared.
        truth: As metrics take it, of shape (n,).
        ours: Predictions of the first model, as metrics take them.
        theirs: Those of the second.
        confidence: Of the interval, between both ends.
        groups: Rows that stand or fall together, such as those of a day; drawn as one where there are enough.
    """
    sign = 1.0 if metric.higher_is_better else -1.0
    gain = sign * (float(metric.function(truth, ours)) - float(metric.function(truth, theirs)))
    quick = name in QUICK and (name != "roc_auc" or (ours.ndim == 2 and ours.shape[1] == 2))
    generator = np.random.default_rng(0)
    rows = len(truth)
    chosen = _draw(generator, rows, MOST_ROWS if quick else MOST_SLOW_ROWS)
    blocks = _blocks(groups, chosen, rows)
    parts = (truth[chosen], ours[chosen], theirs[chosen])
    gains = _quick(name, parts, blocks, generator) if quick else _slow(metric, parts, blocks, generator)
    gains = sign * gains[np.isfinite(gains)]
    if not np.isfinite(gain) or len(gains) < SLOW_REPLICATES // 2:
        return Paired(gain, np.nan, np.nan, confidence, rows)
    narrowed = np.sqrt(len(chosen) / rows)
    low, high = np.quantile(gains - gains.mean(), [(1 - confidence) / 2, (1 + confidence) / 2]) * narrowed
    return Paired(gain, gain + float(low), gain + float(high), confidence, rows)


def mcnemar(truth: Array, ours: Array, theirs: Array) -> tuple[int, int, float]:
    """How many rows only the first model classifies rightly, how many only the second, and the exact p-value."""
    from scipy.stats import binomtest

    right = ours.argmax(axis=1) == truth, theirs.argmax(axis=1) == truth
    only_ours, only_theirs = int((right[0] & ~right[1]).sum()), int((right[1] & ~right[0]).sum())
    if only_ours + only_theirs == 0:
        return 0, 0, 1.0
    return only_ours, only_theirs, float(binomtest(only_ours, only_ours + only_theirs).pvalue)


def _draw(generator: np.random.Generator, rows: int, most: int) -> Array:
    if rows <= most:
        return np.arange(rows)
    return np.sort(generator.permutation(rows)[:most])


def _blocks(groups: Array | None, chosen: Array, rows: int) -> Array:
    """The number of the block that each chosen row belongs to; a block of its own where groups are few."""
    if groups is None or len(chosen) < rows:
        return np.arange(len(chosen))
    _, index = np.unique(groups, return_inverse=True)
    return index if index.max() + 1 >= FEWEST_GROUPS else np.arange(len(chosen))


def _weights(blocks: Array, replicates: int, generator: np.random.Generator) -> Array:
    """How often each row is drawn, of shape (replicates, rows)."""
    size = int(blocks.max()) + 1
    drawn = generator.multinomial(size, np.full(size, 1 / size), size=replicates)
    return np.asarray(drawn[:, blocks], dtype=np.float64)


def _quick(name: str, parts: tuple[Array, Array, Array], blocks: Array, generator: np.random.Generator) -> Array:
    truth, ours, theirs = parts
    work = [QUICK[name](truth, scores) for scores in (ours, theirs)]
    found = []
    for start in range(0, REPLICATES, AT_ONCE):
        weights = _weights(blocks, min(AT_ONCE, REPLICATES - start), generator)
        found.append(work[0](weights) - work[1](weights))
    return np.concatenate(found)


def _slow(metric: Metric, parts: tuple[Array, Array, Array], blocks: Array, generator: np.random.Generator) -> Array:
    truth, ours, theirs = parts
    found = []
    for weights in _weights(blocks, SLOW_REPLICATES, generator):
        rows = np.repeat(np.arange(len(truth)), weights.astype(int))
        sides = [float(metric.function(truth[rows], scores[rows])) for scores in (ours, theirs)]
        found.append(sides[0] - sides[1])
    return np.array(found)


def _mean_of(losses: Array) -> Any:
    return lambda weights: weights @ losses / weights.sum(axis=1)


def _root_mean_of(squares: Array) -> Any:
    return lambda weights: np.sqrt(weights @ squares / weights.sum(axis=1))


def _brier(truth: Array, scores: Array) -> Any:
    if scores.shape[1] == 2:
        return _mean_of((scores[:, 1] - truth) ** 2)
    return _mean_of(((scores - np.eye(scores.shape[1])[truth]) ** 2).sum(axis=1))


def _log_loss(truth: Array, scores: Array) -> Any:
    return _mean_of(-np.log(np.clip(scores[np.arange(len(truth)), truth], 1e-15, 1)))


def _roc_auc(truth: Array, scores: Array) -> Any:
    """The area under the ROC curve for many weights at once, from one sort; ties count half."""
    _, level = np.unique(scores[:, 1], return_inverse=True)
    order = np.argsort(level, kind="stable")
    starts = np.searchsorted(level[order], np.arange(level.max() + 1))
    late = truth[order] == 1

    def area(weights: Array) -> Array:
        sorted_weights = weights[:, order]
        positive = np.add.reduceat(np.where(late, sorted_weights, 0.0), starts, axis=1)
        negative = np.add.reduceat(np.where(late, 0.0, sorted_weights), starts, axis=1)
        below = np.cumsum(negative, axis=1) - negative / 2
        total = positive.sum(axis=1) * negative.sum(axis=1)
        with np.errstate(invalid="ignore", divide="ignore"):
            return np.asarray((positive * below).sum(axis=1) / total)

    return area


QUICK: dict[str, Any] = {
    "mae": lambda truth, scores: _mean_of(np.abs(truth - scores)),
    "rmse": lambda truth, scores: _root_mean_of((truth - scores) ** 2),
    "brier": _brier,
    "log_loss": _log_loss,
    "accuracy": lambda truth, scores: _mean_of((scores.argmax(axis=1) == truth).astype(float)),
    "roc_auc": _roc_auc,
}
"""The standard metrics by name, ready for weights of shape (replicates, rows); a user's metric of that name is slow."""
