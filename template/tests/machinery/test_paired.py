# The template's: `copier update` renews this file.
"""The paired test of two models: the quick ways agree with the metrics, and the interval holds what it says."""

from typing import Any

import numpy as np
import pytest
from sklearn.metrics import roc_auc_score

from mlops.metrics import standard_metrics
from mlops.registry.paired import QUICK, compare, mcnemar

Array = np.ndarray[Any, Any]


def models(generator: np.random.Generator, rows: int, skill: float, other: float) -> tuple[Array, Array, Array]:
    """Truth and the probabilities of two models, with ties."""
    truth = (generator.random(rows) < 0.3).astype(int)

    def scores(strength: float) -> Array:
        late = np.round(1 / (1 + np.exp(-(strength * (truth - 0.3) + generator.normal(0, 1, rows)))), 2)
        return np.column_stack([1 - late, late])

    return truth, scores(skill), scores(other)


@pytest.mark.parametrize("name", ["roc_auc", "brier", "log_loss", "accuracy"])
def test_weights_mean_rows_so_many_times(name: str) -> None:
    generator = np.random.default_rng(1)
    truth, scores, _ = models(generator, 300, 1.0, 1.0)
    weights = generator.multinomial(300, np.full(300, 1 / 300), size=3).astype(float)
    quick = QUICK[name](truth, scores)(weights)
    for value, weight in zip(quick, weights, strict=True):
        rows = np.repeat(np.arange(300), weight.astype(int))
        assert value == pytest.approx(standard_metrics("classification")[name].function(truth[rows], scores[rows]))


@pytest.mark.parametrize("name", ["mae", "rmse"])
def test_so_they_do_for_numbers(name: str) -> None:
    generator = np.random.default_rng(2)
    truth, predicted = generator.normal(size=200), generator.normal(size=200)
    weight = generator.multinomial(200, np.full(200, 1 / 200)).astype(float)
    rows = np.repeat(np.arange(200), weight.astype(int))
    metric = standard_metrics("regression")[name]
    assert QUICK[name](truth, predicted)(weight[None])[0] == pytest.approx(
        metric.function(truth[rows], predicted[rows])
    )


def test_a_model_equals_itself() -> None:
    truth, scores, _ = models(np.random.default_rng(3), 500, 1.0, 1.0)
    found = compare("roc_auc", standard_metrics("classification")["roc_auc"], truth, scores, scores, confidence=0.95)
    assert (found.gain, found.low, found.high) == (0, 0, 0)
    assert mcnemar(truth, scores, scores) == (0, 0, 1.0)


def test_lower_is_better_where_the_metric_says_so() -> None:
    truth = np.zeros(100)
    metric = standard_metrics("regression")["mae"]
    found = compare("mae", metric, truth, np.full(100, 1.0), np.full(100, 3.0), confidence=0.95)
    assert (found.gain, found.low, found.high) == pytest.approx((2, 2, 2))


def test_the_interval_of_a_gain_holds_as_often_as_it_says() -> None:
    metric = standard_metrics("classification")["roc_auc"]
    generator, inside, rounds = np.random.default_rng(4), 0, 150
    truth, better, worse = models(generator, 200_000, 1.4, 1.0)
    gain = roc_auc_score(truth, better[:, 1]) - roc_auc_score(truth, worse[:, 1])
    for _ in range(rounds):
        sides = models(generator, 600, 1.4, 1.0)
        found = compare("roc_auc", metric, *sides, confidence=0.9)
        inside += found.low <= gain <= found.high
    assert inside / rounds == pytest.approx(0.9, abs=0.07)


def test_a_metric_of_the_users_is_compared_as_well() -> None:
    truth, better, worse = models(np.random.default_rng(5), 400, 3.0, 0.5)
    metric = standard_metrics("classification")["roc_auc"]
    quick, slow = (compare(name, metric, truth, better, worse, confidence=0.95) for name in ("roc_auc", ""))
    assert slow.gain == quick.gain > 0
    assert slow.low == pytest.approx(quick.low, abs=0.02)
    assert slow.high == pytest.approx(quick.high, abs=0.02)


def test_many_rows_are_drawn_from_and_give_a_narrower_interval() -> None:
    metric = standard_metrics("classification")["brier"]
    few, many = (
        compare("brier", metric, *models(np.random.default_rng(6), rows, 1.4, 1.0), confidence=0.95)
        for rows in (20_000, 80_000)
    )
    assert (many.high - many.low) / (few.high - few.low) == pytest.approx(0.5, abs=0.1)
