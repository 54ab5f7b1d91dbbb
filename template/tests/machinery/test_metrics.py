# The template's: `copier update` renews this file.
"""Metrics against values worked out by hand."""

import math

import numpy as np
import polars as pl
import pytest

from mlops.errors import UsageError
from mlops.metrics import by_slice, calibration, measure, naive_scores, standard_metrics
from mlops.project import Metric

TRUTH = np.array([0, 1, 1, 0])
SCORES = np.array([[0.9, 0.1], [0.2, 0.8], [0.6, 0.4], [0.5, 0.5]])


def test_metrics_of_two_classes() -> None:
    values = measure(standard_metrics("classification"), TRUTH, SCORES)
    assert values["roc_auc"] == pytest.approx(3 / 4)
    assert values["accuracy"] == pytest.approx(3 / 4)
    assert values["brier"] == pytest.approx((0.01 + 0.04 + 0.36 + 0.25) / 4)
    assert values["log_loss"] == pytest.approx(-np.log([0.9, 0.8, 0.4, 0.5]).mean())


def test_metrics_of_three_classes() -> None:
    values = measure(standard_metrics("classification"), np.array([0, 1, 2]), np.eye(3))
    assert (values["roc_auc"], values["accuracy"], values["brier"]) == (1, 1, 0)


def test_a_metric_of_one_class_is_not_defined_rather_than_wrong() -> None:
    assert math.isnan(measure(standard_metrics("classification"), np.zeros(4, int), SCORES)["roc_auc"])


def test_metrics_of_numbers() -> None:
    values = measure(standard_metrics("regression"), np.array([1.0, 2, 3]), np.array([1.0, 2, 6]))
    assert values == {"mae": 1, "rmse": pytest.approx(math.sqrt(3)), "median_ae": 0, "r2": pytest.approx(1 - 9 / 2)}


def test_a_metric_that_raises_is_named() -> None:
    with pytest.raises(UsageError, match=r"'half'.*ZeroDivisionError"):
        measure({"half": Metric(lambda truth, scores: 1 / 0)}, TRUTH, SCORES)


def test_naive_guesses_are_frequencies_or_the_middle() -> None:
    assert naive_scores("classification", np.array([0, 1, 1, 1]), 2, 3)[0].tolist() == [[0.25, 0.75]] * 3
    median, mean = naive_scores("regression", np.array([0.0, 0, 9]), 0, 2)
    assert (median.tolist(), mean.tolist()) == ([0, 0], [3, 3])


def test_slices_have_enough_rows_of_more_than_one_class() -> None:
    columns = pl.DataFrame({"c": ["x"] * 4 + ["y"] * 4 + ["z"] + [None]})
    truth = np.array([0, 1, 1, 0, 1, 1, 1, 1, 0, 1])
    scores = np.column_stack([1 - truth, truth]).astype(float)
    found = by_slice(
        standard_metrics("classification"),
        columns,
        truth,
        scores,
        least_rows=2,
        is_defined=lambda part: len(np.unique(part)) > 1,
    )
    assert [(each["value"], each["rows"], each["metrics"]["roc_auc"]) for each in found] == [("x", 4, 1.0)]


def test_calibration_compares_what_was_said_with_what_came() -> None:
    scores = np.repeat([0.2, 0.8], 50)
    truth = np.array([1] * 10 + [0] * 40 + [1] * 40 + [0] * 10)
    bins = calibration("classification", truth, np.column_stack([1 - scores, scores]))
    assert [each["rows"] for each in bins] == [10] * 10
    assert np.mean([each["observed"] for each in bins]) == pytest.approx(0.5)
    assert {round(each["predicted"], 6) for each in bins} == {0.2, 0.8}
