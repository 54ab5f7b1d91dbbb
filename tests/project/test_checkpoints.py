"""A training that is taken away in the middle: boosters go on where they were, others begin again."""

import json
import os
import shutil
import signal
import subprocess
import time

import pytest

MANY = {"n_estimators": 600, "learning_rate": 0.03}
BUSY = "\n\nopen('busy', 'w').close()\n"


@pytest.fixture(params=["xgboost", "lightgbm"])
def booster(request, rendered, tmp_path):
    """A project that is ready to train many rounds."""
    project = rendered(tmp_path / "project", framework=request.param)
    project.edit_data("frame.gather_every(12)")
    project.set({f"estimator.{name}": value for name, value in MANY.items()})
    project.mlops("run", "split")
    return project


def interrupted(project, seen, signal_number, **env):
    """Starts to train, and ends it by a signal once `seen()` is true."""
    process = subprocess.Popen(
        ["mlops", "stage", "train"],
        executable=project.python.with_name("mlops"),
        cwd=project.path,
        env={**project.env, **{name: str(value) for name, value in env.items()}},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )
    deadline = time.monotonic() + 240
    while not seen():
        assert process.poll() is None, process.communicate()
        assert time.monotonic() < deadline
        time.sleep(0.005)
    os.killpg(process.pid, signal_number)
    process.communicate(timeout=60)
    assert process.returncode == -signal_number
    assert not (project.path / "models/bundle").exists(), "nothing half-trained is kept"


def bundle(project):
    """The bytes of each file of the bundle, which is taken away."""
    folder = project.path / "models/bundle"
    found = {file.name: file.read_bytes() for file in folder.rglob("*") if file.is_file()}
    project.mlops("stage", "evaluate")
    shutil.rmtree(folder)
    evaluation = json.loads((project.path / "reports/evaluation/evaluation.json").read_text(encoding="utf-8"))
    return found, evaluation["metrics"]


def test_a_booster_goes_on_from_its_checkpoint(booster, tmp_path):
    def train(**env):
        done = booster.mlops("stage", "train", **env)
        return done, *bundle(booster)

    checkpoints = tmp_path / "checkpoints"
    done, plain, metrics = train()
    assert "goes on" not in done.err

    for number in (signal.SIGTERM, signal.SIGKILL):
        interrupted(booster, lambda: any(checkpoints.glob("[!.]*")), number, MLOPS_CHECKPOINTS=checkpoints)
        (kept,) = checkpoints.glob("[!.]*")
        done, _, resumed = train(MLOPS_CHECKPOINTS=checkpoints)
        before, _, total = done.err.split("goes on from round ")[1].strip().partition(" of ")
        assert 0 < int(before) < int(total) == MANY["n_estimators"]
        assert resumed == pytest.approx(metrics, abs=0.005)
        assert not kept.exists(), "what is done needs no checkpoint"

    # Not interrupted, and with what belongs to another training beside it: the same bytes as without checkpoints.
    interrupted(booster, lambda: any(checkpoints.glob("[!.]*")), signal.SIGKILL, MLOPS_CHECKPOINTS=checkpoints)
    booster.set({"estimator.max_depth": 3})
    _, plain, _ = train()
    done, files, _ = train(MLOPS_CHECKPOINTS=checkpoints)
    assert "goes on" not in done.err
    assert files == plain
    (other,) = checkpoints.glob("[!.]*")

    # Nor does one that cannot be read stand in the way.
    booster.set({"estimator.max_depth": None})
    other.write_bytes(b"torn")
    done, files, again = train(MLOPS_CHECKPOINTS=checkpoints)
    assert "goes on" not in done.err
    assert again == metrics


def test_another_estimator_begins_again_and_gives_the_same(small, tmp_path):
    project = small()
    features = project.path / "src/flight_delays/features.py"
    features.write_text(features.read_text(encoding="utf-8") + BUSY, encoding="utf-8")
    project.set({"estimator.max_iter": 60})
    project.mlops("run", "split")
    project.mlops("stage", "train")
    expected, _ = bundle(project)
    busy = project.path / "busy"
    busy.unlink()
    interrupted(project, busy.exists, signal.SIGTERM, MLOPS_CHECKPOINTS=tmp_path / "checkpoints")
    project.mlops("stage", "train", MLOPS_CHECKPOINTS=tmp_path / "checkpoints")
    assert bundle(project)[0] == expected


def test_an_estimator_py_of_before_trains_as_it_did(rendered, tmp_path):
    project = rendered(tmp_path / "project", framework="xgboost")
    project.edit_data("frame.gather_every(12)")
    project.mlops("run", "train")
    expected, _ = bundle(project)
    project.edit("PACKAGE/estimator.py", "\nfrom mlops.checkpoint import resumable\n", "")
    path = project.path / "src/flight_delays/estimator.py"
    text = path.read_text(encoding="utf-8")
    path.write_text(text.replace("resumable(", "("), encoding="utf-8")
    project.mlops("stage", "train", MLOPS_CHECKPOINTS=tmp_path / "checkpoints")
    found, _ = bundle(project)
    assert found["estimator.joblib"] == expected["estimator.joblib"]
    assert not (tmp_path / "checkpoints").exists()
