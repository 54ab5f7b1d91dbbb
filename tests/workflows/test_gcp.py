"""Where workflows differ on Google Cloud: run with act, they log in by a token of GitHub's and leave nothing of it."""

import json

import pytest
from clouds.gcp.conftest import buckets, google, proxy, storage  # noqa: F401 - the same cloud
from clouds.gcp.deploy.conftest import SETTINGS, clouded, containers, endpoints, tag  # noqa: F401 - and project
from loop.conftest import half_year, loop  # noqa: F401 - the same project
from registry.conftest import original  # noqa: F401 - which is made there
from support import deployed
from support import workspace as workspaces
from support.google_images import Images
from workflows.conftest import GOOGLE, GOOGLE_LOGIN

HOST = "us-central1-docker.pkg.dev"
REPOSITORY = f"{HOST}/flights-dev/flight-delays"
LOOK = """
name: Look
on: workflow_dispatch
jobs:
  look:
    runs-on: ubuntu-latest
    steps:
      - uses: actions/checkout@3d3c42e5aac5ba805825da76410c181273ba90b1 # v7.0.1
      - uses: ./.github/actions/setup
      - uses: ./.github/actions/cloud-login
        with: {role: deploy, variables: "${{ toJSON(vars) }}"}
      - run: |
          env | grep -E '^(CLOUDSDK_AUTH|GOOGLE|STATE)_' | sed "s|$RUNNER_TEMP|TEMP|" >"$STUBS/env"
          git status --porcelain --untracked-files=all >"$STUBS/changes"
          uv run python look.py >"$STUBS/tokens"
"""
ASK = """
import os
from google.auth.identity_pool import Credentials
from google.auth.transport.requests import Request

login = Credentials.from_file(os.environ["GOOGLE_APPLICATION_CREDENTIALS"])
print(login.service_account_email)
for _ in range(2):
    print(login.retrieve_subject_token(Request()))
"""


@pytest.fixture
def gcp(site, project, github):
    """`gcp(event, workflow, ...)` runs a workflow of a project on Google Cloud; what came of it is in `gcp.site`."""
    here = workspaces.workspace(project(clouds=["gcp"]))
    (here.path / "uv.lock").touch()
    (here.path / ".github/workflows/look.yml").write_text(LOOK, encoding="utf-8")
    (here.path / "look.py").write_text(ASK, encoding="utf-8")
    there = site(here)
    there.variables = dict(GOOGLE)

    def gcp(event, workflow, *arguments, code=0, **variables):
        return there.run(event, workflow, *github, *arguments, code=code, **variables)

    gcp.site = there
    return gcp


def test_a_job_is_logged_in_and_takes_new_tokens_as_long_as_it_lasts(gcp):
    gcp("workflow_dispatch", "look.yml")
    assert gcp.site.lines("logins") == [f"{GOOGLE['MLOPS_GCP_DEPLOY_SERVICE_ACCOUNT']} in flights-dev"]
    said = dict(line.split("=", 1) for line in gcp.site.lines("env"))
    names = ("CLOUDSDK_AUTH_CREDENTIAL_FILE_OVERRIDE", "GOOGLE_APPLICATION_CREDENTIALS", "GOOGLE_GHA_CREDS_PATH")
    assert said == {**dict.fromkeys(names, "TEMP/google-login.json"), "STATE_BY_PREFIX": "true"}
    assert gcp.site.lines("tokens") == [GOOGLE["MLOPS_GCP_DEPLOY_SERVICE_ACCOUNT"], "token-1", "token-2"]


def test_the_login_is_no_change_of_the_project(gcp):
    gcp("workflow_dispatch", "look.yml")
    assert gcp.site.lines("logins")
    assert [line for line in gcp.site.lines("changes") if "gha-creds" in line] == []


@pytest.mark.parametrize(
    "missing", ["MLOPS_GCP_DEPLOY_SERVICE_ACCOUNT", "MLOPS_GCP_WORKLOAD_IDENTITY_PROVIDER", "MLOPS_GCP_PROJECT"]
)
def test_a_variable_that_is_not_set_is_named(gcp, missing):
    gcp.site.variables.pop(missing)
    done = gcp("workflow_dispatch", "look.yml", code=1)
    assert f"The variable {missing} is not set for this environment; 'mlops doctor --on gcp' says how" in done.out
    assert gcp.site.lines("logins") == []


def test_the_infrastructure_is_planned_and_applied(gcp):
    gcp.site.programs.answer((["plan"], "planned\n", 2), (["show"], "Terraform will change the project.\n", 0))
    gcp("push", "infra.yml", MLOPS_ENVIRONMENTS='["dev"]')
    accounts = [GOOGLE[f"MLOPS_GCP_{role}_SERVICE_ACCOUNT"] for role in ("PLAN", "APPLY")]
    assert gcp.site.lines("logins") == [f"{account} in flights-dev" for account in accounts]
    (init, _) = gcp.site.programs.asked("terraform", "init", "-backend-config=../backend.hcl")
    assert init == [
        *("-chdir=infra/gcp/project", "init"),
        *("-backend-config=../backend.hcl", "-backend-config=prefix=project/dev"),
    ]
    (applied,) = gcp.site.programs.asked("terraform", "apply")
    assert applied == ["-chdir=infra/gcp/project", "apply", "-lock-timeout=5m", "plan.out"]
    assert gcp.site.lines("registries") == []


def test_images_are_pushed_after_a_login_to_the_registry(gcp):
    gcp.site.stubs |= {"actions/attest": "true", "anchore/sbom-action": 'echo "{}" >"$INPUT_OUTPUT_FILE"'}
    told = [
        json.dumps({"reference": f"{REPOSITORY}/{target}:1", "repository": f"{REPOSITORY}/{target}"})
        for target in ("pipeline", "serving")
    ]
    gcp.site.programs.answer(
        (["uv", "image", "pipeline"], told[0], 3),
        (["uv", "image", "serving"], told[1], 3),
        (["inspect"], json.dumps([{"RepoDigests": [f"{REPOSITORY}/pipeline@1", f"{REPOSITORY}/serving@1"]}]), 0),
    )
    gcp("push", "image.yml")
    assert gcp.site.lines("registries") == [f"oauth2accesstoken:of-an-hour at {HOST}"] * 2
    pushed = sorted(call[-1] for call in gcp.site.programs.asked("docker", "push"))
    assert pushed == [f"{REPOSITORY}/pipeline:1", f"{REPOSITORY}/serving:1"]

    gcp.site.variables.pop("MLOPS_GCP_PIPELINE_REPOSITORY")
    done = gcp("push", "image.yml", code=1)
    assert "The variable MLOPS_GCP_PIPELINE_REPOSITORY is not set" in done.out
    assert gcp.site.lines("registries") == []


def test_a_person_brings_the_pipeline_there(gcp):
    gcp.site.programs.answer((["mlops", "submit"], "started\n", 0))
    gcp("workflow_dispatch", "train.yml")
    assert [call[-2:] for call in gcp.site.programs.asked("uv", "sync")] == [["--extra", "gcp"]]
    (submitted,) = gcp.site.programs.asked("uv", "submit")
    assert submitted == ["run", "mlops", "submit", "--on", "gcp", "--detach"]
    assert gcp.site.lines("logins") == [f"{GOOGLE['MLOPS_GCP_TRAIN_SERVICE_ACCOUNT']} in flights-dev"]


@pytest.fixture
def deploying(site, clouded, google, storage, endpoints, tag, render, github, tmp_path):  # noqa: F811
    """`deploying(event, ...)` runs deploy.yml where version 2 is champion and two environments have endpoints."""
    copy = workspaces.copy(clouded, tmp_path / "project")
    copy.run("cp", "-r", render(clouds=["gcp"]) / ".github", copy.path)
    deployed.Desk(copy.path, copy.env).serving(canary_minutes=0)
    Images(google).push(SETTINGS["MLOPS_GCP_SERVING_REPOSITORY"], tag)
    there = site(copy)
    env = {**google.env, **storage.env}
    file = env.pop("GOOGLE_APPLICATION_CREDENTIALS")
    exports = [f'echo "{name}={value}" >>"$GITHUB_ENV"' for name, value in env.items() if value is not None]
    there.stubs["google-github-actions/auth"] = "\n".join([GOOGLE_LOGIN, f'cp "{file}" "$file"', *exports])
    here = {name: value for name, value in SETTINGS.items() if name != "MLOPS_ENVIRONMENT"}
    there.variables = {**GOOGLE, **here, "MLOPS_TRACKING_URI": f"sqlite:///{copy.path}/mlflow.db"}

    def deploying(event, *arguments):
        there.run(event, "deploy.yml", *github, *arguments)
        return there.lines("logins")

    deploying.site = there
    return deploying


def test_the_champion_goes_to_staging_and_production_and_back(deploying, endpoints):  # noqa: F811
    def serves():
        return {name: endpoints.traffic(f"flight-delays-{name}") for name in ("staging", "prod")}

    accounts = [GOOGLE[f"MLOPS_GCP_{role}_SERVICE_ACCOUNT"] for role in ("TRAIN", "DEPLOY", "DEPLOY")]
    logins = [f"{account} in {SETTINGS['MLOPS_GCP_PROJECT']}" for account in accounts]
    assert deploying("workflow_dispatch", "--input", "version=1") == logins
    assert serves() == {"staging": {"v1": 100}, "prod": {"v1": 100}}
    deploying("schedule")
    assert serves() == {"staging": {"v2": 100}, "prod": {"v2": 100}}

    deploying("workflow_dispatch", "--input", "back=true", "--input", "reason=too slow")
    assert serves() == {"staging": {"v2": 100}, "prod": {"v1": 100}}
    assert deploying.site.project.champion == "1"
    assert deploying.site.programs.asked("gh", "issue", "create") == []


def test_the_champion_is_watched_as_the_one_who_trains(loop, site, github):  # noqa: F811
    there = site(loop())
    there.variables = {**GOOGLE, "MLOPS_TRACKING_URI": f"sqlite:///{there.project.path}/mlflow.db"}
    rows = ["--input", "current=new/december.parquet", "--input", "labels=new/december-labels.parquet"]
    there.run("workflow_dispatch", "monitor.yml", *rows, *github)
    assert there.lines("logins") == [f"{GOOGLE['MLOPS_GCP_TRAIN_SERVICE_ACCOUNT']} in flights-dev"]
    assert [call[-2:] for call in there.programs.asked("uv", "sync")] == [["--extra", "gcp"]]
    (issue,) = there.programs.asked("gh", "issue", "create")
    assert "the Brier score" in issue[issue.index("--body") + 1]
    assert there.programs.asked("gh", "workflow") == []
