"""Runs, registry and artifacts on MLflow behind Cloud Run, which lets in who brings an identity token."""

import json
import re
from urllib.parse import parse_qs, urlsplit

import pytest
from clouds.tracked import from_first_to_last
from project.conftest import SMALL, rendered  # noqa: F401 - made the same way
from support.cloud_run import GCLOUD, HOST, PERSON, URL, CloudRun
from support.environment import uv
from support.front import Reply, front
from support.google import ACCOUNT, BUCKET, LOST, NOBODY, PROJECT, Said
from support.google_storage import REFUSALS
from support.mlflow_server import mlflow_server

WITHOUT = """
import sys
sys.modules.update(dict.fromkeys(["gcsfs", "google.api_core"]))  # which makes importing them fail
"""
EMPTY = "flight-delays has no champion"
WORKFLOW = {
    "type": "external_account",
    "audience": "//iam.googleapis.com/projects/1/locations/global/workloadIdentityPools/github/providers/github",
    "subject_token_type": "urn:ietf:params:oauth:token-type:jwt",
    "token_url": "https://sts.googleapis.com/v1/token",
    "service_account_impersonation_url": "https://iamcredentials.googleapis.com/v1/projects/-/serviceAccounts/"
    f"{ACCOUNT}:generateAccessToken",
}


@pytest.fixture(scope="module")
def project(rendered, tmp_path_factory):  # noqa: F811
    """A small project with Google Cloud."""
    project = rendered(tmp_path_factory.mktemp("tracking") / "project", clouds=["gcp"])
    project.edit_data("frame.gather_every(6)")
    small = {"estimator.max_iter": 10, "evaluate.slice_rows": 50, "gate.latency_ms": None}
    project.set({**small, **SMALL["classification"], "gate.minimum": 0.5, "gate.minimum_gain": -1})
    uv("lock", "-q", cwd=project.path, env=project.env, timeout=600)
    project.commit()
    return project


@pytest.fixture(scope="module")
def empty(project, tmp_path_factory):
    """The address of an MLflow server with nothing in it."""
    with mlflow_server(project.python, f"gs://{BUCKET}/mlflow", tmp_path_factory.mktemp("mlflow"), project.env) as url:
        yield url


@pytest.fixture
def server(google, empty):
    return CloudRun(google, empty)


def test_a_project_on_cloud_run(project, google, storage, network, at_once, tmp_path):
    with mlflow_server(project.python, f"gs://{BUCKET}/mlflow", tmp_path, project.env) as url:
        server = CloudRun(google, url)

        def mlops(*arguments, code=0, **more):
            env = {**server.env, **storage.at(network.url), **at_once}
            return project.mlops(*arguments, code=code, **{**env, **more})

        def failed(*arguments):
            *_, told = mlops(*arguments, code=1).err.strip().splitlines()
            assert URL in told
            assert told.endswith("run again to go on")
            return told

        left = iter(range(12))
        google.rule = lambda asked: LOST if asked.host == HOST and next(left, None) is None else None
        failed("run")
        google.rule = lambda asked: None
        network.lose(4, matching=lambda request: request.method == "POST")
        failed("run")
        network.rule = REFUSALS["denied"]
        assert "does not have storage.objects.get access" in failed("run")
        network.mend()
        from_first_to_last(project, mlops, tmp_path)
        found = json.loads(mlops("doctor", "--json", code=None).out)["findings"]
        assert {"what": "tracking store", "found": URL, "fix": None} in found
        assert set(server.asked) == {URL}, "each request has a token that is for the server"

    assert any(name.endswith("/model/bundle.json") for name in storage.stored("mlflow/"))
    assert not (project.path / "mlflow.db").exists()
    assert not (project.path / "mlruns").exists()


def test_a_workflow_has_a_token_by_its_service_account(project, google, server, tmp_path):
    """As google-github-actions/auth leaves a login: for a service account, by GitHub's token."""
    login, subject = tmp_path / "login.json", tmp_path / "token"
    subject.write_text("of GitHub", encoding="utf-8")
    login.write_text(json.dumps({**WORKFLOW, "credential_source": {"file": str(subject)}}), encoding="utf-8")
    given = []

    def exchange(asked, match):
        assert b"of+GitHub" in asked.body
        kind = "urn:ietf:params:oauth:token-type:access_token"
        return Said(
            body={"access_token": "federated", "issued_token_type": kind, "token_type": "Bearer", "expires_in": 99}
        )

    def generate(asked, match):
        given.append((asked.headers["Authorization"], match[1], asked.body["audience"], asked.body["includeEmail"]))
        return Said(body={"token": google.identity(asked.body["audience"])})

    google.route("POST", r"sts\.googleapis\.com", "/v1/token", exchange, login=False)
    own = r"/v1/projects/-/serviceAccounts/([^/:]+):generateIdToken"
    google.route("POST", r"iamcredentials\.googleapis\.com", own, generate, login=False)
    env = {**server.env, "GOOGLE_APPLICATION_CREDENTIALS": login}
    assert EMPTY in project.refuses("rollback", code=1, **env)
    assert given == [("Bearer federated", ACCOUNT, URL, True)], "asked for once, as the workflow itself"
    assert set(server.asked) == {URL}

    own = {name: value for name, value in WORKFLOW.items() if "impersonation" not in name}
    login.write_text(json.dumps({**own, "credential_source": {"file": str(subject)}}), encoding="utf-8")
    assert "the login is no service account's" in project.refuses("rollback", code=1, **env)


def test_a_job_has_a_token_of_its_service_account(project, google, server):
    """As the metadata server of the machine gives it, which is asked by HTTP."""

    def metadata(request):
        where = urlsplit(request.path)
        name = where.path.rpartition("/")[2]
        kind = "application/json" if where.path.endswith("/default/") else "text/html"
        said = {"": json.dumps({"email": ACCOUNT, "aliases": ["default"], "scopes": []}), "project-id": PROJECT}
        if name == "identity":
            said[name] = google.identity(*parse_qs(where.query)["audience"])
        return Reply(200 if name in said else 404, said.get(name, "").encode(), kind, {"metadata-flavor": "Google"})

    with front("http://127.0.0.1:9") as shown:
        shown.rule = metadata
        place = {"GCE_METADATA_HOST": shown.url.removeprefix("http://"), "GCE_METADATA_IP": shown.url[7:]}
        env = {**server.env, **NOBODY, "NO_GCE_CHECK": None, **place}
        assert EMPTY in project.refuses("rollback", code=1, **env)
        asked = [each.path for each in shown.asked if "/identity" in each.path]
    assert len(asked) == 1
    assert set(server.asked) == {URL}


def test_a_person_has_a_token_of_gcloud(project, google, server, tmp_path):
    login = tmp_path / "login.json"
    login.write_text(json.dumps(PERSON), encoding="utf-8")

    def refresh(asked, match):
        assert b"refresh_token" in asked.body
        assert b"scope" not in asked.body, "it has those that the login had"
        return Said(body={"access_token": "person", "expires_in": 3599, "id_token": google.identity(GCLOUD)})

    google.route("POST", r"oauth2\.googleapis\.com", "/token", refresh, login=False)
    assert EMPTY in project.refuses("rollback", code=1, **{**server.env, "GOOGLE_APPLICATION_CREDENTIALS": login})
    assert set(server.asked) == {GCLOUD}


def test_a_token_is_renewed_before_it_expires(project, google, server):
    made, identity = [], google.identity

    def soon(audience):
        made.append(audience)
        return identity(audience, 200)

    google.identity = soon
    try:
        assert EMPTY in project.refuses("rollback", code=1, **server.env)
    finally:
        google.identity = identity
    assert len(made) == len(server.asked) > 1


def test_what_cloud_run_refuses_is_one_line(project, google, server, monkeypatch):
    def told(code=1, **env):
        line = project.refuses("rollback", code=code, **{**server.env, **env})
        assert URL in line
        assert "html" not in line
        return line

    identity = google.identity
    monkeypatch.setattr(google, "identity", lambda audience: identity(audience, -60))
    expired = told()
    assert "Cloud Run does not take the identity token (401: The access token could not be verified)" in expired
    assert "log in anew" in expired
    monkeypatch.setattr(google, "identity", lambda audience: identity("https://elsewhere-2x4c6v8b-uc.a.run.app"))
    assert "does not take the identity token" in told()
    monkeypatch.undo()
    server.callers = False
    assert "(403); it needs roles/run.invoker" in told()
    server.callers = True
    assert "there are no credentials of Google Cloud" in told(**NOBODY)
    google.rule = lambda asked: LOST if asked.host == HOST else None
    assert "does not answer" in told()


def test_a_token_goes_to_the_tracking_server_alone(project, google, empty):
    other = CloudRun(google, empty, host="mlflow.example.com")
    assert "401" in project.refuses("rollback", code=1, **other.env)
    assert not google.requests("POST", "oauth2.googleapis.com"), "a server elsewhere is asked as by anybody"
    # An own domain before Cloud Run.
    assert EMPTY in project.refuses("rollback", code=1, **other.env, MLFLOW_TRACKING_AUTH="gcp")
    assert other.asked[-1] == "https://mlflow.example.com"

    google.route(
        "GET", re.escape(HOST), r"/.*", lambda asked, match: Said(307, b"", {"location": "https://a.run.app/"})
    )
    google.route(
        "POST", re.escape(HOST), r"/.*", lambda asked, match: Said(307, b"", {"location": "https://a.run.app/"})
    )
    project.refuses("rollback", code=1, **google.env, MLOPS_TRACKING_URI=URL)
    sent = [each for each in google.asked if each.host == "a.run.app"]
    assert sent
    assert not any("Authorization" in each.headers for each in sent), "nor where the server sends it"


def test_without_the_extra_it_says_how_to_get_it(project, tmp_path):
    (tmp_path / "sitecustomize.py").write_text(WITHOUT, encoding="utf-8")
    told = project.refuses("rollback", code=2, MLOPS_TRACKING_URI=URL, PYTHONPATH=tmp_path)
    assert URL in told
    assert told.endswith("uv sync --extra gcp")
    project.set({"data.source": f"gs://{BUCKET}/flights.parquet"})
    told = project.refuses("run", code=2, PYTHONPATH=tmp_path)
    assert told.endswith("uv sync --extra gcp")
    project.set({"data.source": "data/sample/flights.parquet"})
