# The template's: `copier update` renews this file.
"""The tests behind the monitor: changes of means and of shares, with days as what varies.

Rows of one day have the weather, the news or the outage in common, so they are no independent witnesses: where both
sides have enough days, the spread from day to day says how sure a change is, and the spread of rows where not.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

Array = np.ndarray[Any, Any]
FEWEST_DAYS = 10


@dataclass(frozen=True)
class Change:
    """By how much a mean differs from the reference's, with an interval."""

    reference: float
    current: float
    low: float
    high: float
    p_worse: float
    """How likely such a growth were if there was none: one-sided."""
    p_value: float
    """Two-sided."""

    @property
    def difference(self) -> float:
        return self.current - self.reference

    @property
    def relative(self) -> float:
        return self.difference / abs(self.reference) if self.reference else np.nan


def mean_change(reference: Array, current: Array, confidence: float) -> Change:
    """Compare two means.

    Args:
        reference: Sums by day of shape (days, 3): rows, sum, sum of squares.
        current: The same of the other side.
        confidence: Of each end of the interval by itself, so that the lower end fits the one-sided test.
    """
    from scipy.stats import t

    means, errors, degrees = zip(*(_mean(side) for side in (reference, current)), strict=True)
    variance = errors[0] ** 2 + errors[1] ** 2
    difference = means[1] - means[0]
    if not np.isfinite(variance) or variance <= 0:
        same = 1.0 if np.isfinite(difference) and difference == 0 else np.nan
        return Change(means[0], means[1], difference, difference, same, same)
    freedom = variance**2 / sum(error**4 / max(1, each) for error, each in zip(errors, degrees, strict=True))
    error = float(np.sqrt(variance))
    reach = float(t.ppf(confidence, freedom)) * error
    score = difference / error
    return Change(
        means[0],
        means[1],
        difference - reach,
        difference + reach,
        float(t.sf(score, freedom)),
        float(2 * t.sf(abs(score), freedom)),
    )


def _mean(days: Array) -> tuple[float, float, float]:
    """Mean, standard error and degrees of freedom."""
    rows, total, squares = days.sum(axis=0)
    if rows < 2:
        return (total / rows if rows else np.nan), np.nan, 1
    mean = total / rows
    if len(days) >= FEWEST_DAYS:
        left = days[:, 1] - mean * days[:, 0]
        size = len(days)
        return float(mean), float(np.sqrt((left**2).sum() * size / (size - 1)) / rows), size - 1
    variance = max(0.0, squares - rows * mean**2) / (rows - 1)
    return float(mean), float(np.sqrt(variance / rows)), rows - 1


def shares_p_value(reference: Array, current: Array, *, ordered: bool) -> float:
    """How likely it is that shares differ so by chance; the smallest of all cells, corrected for their number.

    Args:
        reference: Counts of shape (days, cells).
        current: The same of the other side.
        ordered: Whether cells are ranges of numbers: then what lies up to each edge is compared.
    """
    size = reference.shape[1]
    if ordered:
        reference, current = reference.cumsum(axis=1), current.cumsum(axis=1)
        totals = reference[:, -1], current[:, -1]
        # Neighbouring edges tell nearly the same, and each costs power: the quarters will do.
        cells = sorted({round((size - 1) * part / 4) for part in (1, 2, 3)} & set(range(size - 1)))
    else:
        totals = reference.sum(axis=1), current.sum(axis=1)
        cells = list(range(1 if size == 2 else size))
    values = []
    for cell in cells:
        sides = [
            np.column_stack([rows, side[:, cell], side[:, cell]])  # a 0 or 1 is its own square
            for rows, side in zip(totals, (reference, current), strict=True)
        ]
        values.append(mean_change(sides[0], sides[1], confidence=0.95).p_value)
    found = [value for value in values if np.isfinite(value)]
    return min(1.0, min(found) * len(found)) if found else 1.0


def holm(p_values: Sequence[float]) -> list[float]:
    """P-values corrected for their number by Holm's method; NaN stays and does not count."""
    values = np.asarray(p_values, dtype=float)
    corrected = np.full(len(values), np.nan)
    known = np.flatnonzero(np.isfinite(values))
    order = known[np.argsort(values[known], kind="stable")]
    if len(order):
        steps = values[order] * (len(order) - np.arange(len(order)))
        corrected[order] = np.minimum(1.0, np.maximum.accumulate(steps))
    return [float(value) for value in corrected]
