# The template's: `copier update` renews this file.
"""Columns counted as they stream by, in memory that does not grow with the rows, beside a reference.

Counting below and up to each value of the reference is enough for an exact Kolmogorov-Smirnov distance: between two
neighbours of the reference its own distribution is flat, so the largest gap lies at one of them.
"""

from collections import Counter
from typing import Any

import numpy as np

Array = np.ndarray[Any, Any]
VALUES = 10_000
"""Different values of a column that are counted by name; what comes after them counts as one."""
SHOWN_BINS = 20
FLOOR = 1e-4
"""The least share of a bin, for PSI has a logarithm."""


class Numbers:
    """Numbers against a sample of reference numbers."""

    def __init__(self, reference: Array, low: float | None = None, high: float | None = None) -> None:
        """Take the reference; `low` and `high` are the range of all of it where `reference` is a sample."""
        finite = np.sort(reference[np.isfinite(reference)])
        self.grid, counts = np.unique(finite, return_counts=True)
        self.reference_rows = len(finite)
        self.reference_mean = float(finite.mean()) if len(finite) else np.nan
        self.reference_std = float(finite.std()) if len(finite) else np.nan
        self._ref_le = np.cumsum(counts) / max(1, len(finite))
        self._ref_lt = np.concatenate([[0.0], self._ref_le[:-1]]) if len(finite) else self._ref_le
        self.low = low if low is not None else (self.grid[0] if len(finite) else np.nan)
        self.high = high if high is not None else (self.grid[-1] if len(finite) else np.nan)
        self._le = np.zeros(len(self.grid), dtype=np.int64)
        self._lt = np.zeros(len(self.grid), dtype=np.int64)
        self.rows = self.missing = self.outside = 0
        self._sum = self._below = self._above = 0.0

    def add(self, values: Array) -> None:
        """Count a batch; what is not finite counts as missing."""
        finite = np.sort(values[np.isfinite(values)])
        self.missing += len(values) - len(finite)
        self.rows += len(finite)
        if not len(finite) or not len(self.grid):
            return
        self._lt += np.searchsorted(finite, self.grid, side="left")
        self._le += np.searchsorted(finite, self.grid, side="right")
        self._sum += float(finite.sum())
        under, over = finite[finite < self.grid[0]], finite[finite > self.grid[-1]]
        self._below += float((self.grid[0] - under).sum())
        self._above += float((over - self.grid[-1]).sum())
        self.outside += int(np.searchsorted(finite, self.low)) + int(
            len(finite) - np.searchsorted(finite, self.high, side="right")
        )

    @property
    def known(self) -> bool:
        """Whether both sides have a number."""
        return self.rows > 0 and self.reference_rows > 0

    @property
    def mean(self) -> float:
        return self._sum / self.rows if self.rows else np.nan

    @property
    def ks(self) -> float:
        """The largest distance between the two cumulative distributions, exactly."""
        if not self.known:
            return np.nan
        gaps = np.abs(self._ref_le - self._le / self.rows), np.abs(self._ref_lt - self._lt / self.rows)
        return float(max(gap.max() for gap in gaps))

    @property
    def p_value(self) -> float:
        """Of the KS distance, by its asymptotic distribution as scipy has it."""
        from scipy.stats import kstwo

        if not self.known:
            return np.nan
        size = self.reference_rows * self.rows / (self.reference_rows + self.rows)
        return float(np.clip(kstwo.sf(self.ks, np.round(size) or 1), 0, 1))

    @property
    def wasserstein(self) -> float:
        """The Wasserstein distance; between neighbours of the reference the rows count as evenly spread."""
        if not self.known:
            return np.nan
        low, high = self._le[:-1] / self.rows, self._lt[1:] / self.rows
        flat, width = self._ref_le[:-1], np.diff(self.grid)
        first, last = low - flat, high - flat
        crossing = (first < 0) & (last > 0)
        mean = np.abs(first + last) / 2
        slope = np.where(crossing, last - first, 1)
        mean = np.where(crossing, (first**2 + last**2) / (2 * slope), mean)
        return float((mean * width).sum() + (self._below + self._above) / self.rows)

    @property
    def wasserstein_in_std(self) -> float:
        """The same in standard deviations of the reference."""
        return self.wasserstein / self.reference_std if self.reference_std > 0 else np.nan

    @property
    def psi(self) -> float:
        """The population stability index on the reference's tenths."""
        edges = self._at(np.arange(1, 10) / 10)
        if not self.known or not len(edges):
            return np.nan
        ours = np.diff(np.concatenate([[0.0], self._le[edges] / self.rows, [1.0]])).clip(FLOOR)
        theirs = np.diff(np.concatenate([[0.0], self._ref_le[edges], [1.0]])).clip(FLOOR)
        return float(((ours - theirs) * np.log(ours / theirs)).sum())

    def _at(self, shares: Array) -> Array:
        """Places in the grid where the reference reaches these shares, each once and without the last."""
        if not len(self.grid):
            return np.array([], dtype=int)
        places = np.unique(np.searchsorted(self._ref_le, shares - 1e-12))
        return places[places < len(self.grid) - 1]

    def edges(self) -> Array:
        """Values that cut the reference into up to 20 parts of equally many rows."""
        return self.grid[self._at(np.arange(1, SHOWN_BINS) / SHOWN_BINS)]

    def reference_parts(self) -> Array:
        """The reference's shares of the parts that `edges` makes."""
        places = self._at(np.arange(1, SHOWN_BINS) / SHOWN_BINS)
        return np.diff(np.concatenate([[0.0], self._ref_le[places], [1.0]]))

    def histogram(self) -> dict[str, list[float]]:
        """Shares of both sides in bins of equal width over the middle 98 % of the reference, ends included."""
        if not self.known:
            return {"edges": [], "reference": [], "current": []}
        low, high = (float(np.interp(share, self._ref_le, self.grid)) for share in (0.01, 0.99))
        inner = np.linspace(low, high, SHOWN_BINS + 1) if high > low else np.array([low])
        ours = np.interp(inner, self.grid, self._le / self.rows)
        theirs = np.interp(inner, self.grid, self._ref_le)
        ours[0] = theirs[0] = 0.0
        ours[-1] = theirs[-1] = 1.0
        return {
            "edges": [float(edge) for edge in inner],
            "reference": [float(share) for share in np.diff(theirs)],
            "current": [float(share) for share in np.diff(ours)],
        }


class Values:
    """Categories against counts of a reference."""

    def __init__(self, reference: dict[str, int], other: int = 0) -> None:
        """Take the reference's counts; `other` rows had values that are not named."""
        named = sorted(reference.items(), key=lambda item: -item[1])  # what is shown are the first
        self.reference = {value: count for value, count in named if count}
        self.other = other
        self.counts: Counter[str] = Counter()
        self.rows = self.missing = self.uncounted = 0

    def add(self, counts: dict[str, int], missing: int = 0) -> None:
        """Count a batch, given as values with their counts."""
        self.missing += missing
        for value, count in counts.items():
            self.rows += count
            if value in self.reference or value in self.counts or len(self.counts) < VALUES:
                self.counts[value] += count
            else:
                self.uncounted += count

    @property
    def known(self) -> bool:
        return self.rows > 0 and self.reference_rows > 0

    @property
    def reference_rows(self) -> int:
        return sum(self.reference.values()) + self.other

    @property
    def new(self) -> dict[str, int]:
        """Values that the reference does not have, most frequent first; none are known where it names not all."""
        if self.other:
            return {}
        return {value: count for value, count in self.counts.most_common() if value not in self.reference}

    @property
    def new_rows(self) -> int:
        return sum(self.new.values()) + (0 if self.other else self.uncounted)

    def table(self) -> Array:
        """Counts of shape (2, values): reference and current; what is not named by the reference comes last."""
        names = list(self.reference)
        ours = [self.counts.get(name, 0) for name in names]
        if self.other:
            rest = [(self.other, self.rows - sum(ours))]
        else:
            rest = [(0, count) for count in self.new.values()] + [(0, self.uncounted)]
        table = np.array([[*self.reference.values()], ours], dtype=float)
        table = np.concatenate([table, np.array(rest, dtype=float).T], axis=1)
        return table[:, table.sum(axis=0) > 0]

    @property
    def distance(self) -> float:
        """The Jensen-Shannon distance with logarithms to base 2: 0 for equal shares, 1 for nothing in common."""
        return shannon_distance(*self.table()) if self.known else np.nan

    @property
    def chi_squared(self) -> tuple[float, float]:
        """Cramer's V and the p-value of the chi-squared test; rare values are put together."""
        from scipy.stats import chi2_contingency

        if not self.known:
            return np.nan, np.nan
        table = pooled(self.table())
        if table.shape[1] < 2:
            return 0.0, 1.0
        statistic, p_value, _, _ = chi2_contingency(table, correction=False)
        return float(np.sqrt(statistic / table.sum())), float(p_value)


def pooled(table: Array, least: float = 5.0) -> Array:
    """A table of counts with the columns put together in which a test would expect fewer than `least`."""
    expected = table.sum(axis=0) * (table.sum(axis=1).min() / max(table.sum(), 1))
    rare = expected < least
    if rare.sum() < 2:
        return table
    together = table[:, rare].sum(axis=1, keepdims=True)
    return np.concatenate([table[:, ~rare], together], axis=1)


def shannon_distance(ours: Array, theirs: Array) -> float:
    """The Jensen-Shannon distance (base 2) of two sets of counts or shares."""
    ours, theirs = (np.asarray(side, dtype=float) / np.sum(side) for side in (ours, theirs))
    middle = (ours + theirs) / 2

    def divergence(side: Array) -> float:
        there = side > 0
        return float((side[there] * np.log2(side[there] / middle[there])).sum())

    return float(np.sqrt(max(0.0, (divergence(ours) + divergence(theirs)) / 2)))
