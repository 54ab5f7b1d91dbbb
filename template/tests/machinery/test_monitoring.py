# The template's: `copier update` renews this file.
"""The monitor's statistics beside scipy's on the whole data, and how often they cry wolf."""

from typing import Any

import numpy as np
import polars as pl
import pytest
from scipy import stats
from scipy.spatial.distance import jensenshannon

from mlops.monitoring.calendar import Calendar, since_when
from mlops.monitoring.changes import holm, mean_change, shares_p_value
from mlops.monitoring.columns import Column
from mlops.monitoring.sketch import Numbers, Values

Array = np.ndarray[Any, Any]


def streamed(reference: Array, current: Array, batch: int = 700) -> Numbers:
    sketch = Numbers(reference)
    for start in range(0, len(current), batch):
        sketch.add(current[start : start + batch])
    return sketch


def pairs() -> list[tuple[Array, Array]]:
    generator = np.random.default_rng(1)
    return [
        (generator.normal(0, 1, 4000), generator.normal(0.2, 1.3, 6100)),
        (generator.poisson(3, 4000).astype(float), generator.poisson(4, 5000).astype(float)),
        (np.round(generator.exponential(9, 3000), 1), np.round(generator.exponential(30, 2000), 1)),
        (np.zeros(50), np.ones(60)),
    ]


@pytest.mark.parametrize("number", range(4))
def test_numbers_are_compared_as_scipy_compares_them(number: int) -> None:
    reference, current = pairs()[number]
    sketch, exact = streamed(reference, current), stats.ks_2samp(reference, current, method="asymp")
    assert sketch.ks == pytest.approx(exact.statistic, abs=1e-12)
    assert sketch.p_value == pytest.approx(exact.pvalue, rel=1e-6, abs=1e-300)
    assert sketch.wasserstein == pytest.approx(stats.wasserstein_distance(reference, current), rel=0.01)
    assert sketch.mean == pytest.approx(current.mean())


def test_what_is_missing_or_out_of_range_is_counted() -> None:
    sketch = Numbers(np.array([1.0, 2.0, 3.0]), low=0.0, high=10.0)
    sketch.add(np.array([-1.0, 0.0, 5.0, 11.0, np.nan, np.inf]))
    assert (sketch.rows, sketch.missing, sketch.outside) == (4, 2, 2)


def test_nothing_to_compare_is_no_drift_and_no_crash() -> None:
    for sketch in (streamed(np.array([]), np.ones(5)), streamed(np.ones(5), np.array([])), Values({})):
        assert not sketch.known
    assert np.isnan(streamed(np.array([]), np.ones(5)).ks)


def test_categories_are_compared_as_scipy_compares_them() -> None:
    before, after = {"a": 500, "b": 300, "c": 200}, {"a": 900, "b": 300, "d": 150}
    sketch = Values(before)
    for part in ({"a": 400, "b": 300}, {"a": 500, "d": 150}):
        sketch.add(part, missing=1)
    table = np.array([[500, 300, 200, 0], [900, 300, 0, 150]])
    assert sketch.distance == pytest.approx(jensenshannon(table[0], table[1], 2))
    exact = stats.chi2_contingency(table, correction=False)
    v, p_value = sketch.chi_squared
    assert v == pytest.approx(stats.contingency.association(table, method="cramer"))
    assert p_value == pytest.approx(exact.pvalue)
    assert (sketch.new, sketch.new_rows, sketch.missing, sketch.rows) == ({"d": 150}, 150, 2, sum(after.values()))


def test_a_column_of_ever_new_values_is_bounded() -> None:
    sketch = Values({"a": 1})
    for start in range(0, 50_000, 1000):
        sketch.add({str(number): 1 for number in range(start, start + 1000)})
    assert len(sketch.counts) <= 10_001
    assert sketch.new_rows == 50_000


def test_what_is_said_of_values_does_not_hang_on_their_order() -> None:
    """The same to the last bit and the last tie, or the same rows would be another finding."""
    calendar = Calendar.over(0, 0)
    found = []
    for step in (1, 3, 7):
        values = Values({"a": 500, "b": 300})
        column = Column("x", values, 0.0, calendar, np.zeros((1, 3)), np.array([500.0, 300.0, 0.0]), ["a", "b"])
        rows = [name for number in range(10) for name in (f"new{number}", "a") for _ in range(number // 3 + 1)]
        column.add(pl.Series("x", [rows[at * step % len(rows)] for at in range(len(rows))]), np.zeros(len(rows), int))
        found.append(column.describe(0.1))
    assert found[0] == found[1] == found[2]


def test_holm_is_as_in_the_book() -> None:
    assert holm([0.01, 0.04, 0.03, 0.005]) == pytest.approx([0.03, 0.06, 0.06, 0.02])
    corrected = holm([0.02, float("nan"), 0.5])
    assert corrected[0] == pytest.approx(0.04)
    assert np.isnan(corrected[1])


def sums(days: Array, values: Array) -> Array:
    size = int(days.max()) + 1
    return np.column_stack([np.bincount(days, weights, size) for weights in (np.ones(len(days)), values, values**2)])


@pytest.mark.parametrize("days_move", [0.0, 0.5])
def test_the_interval_of_a_change_holds_as_often_as_it_says(days_move: float) -> None:
    """Whether rows are independent or the rows of a day have something in common."""
    generator, inside, rounds = np.random.default_rng(2), 0, 400
    for _ in range(rounds):
        sides = []
        for shift in (0.0, 0.3):
            days = np.repeat(np.arange(30), 40)
            common = generator.normal(0, days_move, 30)[days]
            sides.append(sums(days, generator.normal(shift, 1, len(days)) + common))
        change = mean_change(sides[0], sides[1], 0.95)
        inside += change.low <= 0.3 <= change.high
    assert inside / rounds == pytest.approx(0.90, abs=0.045)


@pytest.mark.parametrize("ordered", [False, True])
def test_shares_that_did_not_move_are_seldom_found_to_have(ordered: bool) -> None:
    generator, alarms, rounds = np.random.default_rng(3), 0, 300
    for _ in range(rounds):
        before, after = (generator.multinomial(60, [0.1] * 10, size=30).astype(float) for _ in range(2))
        alarms += shares_p_value(before, after, ordered=ordered) < 0.05
    assert alarms / rounds < 0.08
    moved = generator.multinomial(60, [0.04, *[0.1] * 8, 0.16], size=30).astype(float)
    assert shares_p_value(before, moved, ordered=ordered) < 1e-3


def test_periods_are_few_and_weeks_start_on_monday() -> None:
    assert Calendar.over(0, 30).periods == 31
    year = Calendar.over(15_706, 15_706 + 364)  # 2013
    assert (year.unit, year.names()[0], year.periods) == ("week", "2012-12-31", 53)
    for years in (3, 30):
        assert Calendar.over(0, 365 * years).periods <= 61


def test_since_when_something_has_moved() -> None:
    names = list("abcdef")
    assert since_when([False, True, False, True, True, True], names) == "b"
    assert since_when([True, False, False, False, None, True], names) == "f"
    assert since_when([True, False, False, False, False, False], names) is None
