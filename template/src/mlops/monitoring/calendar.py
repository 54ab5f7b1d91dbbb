# The template's: `copier update` renews this file.
"""Time cut into days, weeks or longer, as few pieces as a person looks at."""

from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import Any

import numpy as np

Array = np.ndarray[Any, Any]
MOST = 60
EPOCH = date(1970, 1, 1).toordinal()
MONDAY = 4
"""The first Monday of 1970 was the fifth day."""


@dataclass(frozen=True)
class Calendar:
    """The days from `first` to `last` (since 1970) as periods of `length` days; weeks start on Monday."""

    first: int
    last: int
    length: int
    unit: str

    @classmethod
    def over(cls, first: int, last: int) -> "Calendar":
        """Days if there are few, else weeks, else so many weeks that there are at most 60 periods."""
        days = last - first + 1
        if days <= 45:
            return cls(first, last, 1, "day")
        weeks = -(-days // (7 * MOST))
        return cls(first, last, 7 * weeks, "week" if weeks == 1 else f"{weeks} weeks")

    @property
    def start(self) -> int:
        return self.first if self.length == 1 else self.first - (self.first - MONDAY) % 7

    @property
    def periods(self) -> int:
        return (self.last - self.start) // self.length + 1

    def period_of(self, days: Array) -> Array:
        """The number of the period that each day lies in."""
        return np.asarray((days - self.start) // self.length)

    def names(self) -> list[str]:
        """The first day of each period, as text."""
        return [day_name(self.start + number * self.length) for number in range(self.periods)]


def day_name(day: int) -> str:
    return date.fromordinal(EPOCH + day).isoformat()


def now() -> datetime:
    return datetime.now(UTC)


def since_when(moved: list[bool | None], names: list[str]) -> str | None:
    """The first period from which on something is moved more often than not, up to the last one.

    Args:
        moved: For each period, or None where there are too few rows to say.
        names: Of the periods.
    """
    known = [(name, yes) for name, yes in zip(names, moved, strict=True) if yes is not None]
    for at, (name, yes) in enumerate(known):
        rest = [each for _, each in known[at:]]
        if yes and sum(rest) * 3 >= len(rest) * 2:
            return name
    return None
