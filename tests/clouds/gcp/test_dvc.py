"""Data and models in a DVC remote on Google Cloud: pushed, pulled, cleaned up; the config in git stays as it is."""

import json

import pytest
from support.front import LOST
from support.google import BUCKET, NOBODY
from support.google_storage import REFUSALS, strangers
from support.remotes import ask, forget

REMOTE = f"gs://{BUCKET}/dvc"


@pytest.fixture
def project(small, storage):
    """A project that has run, with its remote in a bucket."""
    project = small(ran=True)
    ask(project, "use", REMOTE)
    return project


def test_push_pull_status_and_gc(project, google, storage):
    shared = (project.path / ".dvc/config").read_bytes()
    env = {**google.env, **storage.env}
    pushed = ask(project, "push", **env)
    assert pushed == len(storage.stored("dvc/")) > 5
    assert google.requests("POST", "oauth2.googleapis.com/token"), "it asks as whoever is logged in"
    assert ask(project, "push", **env) == 0
    assert "in sync" in project.run("dvc", "status", "--cloud", **env).out
    before = project.outputs
    forget(project)
    assert ask(project, "pull", ["ingest"], **env) == 1
    assert not (project.path / "models").exists()
    ask(project, "pull", **env)
    assert project.outputs == before
    assert "Nothing to do" in project.mlops("run").out

    project.set({"estimator.max_iter": 11})
    project.mlops("run", "train")
    ask(project, "push", ["train"], **env)
    assert len(storage.stored("dvc/")) > pushed
    project.run("dvc", "gc", "--workspace", "--cloud", "--force", **env)
    assert len(storage.stored("dvc/")) <= pushed
    forget(project)
    ask(project, "pull", ["train"], **env)
    assert (project.path / "models/bundle/bundle.json").is_file(), "what is in use was kept"
    assert (project.path / ".dvc/config").read_bytes() == shared, "an update can renew it"


def test_doctor_says_which_remote_belongs_to_the_environment(project, small, google, storage):
    fresh, env = small(ran=True), {"MLOPS_DATA_REMOTE": REMOTE, **google.env, **storage.env}
    done = fresh.mlops("doctor", "--json", code=None, **env)
    (finding,) = [each for each in json.loads(done.out)["findings"] if each["what"] == "DVC remote"]
    assert "MLOPS_DATA_REMOTE" in finding["found"]
    fresh.run(*finding["fix"].split())
    done = fresh.mlops("doctor", "--json", code=None, **env)
    (finding,) = [each for each in json.loads(done.out)["findings"] if each["what"] == "DVC remote"]
    assert finding == {"what": "DVC remote", "found": f"shared: {BUCKET}/dvc/files/md5", "fix": None}
    assert (fresh.path / ".dvc/config.local").read_text() == (project.path / ".dvc/config.local").read_text()


def test_a_network_lost_in_the_middle_of_a_push(project, google, storage, network, at_once):
    env = {**google.env, **storage.at(network.url), **at_once}
    network.lose(4, matching=lambda request: request.method == "POST")
    assert REMOTE in ask(project, "push", **env)
    part = storage.stored("dvc/")
    assert 0 < len(part) <= 4
    assert "data/raw.parquet" in project.outputs, "nothing is lost here"

    network.mend()
    rest = ask(project, "push", **env)
    assert len(storage.stored("dvc/")) == len(part) + rest
    assert part.items() <= storage.stored("dvc/").items()
    before = project.outputs
    forget(project)
    network.lose(3, matching=lambda request: "alt=media" in request.path)
    assert REMOTE in ask(project, "pull", **env)
    network.mend()
    ask(project, "pull", **env)
    assert project.outputs == before


@pytest.mark.parametrize("reason", [*REFUSALS, "gone", "nobody"])
def test_what_the_storage_refuses_is_one_line(project, google, storage, network, at_once, reason):
    network.rule = {**REFUSALS, "gone": lambda request: LOST, "nobody": strangers}[reason]
    env = {**google.env, **storage.at(network.url), **at_once, **(NOBODY if reason == "nobody" else {})}
    for doing in ("push", "pull"):
        if doing == "pull":
            forget(project)
        told = ask(project, doing, **env)
        assert told.startswith(f"the DVC remote {REMOTE} cannot be {doing}ed"), told
        assert "\n" not in told
        assert "check network and login" in told
    network.mend()
    ask(project, "use", "gs://missing/dvc")
    assert "gs://missing/dvc" in ask(project, "pull", **env)
