"""`mlops reproduce`: a version made again and compared, in a worktree that leaves no trace."""

import json
import shutil
import signal
import subprocess
import time

import pytest
from support.template import git


@pytest.fixture
def untouched(project):
    """After the test the project's files, worktrees and registry are as they were before it."""

    def state():
        tags = [(version, sorted(run)) for version, run in project.versions.items()]
        return (
            git("worktree", "list", cwd=project.path),
            git("status", "--porcelain", cwd=project.path),
            tags,
            project.lock,
        )

    before = state()
    yield project
    assert state() == before
    assert not (project.path / ".mlops/reproduce").exists()


def verdicts(done):
    return {each["what"]: each["same"] for each in json.loads(done.out)["comparisons"]}


def test_a_version_is_made_again_in_the_environment_of_its_lock(untouched):
    """Version 1, of code that has changed since, in an environment that uv makes anew."""
    done = untouched.mlops("reproduce", "1", timeout=900)
    assert "Version 1 is what its commit, its parameters and its data give." in done.out
    assert "reads the source again" not in done.out


def test_without_dvcs_data_the_source_is_read_again(untouched):
    for folder in (".dvc/cache", ".dvc-remote"):
        shutil.rmtree(untouched.path / folder, ignore_errors=True)
    done = untouched.mlops("reproduce", "1", "--here", "--json")
    assert set(verdicts(done).values()) <= {True, None}
    assert "reads the source again" in done.err


def test_what_was_not_committed_is_brought_back(project):
    """A changed file, a new one with bytes that are no text, in a repository that is larger than the project."""
    project.edit(
        "PACKAGE/features.py", "day_of_week=departure.dt.weekday(),", "day_of_week=departure.dt.weekday() % 7,"
    )
    (project.path / "src/flight_delays/lätin.py").write_bytes(
        "# größer\n".encode("latin-1").replace(b"# ", b"# -*- coding: latin-1 -*-\n# ")
    )
    project.mlops("run")
    assert json.loads(project.mlops("lineage", "3", "--json").out)["code"]["uncommitted_changes"]
    git("checkout", "-q", "--", "src", cwd=project.path)
    (project.path / "src/flight_delays/lätin.py").unlink()
    done = project.mlops("reproduce", "3", "--here", "--json")
    assert set(verdicts(done).values()) <= {True, None}


def test_what_was_altered_is_named(untouched):
    (artifacts,) = (untouched.path / "mlruns").glob(f"*/{untouched.versions['1']}/artifacts")
    code = artifacts / "model/code/flight_delays/features.py"
    code.write_text(code.read_text(encoding="utf-8") + "\n# altered\n", encoding="utf-8")
    evaluation = artifacts / "evaluation/evaluation.json"
    content = json.loads(evaluation.read_text(encoding="utf-8"))
    evaluation.write_text(json.dumps(content | {"test_sha256": "0" * 64}), encoding="utf-8")
    params = artifacts / "source/params.yaml"
    params.write_text(params.read_text(encoding="utf-8").replace("max_iter: 10", "max_iter: 13"), encoding="utf-8")
    done = untouched.mlops("reproduce", "1", "--here", "--json", code=1)
    said = verdicts(done)
    assert {what for what, same in said.items() if same is False} >= {
        *("artifacts", "test set", "params", "params.yaml", "code", "metrics", "predictions", "bundle"),
    }
    assert (said["data"], said["training set"]) == (True, True)
    assert "estimator.max_iter 10 then, 13 now" in done.err
    assert "version 1 is not what its commit and its data give" in done.err


def test_a_killed_one_is_cleared_away_by_the_next(project):
    process = subprocess.Popen(
        ["mlops", "reproduce", "1", "--here"],
        cwd=project.path,
        env=project.env,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    )
    tree = project.path / ".mlops/reproduce/tree/.dvc/config.local"
    deadline = time.monotonic() + 120
    while not tree.exists():
        assert process.poll() is None
        assert time.monotonic() < deadline
        time.sleep(0.05)
    told = project.refuses("reproduce", "1", "--here", code=1)
    assert "is being reproduced in this project already" in told
    process.send_signal(signal.SIGKILL)
    process.wait()
    assert "is not in this repository" not in project.mlops("reproduce", "1", "--here").out
    assert len(git("worktree", "list", cwd=project.path).splitlines()) == 1


def test_a_commit_that_is_not_there_is_said(project):
    project.script(
        "from mlflow import MlflowClient\n"
        "client = MlflowClient('sqlite:///mlflow.db', 'sqlite:///mlflow.db')\n"
        "run = client.get_model_version('flight-delays', '1').run_id\n"
        "client.set_tag(run, 'mlops.commit', '0' * 40)\nprint('null')\n"
    )
    assert "0000 of version 1 is not in this repository; fetch it" in project.refuses("reproduce", "1", code=1)
