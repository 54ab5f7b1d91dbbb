"""A run that is killed anywhere can be run again and ends as if nothing had happened."""

import signal
from pathlib import Path

import pytest

KILLING = Path(__file__).with_name("killing")
PURE = [
    "before mlops.pipeline.ingest:run",
    "before mlops.contract:conform",
    "after polars:LazyFrame.sink_parquet",
    "after mlops.pipeline.ingest:run",
    "after mlops.contract:breaches",
    "after mlops.pipeline.validate:run",
    "after mlops.pipeline.split:run",
    "after mlops.registry.bundle:save_bundle",
    "after mlops.pipeline.train:run",
    "after mlops.plots:evaluation_plots",
    "after mlops.pipeline.evaluate:run",
]
JUDGE = [
    "after mlflow:MlflowClient.create_experiment",
    "after mlflow:MlflowClient.create_run",
    "after mlflow:MlflowClient.log_batch",
    "after mlflow:MlflowClient.log_artifacts",
    "after mlflow:MlflowClient.create_registered_model",
    "after mlflow:MlflowClient.create_model_version",
    "before mlflow:MlflowClient.set_registered_model_alias",
    "after mlflow:MlflowClient.set_registered_model_alias",
    "after mlops.report:write_report",
    "after mlflow:MlflowClient.set_terminated",
]


def killed(project, place):
    done = project.mlops("run", code=None, PYTHONPATH=KILLING, KILL_AT=place)
    assert done.code == -signal.SIGKILL, f"{place}: {done}"


def ends_well(project, original):
    """The project's next run gives what a run of the original gave, and nothing twice."""
    project.mlops("run")
    assert project.lock == original.lock
    assert set(project.outputs) == set(original.outputs)
    assert (list(project.versions), project.champion) == (["1"], "1")
    (run,) = project.runs
    assert project.versions["1"] == run["run_id"]
    assert run["mlops.gate"] == "passed"
    assert not list(project.path.rglob("*.partial")), "what was half-written is gone"
    assert "Nothing to do: flight-delays version 1" in project.mlops("run").out


def test_a_run_killed_in_each_stage_in_turn(small):
    project, original = small(), small(ran=True)
    for place in PURE:
        killed(project, place)
        assert project.versions == {}
    ends_well(project, original)


def test_a_run_killed_in_each_step_of_the_judge_in_turn(small):
    project, original = small(), small(ran=True)
    for place in JUDGE:
        killed(project, place)
        assert project.champion in (None, "1")
    ends_well(project, original)


@pytest.mark.parametrize(
    "place", ["after mlflow.store.db.utils:_initialize_tables", "after mlflow:MlflowClient.create_model_version"]
)
def test_a_run_killed_once_in_the_judge(small, place):
    project, original = small(), small(ran=True)
    killed(project, place)
    ends_well(project, original)


@pytest.mark.parametrize("left", ["", '{"write": {"/work/project/data/raw.parq'])
def test_a_run_killed_while_dvc_writes_who_reads_and_writes(small, left):
    project, original = small(), small(ran=True)
    killed(project, "after mlops.pipeline.split:run")
    (project.path / ".dvc/tmp/rwlock").write_text(left, encoding="utf-8")
    ends_well(project, original)


def test_a_challenger_killed_as_it_becomes_champion(small):
    project = small(ran=True)
    project.set({"estimator.max_iter": 20, "gate.minimum_gain": -1.0})
    for when in ("before", "after"):
        killed(project, f"{when} mlflow:MlflowClient.set_registered_model_alias")
    assert "flight-delays version 2" in project.mlops("run").out
    assert (list(project.versions), project.champion, len(project.runs)) == (["1", "2"], "2", 2)
    assert "Nothing to do: flight-delays version 2" in project.mlops("run").out
