"""A second run does nothing; what changed, and only that, is done again; no model is registered twice."""

import shutil
from pathlib import Path

import pytest
from support import workspace as workspaces
from support.environment import adopt

READBACK = Path(__file__).with_name("readback.py").read_text(encoding="utf-8")


def ran(done):
    """The stages that a run says it has run or brought back, in order."""
    return [line.split()[1] for line in done.out.splitlines() if line.startswith("✓")]


def test_a_second_run_does_nothing_and_does_not_import_mlflow(small):
    project = small(ran=True)
    before, lock = project.outputs, project.lock
    done = project.mlops("run", PYTHONPROFILEIMPORTTIME="1")
    assert "Nothing to do: flight-delays version 1" in done.out
    imported = {line.rpartition("|")[2].strip() for line in done.err.splitlines() if line.startswith("import time:")}
    assert "mlops.run" in imported
    assert not [name for name in imported if name.partition(".")[0] in ("mlflow", "sklearn", "matplotlib")]
    assert (project.outputs, project.lock, len(project.runs)) == (before, lock, 1)


def test_importing_the_user_s_code_changes_nothing_that_dvc_watches(small):
    project = small(ran=True)
    project.run(project.python, "-c", "import flight_delays.dataset, flight_delays.features, flight_delays.estimator")
    assert (project.path / "src/flight_delays/__pycache__").is_dir()
    assert "Nothing to do" in project.mlops("run").out


def test_without_its_registry_a_project_registers_anew(small):
    project = small(ran=True)
    lock = project.lock
    (project.path / "mlflow.db").unlink()
    shutil.rmtree(project.path / "mlruns")
    done = project.mlops("run")
    assert "flight-delays version 1" in done.out
    assert "train" not in ran(done)
    assert (list(project.versions), project.champion, len(project.runs)) == (["1"], "1", 1)
    assert project.lock == lock
    assert "Nothing to do" in project.mlops("run").out


def test_a_clone_with_the_remote_s_data_registers_anew_without_training(small):
    project = small(ran=True)
    project.run("dvc", "push", "-q")
    project.commit()
    clone = workspaces.copy(project, project.path.with_name("clone"))
    for name in ("mlflow.db", "mlruns", ".mlops", "models", "reports", "data/raw.parquet", ".dvc/cache"):
        path = clone.path / name
        shutil.rmtree(path) if path.is_dir() else path.unlink()
    clone.run("git", "checkout", "-q", "--", "reports")
    clone.run("dvc", "pull", "-q")
    done = clone.mlops("run")
    assert "train" not in ran(done)
    assert (list(clone.versions), clone.champion) == (["1"], "1")
    assert clone.lock == project.lock


def test_a_parameter_changed_and_changed_back_registers_no_model_twice(small):
    project = small(ran=True)
    lock, first = project.lock, project.versions
    project.set({"estimator.max_iter": 20, "gate.minimum_gain": -1.0})
    assert ran(project.mlops("run")) == ["train", "evaluate", "register"]
    assert (list(project.versions), project.champion) == (["1", "2"], "2")
    changed = project.versions

    project.set({"estimator.max_iter": 10, "gate.minimum_gain": 0.0})
    done = project.mlops("run")
    assert "as it was when these inputs were last seen" in done.out
    assert "flight-delays version 1" in done.out
    assert "Registered as version 1" in (project.path / "reports/index.html").read_text(encoding="utf-8")
    assert project.lock == lock
    assert (project.versions, len(project.runs)) == (changed, 2)
    assert project.versions["1"] == first["1"]
    # Seeing an old model again is no reason to take the champion's alias from a better one.
    assert project.champion == "2"

    # Without its receipts too: then the run is found in MLflow.
    shutil.rmtree(project.path / ".mlops" / "receipts")
    assert "flight-delays version 1" in project.mlops("run").out
    assert (project.versions, project.champion, len(project.runs)) == (changed, "2", 2)


def test_a_moved_project_runs_nothing_and_finds_its_models(small):
    project = small(ran=True)
    elsewhere = project.path.with_name("else where é")
    project.path.rename(elsewhere)
    moved = workspaces.Workspace(
        elsewhere, {k: v.replace(str(project.path), str(elsewhere)) for k, v in project.env.items()}
    )
    adopt(elsewhere, project.path)
    done = moved.mlops("run")
    assert "Nothing to do: flight-delays version 1" in done.out
    moved.set({"estimator.max_iter": 20, "gate.minimum_gain": -1.0})
    moved.mlops("run")  # which loads the champion to compare with it
    found = moved.script(READBACK, "flight-delays", 50)
    assert found["aliases"] == {"champion": "2"}
    assert all(found["equal"].values())
    assert "evaluation/evaluation.json" in found["artifacts"]


@pytest.mark.parametrize(
    ("change", "stages"),
    [
        ({"gate.minimum": 0.55}, ["register"]),
        ({"evaluate.slice_rows": 80}, ["evaluate", "register"]),
        ({"estimator.learning_rate": 0.06, "gate.minimum_gain": -1.0}, ["train", "evaluate", "register"]),
        ({"split.test": 0.3, "gate.minimum_gain": -1.0}, ["split", "train", "evaluate", "register"]),
    ],
    ids=lambda value: "-".join(value) if isinstance(value, dict) else "",
)
def test_a_changed_parameter_reruns_what_depends_on_it_and_nothing_else(small, change, stages):
    project = small(ran=True)
    project.set(change)
    done = project.mlops("run")
    if stages == ["register"]:
        # The gate's bounds judge; a model that is champion already is not judged again.
        assert "Nothing to do: flight-delays version 1" in done.out
        assert ran(done) == []
    else:
        assert ran(done) == stages
    assert project.champion == ("1" if stages == ["register"] else "2")


def test_changed_data_run_everything_and_the_same_data_elsewhere_run_only_ingest(small):
    project = small(ran=True)
    (project.path / "data/other").mkdir()
    shutil.copy(project.path / workspaces.SAMPLE, project.path / "data/other/same.parquet")
    project.set({"data.source": "data/other/same.parquet"})
    assert ran(project.mlops("run")) == ["ingest", "register"]
    assert (project.champion, len(project.runs)) == ("1", 1)
    project.edit_data(
        "frame.head(len(frame) - 400)", source="data/other/same.parquet", target="data/other/same.parquet"
    )
    project.set({"gate.minimum_gain": -1.0})
    assert ran(project.mlops("run")) == ["ingest", "validate", "split", "train", "evaluate", "register"]


def test_a_target_brings_only_what_it_needs_up_to_date(small):
    project = small()
    assert ran(project.mlops("run", "split")) == ["ingest", "validate", "split"]
    assert project.runs == []
    assert ran(project.mlops("run", "split", "--force")) == ["ingest", "validate", "split"]
