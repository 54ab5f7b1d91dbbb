"""Data and models in a DVC remote on S3: pushed, pulled, cleaned up; the config that is in git stays as it is."""

import json

import pytest
from project.conftest import made, rendered, small  # noqa: F401 - made the same way
from support.aws import NOBODY, REFUSALS
from support.front import LOST
from support.remotes import ask, forget

REMOTE = "s3://bucket/dvc"
ONCE = {"AWS_MAX_ATTEMPTS": "1"}


@pytest.fixture
def project(small, aws):  # noqa: F811
    """A project that has run, with its remote in a bucket of its own."""
    project = small(ran=True)
    aws.client("s3").create_bucket(Bucket="bucket")
    remote(project, aws.url, "use", REMOTE)
    return project


def remote(project, url, *what, **env):
    """What `mlops.remote` gives or says, with S3 at an address."""
    keys = {"AWS_ACCESS_KEY_ID": "testing", "AWS_SECRET_ACCESS_KEY": "testing", "AWS_REGION": "us-east-1"}
    return ask(project, *what, **{**keys, **ONCE, "AWS_ENDPOINT_URL": url, **env})


def stored(aws):
    found = aws.client("s3").list_objects_v2(Bucket="bucket").get("Contents", [])
    return {each["Key"]: each["ETag"] for each in found}


def test_push_pull_status_and_gc(project, aws):
    shared = (project.path / ".dvc/config").read_bytes()
    pushed = remote(project, aws.url, "push")
    assert pushed == len(stored(aws)) > 5
    assert remote(project, aws.url, "push") == 0
    env = {**aws.env, **ONCE}
    assert "in sync" in project.run("dvc", "status", "--cloud", **env).out
    before = project.outputs
    forget(project)
    assert remote(project, aws.url, "pull", ["ingest"]) == 1
    assert not (project.path / "models").exists()
    remote(project, aws.url, "pull")
    assert project.outputs == before
    assert "Nothing to do" in project.mlops("run").out

    project.set({"estimator.max_iter": 11})
    project.mlops("run", "train")
    remote(project, aws.url, "push", ["train"])
    assert len(stored(aws)) > pushed
    project.run("dvc", "gc", "--workspace", "--cloud", "--force", **env)
    kept = stored(aws)
    assert len(kept) <= pushed
    forget(project)
    remote(project, aws.url, "pull", ["train"])
    assert (project.path / "models/bundle/bundle.json").is_file(), "what is in use was kept"
    assert (project.path / ".dvc/config").read_bytes() == shared, "an update can renew it"


def test_doctor_says_which_remote_belongs_to_the_environment(project, small, aws):  # noqa: F811
    fresh = small(ran=True)
    done = fresh.mlops("doctor", "--json", code=None, MLOPS_DATA_REMOTE=REMOTE)
    (finding,) = [each for each in json.loads(done.out)["findings"] if each["what"] == "DVC remote"]
    assert "MLOPS_DATA_REMOTE" in finding["found"]
    fresh.run(*finding["fix"].split())
    done = fresh.mlops("doctor", "--json", code=None, MLOPS_DATA_REMOTE=REMOTE, **aws.env)
    (finding,) = [each for each in json.loads(done.out)["findings"] if each["what"] == "DVC remote"]
    assert finding == {"what": "DVC remote", "found": "shared: bucket/dvc/files/md5", "fix": None}
    assert (fresh.path / ".dvc/config.local").read_text() == (project.path / ".dvc/config.local").read_text()


def test_a_network_lost_in_the_middle_of_a_push(project, aws, network):
    network.lose(4, matching=lambda request: request.method == "PUT")
    told = remote(project, network.url, "push")
    assert REMOTE in told
    assert "closed" in told
    part = stored(aws)
    assert 0 < len(part) <= 4
    assert "data/raw.parquet" in project.outputs, "nothing is lost here"

    network.mend()
    rest = remote(project, network.url, "push")
    assert len(stored(aws)) == len(part) + rest
    assert part.items() <= stored(aws).items()
    before = project.outputs
    forget(project)
    network.lose(3, matching=lambda request: request.method == "GET" and "list-type" not in request.path)
    assert REMOTE in remote(project, network.url, "pull")
    network.mend()
    remote(project, network.url, "pull")
    assert project.outputs == before


@pytest.mark.parametrize("reason", [*REFUSALS, "gone", "nobody"])
def test_what_s3_refuses_is_one_line(project, network, reason):
    network.rule = REFUSALS.get(reason, lambda request: LOST if reason == "gone" else None)
    env = NOBODY if reason == "nobody" else {}
    for doing in ("push", "pull"):
        if doing == "pull":
            forget(project)
        told = remote(project, network.url, doing, **env)
        assert told.startswith(f"the DVC remote {REMOTE} cannot be {doing}ed"), told
        assert "\n" not in told
        assert "check network and login" in told
    network.mend()
    remote(project, network.url, "use", "s3://missing/dvc")
    assert "s3://missing/dvc" in remote(project, network.url, "pull")
