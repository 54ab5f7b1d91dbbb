# The template's: `copier update` renews this file.
"""Each column beside its reference: how far it moved, from what to what, and since when."""

from dataclasses import dataclass
from typing import Any

import numpy as np
import polars as pl

from mlops.monitoring.calendar import Calendar, since_when
from mlops.monitoring.reference import Reference, is_number, numbers
from mlops.monitoring.sketch import Numbers, Values, shannon_distance

Array = np.ndarray[Any, Any]
SHOWN_VALUES = 20
FEWEST_ROWS = 30
"""In a period with fewer rows nothing is said of a column."""


@dataclass
class Column:
    """A column's rows, counted in all and by period."""

    name: str
    sketch: Numbers | Values
    reference_missing: float
    """Shares of the reference's rows without a value."""
    calendar: Calendar
    parts: Array
    """Rows of shape (periods, parts): parts of the reference's range, or values; the last one has what is new."""
    reference_parts: Array
    bounds: Any
    """What tells the parts apart: inner edges, or values."""

    @classmethod
    def of(cls, name: str, dtype: pl.DataType, reference: Reference, calendar: Calendar) -> "Column | None":
        """Make ready for a column; None for one of lists or structures, which nothing is said of."""
        about = reference.counts["columns"].get(name)
        if about is None or dtype.is_nested():
            return None
        missing = about["missing"] / max(1, reference.counts["rows"])
        if is_number(dtype):
            sketch = Numbers(numbers(reference.rows[name]), about.get("low"), about.get("high"))
            shares, bounds = sketch.reference_parts(), sketch.edges()
            return cls(name, sketch, missing, calendar, np.zeros((calendar.periods, len(shares))), shares, bounds)
        values = Values(about["categories"], about["other"])
        named = list(values.reference)[:SHOWN_VALUES]
        counts = [values.reference[value] for value in named]
        counts.append(values.reference_rows - sum(counts))
        parts = np.zeros((calendar.periods, len(counts)))
        return cls(name, values, missing, calendar, parts, np.array(counts, dtype=float), named)

    def add(self, column: pl.Series, periods: Array) -> None:
        """Count a batch."""
        size = self.parts.shape[1]
        if isinstance(self.sketch, Numbers):
            values = numbers(column)
            self.sketch.add(values)
            there = np.isfinite(values)
            places = np.searchsorted(self.bounds, values[there], side="left")
            index = periods[there] * size + places
        else:
            text = column.cast(pl.String)
            # Sorted, for polars counts in another order each time, and sums in another order differ in their last bits.
            counts = text.drop_nulls().value_counts().sort(column.name)
            self.sketch.add(dict(counts.iter_rows()), text.null_count())
            coded = text.replace_strict(self.bounds, list(range(size - 1)), default=size - 1, return_dtype=pl.Int64)
            there = text.is_not_null().to_numpy()
            index = periods[there] * size + coded.to_numpy()[there]
        self.parts += np.bincount(index, minlength=self.parts.size).reshape(self.parts.shape)

    @property
    def effect(self) -> float:
        """How far the column moved, from 0 to 1: KS of numbers, Jensen-Shannon distance of categories."""
        return self.sketch.ks if isinstance(self.sketch, Numbers) else self.sketch.distance

    @property
    def p_value(self) -> float:
        return self.sketch.p_value if isinstance(self.sketch, Numbers) else self.sketch.chi_squared[1]

    def by_period(self) -> list[float]:
        """The effect in each period, of numbers in the reference's twentieths; NaN where there are too few rows."""
        found = []
        for row in self.parts:
            if row.sum() < FEWEST_ROWS or not self.sketch.known or not self.reference_parts.sum():
                found.append(np.nan)
            elif isinstance(self.sketch, Numbers):
                found.append(float(np.abs(np.cumsum(row / row.sum() - self.reference_parts)).max()))
            else:
                found.append(shannon_distance(self.reference_parts, row))
        return found

    def describe(self, threshold: float) -> dict[str, Any]:
        """Everything that is said of the column, save what depends on other columns."""
        series = self.by_period()
        rows = self.parts.sum(axis=1)
        # A period's own noise is no drift: few rows lie further from any reference.
        moved = [
            None if not np.isfinite(effect) else effect >= max(threshold, 1.5 / np.sqrt(max(1.0, size)))
            for effect, size in zip(series, rows, strict=True)
        ]
        total = max(1, self.sketch.rows + self.sketch.missing)
        common = {
            "name": self.name,
            "effect": self.effect,
            "p_value": self.p_value,
            "missing": self.sketch.missing / total,
            "reference_missing": self.reference_missing,
            "by_period": series,
            "since": since_when(moved, self.calendar.names()),
        }
        return common | (self._numbers(total) if isinstance(self.sketch, Numbers) else self._values(total))

    def _numbers(self, total: int) -> dict[str, Any]:
        sketch = self.sketch
        assert isinstance(sketch, Numbers)
        return {
            "kind": "numbers",
            "measure": "KS",
            "ks": sketch.ks,
            "wasserstein": sketch.wasserstein,
            "wasserstein_in_std": sketch.wasserstein_in_std,
            "psi": sketch.psi,
            "reference_mean": sketch.reference_mean,
            "mean": sketch.mean,
            "outside": sketch.outside / total,
            "histogram": sketch.histogram(),
        }

    def _values(self, total: int) -> dict[str, Any]:
        sketch = self.sketch
        assert isinstance(sketch, Values)
        v, _ = sketch.chi_squared
        before, after = max(1, sketch.reference_rows), max(1, sketch.rows)
        names = list(dict.fromkeys([*list(sketch.reference)[:SHOWN_VALUES], *list(sketch.new)[:3]]))
        shares = [(name, sketch.reference.get(name, 0) / before, sketch.counts.get(name, 0) / after) for name in names]
        return {
            "kind": "values",
            "measure": "Jensen-Shannon",
            "jensen_shannon": sketch.distance,
            "cramers_v": v,
            "new": sketch.new_rows / total,
            "new_values": list(sketch.new)[:5],
            "shares": [{"value": name, "reference": was, "current": now} for name, was, now in shares],
        }
