# The template's: `copier update` renews this file.
"""The gate, check by check: what passes by a hair, and what does not."""

import math
from typing import Any

import pytest

from mlops.params import Gate, Params
from mlops.registry.gate import Rival, gate


def verdicts(value: float | None, rival: Rival | None = None, *, slices: Any = (), **bounds: Any) -> dict[str, bool]:
    """Of a model with this AUC, 0.5 being naive."""
    evaluation = {
        "metrics": {"roc_auc": value},
        "naive": {"roc_auc": 0.5},
        "higher_is_better": {"roc_auc": True},
        "slices": [
            {"column": "c", "value": str(at), "rows": 300, "metrics": {"roc_auc": each}}
            for at, each in enumerate(slices)
        ],
        "parity": bounds.pop("found_parity", 0.0),
    }
    params = Params(task="classification", gate=Gate(**bounds))
    return {check.name: check.passed for check in gate(params, evaluation, rival)}


def champion(value: float | None, why_not: str | None = None) -> Rival:
    return Rival("3", value, why_not)


def test_a_model_must_beat_a_naive_guess() -> None:
    assert verdicts(0.51)["naive"]
    assert not verdicts(0.5)["naive"]


@pytest.mark.parametrize(("value", "passes"), [(0.6, True), (0.5999, False), (None, False)])
def test_a_model_must_reach_the_minimum(value: float | None, passes: bool) -> None:
    assert verdicts(value, minimum=0.6)["minimum"] is passes


@pytest.mark.parametrize(("gain", "passes"), [(0.0, True), (0.1, False), (-0.1, True)])
def test_a_model_must_gain_over_the_champion(gain: float, passes: bool) -> None:
    assert verdicts(0.6, champion(0.6), minimum_gain=gain)["champion"] is passes


def test_a_champion_that_cannot_be_compared_stops_nobody() -> None:
    assert verdicts(0.6, champion(None, "its label was another"))["champion"]


def test_the_worst_slice_decides_and_one_without_a_value_does_not() -> None:
    assert verdicts(0.7, slices=[0.9, 0.55, None], worst_slice=0.55)["worst slice"]
    assert not verdicts(0.7, slices=[0.9, 0.54], worst_slice=0.55)["worst slice"]


def test_predictions_must_be_the_same_alone_as_in_a_batch() -> None:
    assert verdicts(0.7, found_parity=1e-7)["parity"]
    assert not verdicts(0.7, found_parity=1e-3)["parity"]
    assert not verdicts(0.7, found_parity=math.nan)["parity"]


def test_where_lower_is_better_bounds_are_turned_round() -> None:
    evaluation = {
        "metrics": {"mae": 20.0},
        "naive": {"mae": 22.0},
        "higher_is_better": {"mae": False},
        "slices": [{"column": "c", "value": "x", "rows": 300, "metrics": {"mae": 41.0}}],
        "parity": 0.0,
    }
    params = Params(task="regression", gate=Gate(minimum=20, worst_slice=40, minimum_gain=1))
    found = {check.name: check.passed for check in gate(params, evaluation, champion(20.5))}
    assert found == {"naive": True, "minimum": True, "champion": False, "worst slice": False, "parity": True}
