"""Two clouds at once: what taking over needs is brought to the second, which goes on when the first is gone."""

import json
import re

import pytest
from clouds.aws.conftest import aws
from clouds.aws.conftest import server as moto
from clouds.gcp.conftest import buckets, google, network, proxy, storage
from clouds.gcp.deploy.conftest import REPOSITORY, SETTINGS
from project.conftest import SMALL, made, rendered
from support import workspace as workspaces
from support.cloud_run import URL, CloudRun
from support.deployed import serving_tag
from support.environment import SCRIPTS, uv
from support.front import LOST as LOST_NETWORK
from support.front import front
from support.google import BUCKET, LOST
from support.google_images import Images
from support.managed_mlflow import SERVER, managed_mlflow, strict
from support.mlflow_server import mlflow_server
from support.questions import everything
from support.served import Containers
from support.template import ROOT, git
from support.vertex_endpoints import Endpoints

__all__ = ["aws", "buckets", "google", "made", "moto", "network", "proxy", "rendered", "storage"]
server = moto
PAGE = ROOT / "docs/how-to/fail-over.md"
BLOCK = re.compile(r"^```bash\n(.*?)^```$", re.MULTILINE | re.DOTALL)
FIRST, SECOND = "s3://first/dvc", f"gs://{BUCKET}/dvc"


@pytest.fixture
def project(made, rendered, tmp_path):
    """A small project for all clouds."""

    def fresh(folder):
        project = rendered(folder, **everything())
        project.edit_data("frame.gather_every(6)")
        project.edit("resources.yaml", "canary_minutes: 10", "canary_minutes: 0")
        small = {"estimator.max_iter": 10, "evaluate.slice_rows": 50, "gate.latency_ms": None}
        project.set({**small, **SMALL["classification"], "gate.minimum": 0.5, "gate.minimum_gain": -1})
        uv("lock", "-q", cwd=project.path, env=project.env, timeout=600)
        project.commit()
        return project, None

    return workspaces.copy(made("small-everything", fresh)[0], tmp_path / "project")


@pytest.fixture
def clouds(project, aws, google, storage, network, at_once, tmp_path):
    """Both clouds as the project's variables have them, each with a tracking server; AWS can be taken away."""
    aws.client("s3").create_bucket(Bucket="first")
    folders = [tmp_path / name for name in ("first", "second")]
    for folder in folders:
        folder.mkdir()
    env = {**project.env, **aws.env, **storage.env}
    second = mlflow_server(project.python, f"gs://{BUCKET}/mlflow", folders[1], env)
    first = managed_mlflow(project.python, "s3://first/mlflow", folders[0], env)
    with second as there, first as here, front(aws.url) as others:
        logins = {**google.env, **storage.at(network.url), **at_once, **aws.env}
        where = {"SAGEMAKER_MLFLOW_CUSTOM_ENDPOINT": here.url, "AWS_ENDPOINT_URL": others.url, "AWS_MAX_ATTEMPTS": "1"}
        project.env.update({name: str(value) for name, value in {**logins, **where}.items() if value is not None})
        CloudRun(google, there)
        yield Clouds(here, others)


class Clouds:
    """The variables of a project of which AWS or Google Cloud is the first."""

    def __init__(self, tracking, others):
        self._tracking, self._others = tracking, others
        self.aws = {
            "MLOPS_PLATFORM": "aws",
            "MLOPS_TRACKING_URI": SERVER,
            "MLOPS_DATA_REMOTE": FIRST,
            "MLOPS_GCP_TRACKING_URI": URL,
            "MLOPS_GCP_DATA_REMOTE": SECOND,
        }
        self.gcp = {
            "MLOPS_PLATFORM": "gcp",
            "MLOPS_TRACKING_URI": URL,
            "MLOPS_DATA_REMOTE": SECOND,
            "MLOPS_AWS_TRACKING_URI": SERVER,
            "MLOPS_AWS_DATA_REMOTE": FIRST,
        }

    def take_away(self, gone=True):
        """Has nothing of AWS answer any more, or all again."""
        self._tracking.rule = (lambda request: LOST_NETWORK) if gone else strict
        self._others.rule = (lambda request: LOST_NETWORK) if gone else (lambda request: None)


def entries(project, env):
    return [json.loads(line) for line in project.mlops("audit", "export", **env).out.splitlines()]


def changed(project, **values):
    project.set({f"estimator.{name}": value for name, value in values.items()})
    who = ["-c", "user.name=Tests", "-c", "user.email=tests@example.com"]
    git(*who, "commit", "-q", "-a", "--no-verify", "-m", "Another", cwd=project.path)


def test_a_champion_is_brought_once_and_a_cut_one_goes_on(project, clouds, google, storage, network):
    first, second = clouds.aws, clouds.gcp

    def replicate(*more, code=0):
        return project.mlops("replicate", "--on", "gcp", *more, code=code, **first)

    assert "has no champion, so there is nothing to replicate" in replicate(code=2).err
    project.mlops("run", **first)
    changed(project, max_iter=12)
    project.mlops("run", **first)

    network.lose(3, matching=lambda request: request.method == "POST")
    told = replicate(code=1).err
    assert f"the DVC remote {SECOND} cannot be pushed to" in told
    assert 0 < len(part := storage.stored("dvc/")) <= 3
    network.mend()

    def cut(route):
        google.rule = lambda asked: LOST if asked.method == "POST" and asked.path.endswith(route) else None
        assert f"{URL} failed" in replicate(code=1).err
        google.rule = lambda asked: None

    cut("runs/log-batch")
    network.lose(4, matching=lambda request: request.method == "POST" and b"mlflow/" in request.body[:1000])
    assert f"{URL} failed" in replicate(code=1).err
    network.mend()
    cut("registered-models/alias")
    assert part.items() <= (data := storage.stored("dvc/")).items()
    assert "Nothing to do" not in (done := replicate().out)
    assert f"version 2 of flight-delays is version 1 on {URL}, and its champion." in done
    assert storage.stored("dvc/") == data, "what had come was not brought again"
    before = storage.stored()
    assert "Nothing to do: version 2 of flight-delays is version 1" in replicate().out
    assert storage.stored() == before

    here = json.loads(project.mlops("lineage", "--json", **first).out)
    there = json.loads(project.mlops("lineage", "--json", **second).out)
    assert there["version"] == "1"
    for same in ("code", "data", "params", "template", "environment", "gate", "metrics"):
        assert there[same] == here[same], same
    assert there["run"]["trainer"] == here["run"]["trainer"]
    registered, promoted = entries(project, second)
    assert (registered["action"], promoted["action"], promoted["approver"]) == ("register", "promote", "gate")
    assert f"replicated from version 2 of {SERVER}" in promoted["reason"]
    assert "each follows from the one before" in project.mlops("audit", "verify", **second).out
    assert len([each for each in storage.stored("mlflow/") if each.endswith("/bundle.json")]) == 1, "one run"

    # The others come as well, and the champion stays; a rollback follows.
    assert "version 1 of flight-delays is version 2" in replicate("--all").out
    assert json.loads(project.mlops("lineage", "--json", **second).out)["version"] == "1"
    project.mlops("rollback", **first)
    assert f"version 1 of flight-delays is version 2 on {URL}, and its champion" in replicate().out
    assert entries(project, second)[-1]["to"] == "2"


def test_what_is_no_second_cloud_is_refused(project, clouds):
    def told(*on, **more):
        return project.refuses("replicate", "--on", *on, code=2, **{**clouds.aws, **more})

    assert "this project has aws, azure, gcp, kubeflow" in told("ibm")
    assert "this project has aws" in told("local")
    assert "MLOPS_AZURE_TRACKING_URI is not set: it is MLOPS_TRACKING_URI of what runs on azure" in told("azure")
    assert "which is where the champion is" in told("gcp", MLOPS_GCP_TRACKING_URI=SERVER)
    assert "MLOPS_GCP_DATA_REMOTE is" in told("gcp", MLOPS_GCP_DATA_REMOTE=f"{FIRST}/?region=eu-north-1")


def test_a_doctor_has_the_variables_of_a_second_cloud_under_names_of_their_own(project, clouds):
    def doctor(cloud):
        told = project.mlops("doctor", "--on", cloud, "--json", code=3, **clouds.aws, MLOPS_ENVIRONMENT="prod").out
        return {each["name"]: each["set"] for each in json.loads(told)["variables"]}

    first, second = doctor("aws"), doctor("gcp")
    assert "MLOPS_TRACKING_URI" in first
    assert "MLOPS_GCP_TRACKING_URI" not in first
    assert "MLOPS_TRACKING_URI" not in second
    assert f"gh variable set MLOPS_GCP_TRACKING_URI --env train --body {URL}" in second["MLOPS_GCP_TRACKING_URI"]
    table = project.mlops("doctor", "--on", "gcp", code=3, MLOPS_ENVIRONMENT="dev").out
    assert "gh variable set MLOPS_SECOND_PLATFORM --body gcp" in table
    assert '"$(terraform -chdir=infra/gcp/project output -raw mlops_data_remote)"' in table


@pytest.fixture
def endpoints(project, google, storage, tmp_path):
    """Endpoints of Vertex AI, and the serving image in Artifact Registry."""
    app = tmp_path / "image/src"
    app.mkdir(parents=True)
    (tmp_path / "containers").mkdir()
    (app / "mlops").symlink_to(project.path / "src/mlops")
    containers = Containers(tmp_path / "containers", project.path / ".venv" / SCRIPTS / "python", app)
    Images(google).push(REPOSITORY, serving_tag(project))
    yield Endpoints(google, storage, containers)
    containers.stop()


def test_the_page_from_one_cloud_to_the_other_and_back(project, clouds, endpoints):
    """Every command of the page; AWS is taken away where it says so."""
    for name, values in (("aws", clouds.aws), ("gcp", clouds.gcp)):
        text = "".join(f"{key}={value}\n" for key, value in {**values, **SETTINGS}.items())
        (project.path / f"{name}.env").write_text(text, encoding="utf-8")
    project.commit()
    printed = []
    for section in PAGE.read_text(encoding="utf-8").split("\n## ")[1:]:
        title = section.partition("\n")[0]
        if title == "Fail over":
            changed(project, max_iter=12)
            clouds.take_away()
        elif title == "Come back":
            clouds.take_away(False)
        for (text,) in (match.groups() for match in BLOCK.finditer(section)):
            printed += [(title, line, project.run("sh", "-ec", line).out) for line in text.splitlines()]
        project.commit()

    def said(title, verb):
        (found,) = [out for where, line, out in printed if where == title and f"mlops {verb}" in line]
        return found

    assert "version 1" in said("Train on one, serve on the other", "run")
    assert f"version 1 of flight-delays is version 1 on {URL}, and its champion" in said(
        "Keep the second ready", "replicate"
    )
    served = "serves version 1 of flight-delays"
    assert served in said("Train on one, serve on the other", "deploy")
    assert "flight-delays version 1" in said("Fail over", "lineage")
    assert served in said("Fail over", "deploy")
    assert "models/bundle and reports/evaluation are those of the run" in said("Fail over", "pull")
    assert (project.path / "reports/scores.parquet").is_file()
    assert f"is version 2 on {SERVER}, and its champion" in said("Come back", "replicate")
    assert "flight-delays version 2" in said("Come back", "lineage")
