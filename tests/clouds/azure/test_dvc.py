"""Data and models in a DVC remote on Azure: pushed, pulled, cleaned up; the config that is in git stays as it is."""

import json

import pytest
from support.azure import ACCOUNT, CONTAINER, NOBODY, REFUSALS
from support.front import LOST
from support.remotes import ask, forget

PLACE = f"azure://{CONTAINER}/dvc"
REMOTE = f"{PLACE}?account_name={ACCOUNT}"


@pytest.fixture
def project(small, storage):
    """A project that has run, with its remote in a container."""
    project = small(ran=True)
    ask(project, "use", REMOTE)
    return project


def test_push_pull_status_and_gc(project, storage):
    shared = (project.path / ".dvc/config").read_bytes()
    env = storage.env
    pushed = ask(project, "push", **env)
    assert pushed == len(storage.stored("dvc/")) > 5
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


def test_doctor_says_which_remote_belongs_to_the_environment(project, small, storage):
    fresh = small(ran=True)
    done = fresh.mlops("doctor", "--json", code=None, MLOPS_DATA_REMOTE=REMOTE)
    (finding,) = [each for each in json.loads(done.out)["findings"] if each["what"] == "DVC remote"]
    assert "MLOPS_DATA_REMOTE" in finding["found"]
    for command in finding["fix"].split(" && "):
        fresh.run(*command.split())
    done = fresh.mlops("doctor", "--json", code=None, MLOPS_DATA_REMOTE=REMOTE, **storage.env)
    (finding,) = [each for each in json.loads(done.out)["findings"] if each["what"] == "DVC remote"]
    assert finding == {"what": "DVC remote", "found": f"shared: {CONTAINER}/dvc/files/md5", "fix": None}
    assert (fresh.path / ".dvc/config.local").read_text() == (project.path / ".dvc/config.local").read_text()


def test_a_network_lost_in_the_middle_of_a_push(project, storage, network, at_once):
    env = {**storage.at(network.url), **at_once}
    network.lose(4, matching=lambda request: request.method == "PUT")
    assert PLACE in ask(project, "push", **env)
    part = storage.stored("dvc/")
    assert 0 < len(part) <= 4
    assert "data/raw.parquet" in project.outputs, "nothing is lost here"

    network.mend()
    rest = ask(project, "push", **env)
    assert len(storage.stored("dvc/")) == len(part) + rest
    assert part.items() <= storage.stored("dvc/").items()
    before = project.outputs
    forget(project)
    network.lose(3, matching=lambda request: request.method == "GET" and "comp=list" not in request.path)
    assert PLACE in ask(project, "pull", **env)
    network.mend()
    ask(project, "pull", **env)
    assert project.outputs == before


@pytest.mark.parametrize("reason", [*REFUSALS, "gone", "nobody"])
def test_what_the_storage_refuses_is_one_line(project, storage, network, at_once, reason):
    network.rule = REFUSALS.get(reason, lambda request: LOST if reason == "gone" else None)
    env = {**storage.at(network.url), **at_once, **(NOBODY if reason == "nobody" else {})}
    for doing in ("push", "pull"):
        if doing == "pull":
            forget(project)
        told = ask(project, doing, **env)
        assert told.startswith(f"the DVC remote {PLACE} cannot be {doing}ed"), told
        assert "\n" not in told
        assert "check network and login" in told
        assert reason != "nobody" or "retrieve a token" in told, "it knows whose storage it is"
    network.mend()
    ask(project, "use", "azure://missing/dvc")
    assert "azure://missing/dvc" in ask(project, "pull", **env)
