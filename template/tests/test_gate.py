"""The gate of this project's `params.yaml`: it asks for something, and for what its models have."""

from pathlib import Path

import pytest

from mlops.params import load_params
from mlops.pipeline.evaluate import all_metrics
from mlops.project import load_project

ROOT = Path(__file__).parents[1]
PARAMS = load_params(ROOT / "params.yaml")


def test_a_model_must_reach_a_minimum_to_become_champion() -> None:
    assert PARAMS.gate.minimum is not None


def test_predictions_alone_and_in_a_batch_differ_by_rounding_at_most() -> None:
    assert PARAMS.gate.parity <= 1e-4


def test_what_decides_is_a_metric_of_this_project(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(ROOT)
    assert PARAMS.metric in all_metrics(load_project(), PARAMS.task)
