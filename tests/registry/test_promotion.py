"""`mlops promote` and `mlops rollback`: who may, what follows, and what is refused."""

import shutil

import pytest
from support.template import git

MOVE_ALIAS = """
import sys
from mlflow import MlflowClient
client = MlflowClient("sqlite:///mlflow.db", "sqlite:///mlflow.db")
client.set_registered_model_alias("flight-delays", "champion", sys.argv[1])
print("null")
"""
SERVED = """
import json
import polars as pl
from mlops.project import load_project
from mlops.registry.models import find_model
from mlops.settings import load_settings
model = find_model(None, load_project(), load_settings())
frame = pl.read_parquet("data/test.parquet")
kept = pl.read_parquet(model.path.parent / "evaluation" / "predictions.parquet")
now = model.load().predict(frame)
print(json.dumps([model.version, "temp" in model.load().build_features(frame).columns,
                  now["probability_True"].equals(kept["probability_True"])]))
"""


def moves(entries):
    return [(entry["action"], entry["from"], entry["to"]) for entry in entries]


def test_rollback_goes_back_one_champion_at_a_time(project, log):
    done = project.mlops("promote", "1", "--approver", "Bo <bo@example.com>", "--reason", "Fewer complaints.")
    assert "Version 1 of flight-delays is the champion, after version 2; approved by Bo" in done.out
    assert project.champion == "1"
    project.mlops("rollback", "--reason", "More complaints.")
    assert project.champion == "2"
    project.mlops("rollback")
    assert project.champion == "1"
    told = project.refuses("rollback", code=1)
    assert "version 1 of flight-delays has no champion before it" in told
    entries = log(project)
    assert moves(entries) == [
        ("register", None, "1"),
        ("promote", None, "1"),
        ("register", "1", "2"),
        ("promote", "1", "2"),
        ("promote", "2", "1"),
        ("rollback", "1", "2"),
        ("rollback", "2", "1"),
    ]
    assert (entries[4]["approver"], entries[4]["reason"]) == ("Bo <bo@example.com>", "Fewer complaints.")
    assert (entries[5]["approver"], entries[5]["reason"]) == ("Ann Lee <ann@example.com>", "More complaints.")
    assert [entries[at]["approver"] for at in (1, 3)] == ["gate", "gate"]
    assert {entry["actor"] for entry in entries} == {"Ann Lee <ann@example.com>"}
    assert all(entry["commit"] and entry["time"] for entry in entries)
    assert "7 entries, each follows from the one before" in project.mlops("audit", "verify").out


def test_after_a_rollback_the_old_code_runs_with_the_old_weights_and_a_run_leaves_it_so(project):
    assert "temp" not in (project.path / "src/flight_delays/features.py").read_text(encoding="utf-8")
    assert project.script(SERVED) == ["2", False, True]
    project.mlops("rollback")
    assert project.script(SERVED) == ["1", True, True]
    assert "Nothing to do: flight-delays version 2" in project.mlops("run").out
    assert project.champion == "1"


def test_what_names_no_version_or_no_person_is_wrong_use(project, log):
    before = log(project)
    because = ("--reason", "Because.")
    assert "has no version 9" in project.refuses("promote", "9", *because, code=2)
    told = project.refuses("promote", "challenger", *because, code=2)
    assert "no version with the alias 'challenger'; it has champion" in told
    assert "this project's model is flight-delays" in project.refuses("promote", "other/1", *because, code=2)
    assert "--reason is empty" in project.refuses("promote", "1", "--reason", " ", code=2)
    assert "is nobody" in project.refuses("promote", "1", *because, "--approver", "gate", code=2)
    assert "characters too long" in project.refuses("promote", "1", "--reason", "x" * 9000, code=2)
    assert "--reason" in project.mlops("promote", "1", code=2).err
    assert "Nothing to do" in project.mlops("promote", "flight-delays@champion", *because).out
    assert (log(project), project.champion) == (before, "2")


def test_an_alias_moved_by_other_means_is_noticed_and_put_on_record(project, log):
    project.script(MOVE_ALIAS, "1")
    told = project.refuses("audit", "verify", code=1)
    assert "the champion is version 1, and the log leads to version 2" in told
    project.mlops("promote", "2", "--reason", "As it should be.")
    found, promoted = log(project)[-2:]
    assert (found["action"], found["from"], found["to"], found["actor"]) == ("found", "2", "1", "unknown")
    assert (promoted["action"], promoted["from"], promoted["to"]) == ("promote", "1", "2")
    project.mlops("audit", "verify")


@pytest.fixture
def regulated(project):
    project.edit("pyproject.toml", 'governance = "standard"', 'governance = "regulated"')
    project.set({"estimator.max_iter": 11})
    git("commit", "-q", "-a", "--no-verify", "-m", "Regulate", cwd=project.path)
    return project


def test_a_regulated_model_waits_for_someone_who_did_not_train_it(regulated, log):
    project, because = regulated, ("--reason", "Read the card.")
    told = " ".join(project.mlops("run").out.split())
    assert "someone else than Ann Lee <ann@example.com> has to approve" in told
    assert "mlops promote 3 --approver NAME --reason TEXT" in told
    assert (list(project.versions), project.champion) == (["1", "2", "3"], "2")
    assert "It is not the champion" in project.mlops("run").out
    for trainer in ((), ("--approver", "ann lee"), ("--approver", "A. Lee <ANN@example.com>")):
        assert "has trained version 3" in project.refuses("promote", "challenger", *because, *trainer, code=1)
    assert project.champion == "2"
    assert log(project)[-1]["action"] == "register"
    project.mlops("promote", "challenger", *because, "--approver", "Bo <bo@example.com>")
    assert project.champion == "3"
    assert "It is not the champion" not in project.mlops("run").out
    assert (log(project)[-1]["approver"], log(project)[-1]["governance"]) == ("Bo <bo@example.com>", "regulated")
    assert "no version with the alias 'challenger'" in project.refuses("promote", "challenger", *because, code=2)
    project.mlops("rollback", "--reason", "Complaints.", "--approver", "Ann Lee")
    assert (project.champion, log(project)[-1]["approver"]) == ("2", "Ann Lee")


def test_a_model_of_uncommitted_code_is_no_champion_outside_a_laptop(project):
    project.set({"estimator.max_iter": 11})
    told = " ".join(project.mlops("run", MLOPS_ENVIRONMENT="prod").out.split())
    assert "version 3 was trained with uncommitted changes" in told
    assert (list(project.versions), project.champion) == (["1", "2", "3"], "2")
    told = project.refuses("promote", "3", "--reason", "Now.", code=1, MLOPS_ENVIRONMENT="prod")
    assert "uncommitted changes" in told
    project.mlops("promote", "3", "--reason", "Here it may.")
    assert project.champion == "3"


def test_a_refused_model_passes_under_another_gate(project):
    project.set({"estimator.max_iter": 12, "gate.minimum": 0.99})
    assert project.mlops("run", code=1).err.count("gate.minimum is 0.99") == 1
    project.set({"gate.minimum": 0.5})
    project.mlops("run")
    assert (list(project.versions), project.champion) == (["1", "2", "3"], "3")
    assert [run["mlops.gate"] for run in project.runs[2:]] == ["refused", "passed"]


def test_a_project_without_a_registry_has_nothing_to_promote(project):
    (project.path / "mlflow.db").unlink()
    shutil.rmtree(project.path / "mlruns")
    assert "has no version 1" in project.refuses("promote", "1", "--reason", "Why not.", code=2)
    assert "has no champion, so there is nothing to roll back" in project.refuses("rollback", code=1)
    assert project.mlops("audit", "export").out == ""
