"""Where workflows differ on Azure: they are run with act, log in by a token of GitHub's, and keep that token fresh."""

import json

import pytest
from support import workspace as workspaces
from workflows.conftest import AZURE

HOST = "flightdelays.azurecr.io"
LOOK = """
name: Look
on: workflow_dispatch
jobs:
  look:
    runs-on: ubuntu-latest
    steps:
      - uses: actions/checkout@3d3c42e5aac5ba805825da76410c181273ba90b1 # v7.0.1
      - uses: ./.github/actions/cloud-login
        with: {role: deploy, variables: "${{ toJSON(vars) }}"}
      - run: |
          env | grep -E '^(ARM|AZURE)_' | sed "s|$AZURE_FEDERATED_TOKEN_FILE|FILE|" >"$STUBS/env"
          { cat "$AZURE_FEDERATED_TOKEN_FILE"; echo; } >"$STUBS/token"
          for _ in $(seq 300); do
            [ "$(cat "$AZURE_FEDERATED_TOKEN_FILE")" = token-1 ] || break
            sleep 0.1
          done
          { cat "$AZURE_FEDERATED_TOKEN_FILE"; echo; } >>"$STUBS/token"
          stat --format=%a "$AZURE_FEDERATED_TOKEN_FILE" >"$STUBS/rights"
          rm "$AZURE_FEDERATED_TOKEN_FILE"
"""


@pytest.fixture
def azure(site, project, github):
    """`azure(event, workflow, ...)` runs a workflow of a project on Azure; what came of it is in `azure.site`."""
    here = workspaces.workspace(project(clouds=["azure"]))
    (here.path / "uv.lock").touch()
    (here.path / ".github/workflows/look.yml").write_text(LOOK, encoding="utf-8")
    there = site(here)
    there.variables = dict(AZURE)

    def azure(event, workflow, *arguments, code=0, **variables):
        return there.run(event, workflow, *github, *arguments, code=code, **variables)

    azure.site = there
    return azure


def test_a_job_is_logged_in_and_stays_so(azure):
    sleep = azure.site.programs.folder / "sleep"
    sleep.write_text('#!/bin/sh\n[ "$1" != 60 ] || exec /bin/sleep 1\nexec /bin/sleep "$@"\n', encoding="utf-8")
    sleep.chmod(0o755)
    azure("workflow_dispatch", "look.yml")
    assert azure.site.lines("logins") == ["identity/deploy"]
    who = {"CLIENT_ID": "identity/deploy", "TENANT_ID": AZURE["MLOPS_AZURE_TENANT"]}
    said = dict(line.split("=", 1) for line in azure.site.lines("env"))
    assert said == {
        **{f"{kind}_{name}": value for kind in ("ARM", "AZURE") for name, value in who.items()},
        "ARM_SUBSCRIPTION_ID": AZURE["MLOPS_AZURE_SUBSCRIPTION"],
        "ARM_USE_OIDC": "true",
        "AZURE_FEDERATED_TOKEN_FILE": "FILE",
    }
    first, later = azure.site.lines("token")
    assert first == "token-1"
    assert later != "token-1"
    assert later.startswith("token-")
    assert azure.site.lines("rights") == ["600"]


@pytest.mark.parametrize("missing", ["MLOPS_AZURE_DEPLOY_CLIENT_ID", "MLOPS_AZURE_TENANT", "MLOPS_AZURE_SUBSCRIPTION"])
def test_a_variable_that_is_not_set_is_named(azure, missing):
    azure.site.variables.pop(missing)
    done = azure("workflow_dispatch", "look.yml", code=1)
    assert f"The variable {missing} is not set for this environment" in done.out
    assert azure.site.lines("logins") == []


def test_the_infrastructure_is_planned_and_applied(azure):
    azure.site.programs.answer((["plan"], "planned\n", 2), (["show"], "Terraform will change the account.\n", 0))
    azure("push", "infra.yml", MLOPS_ENVIRONMENTS='["dev"]')
    assert azure.site.lines("logins") == ["identity/plan", "identity/apply"]
    (init, _) = azure.site.programs.asked("terraform", "init", "-backend-config=../backend.hcl")
    assert init == [
        *("-chdir=infra/azure/project", "init"),
        *("-backend-config=../backend.hcl", "-backend-config=key=project/dev.tfstate"),
    ]
    (applied,) = azure.site.programs.asked("terraform", "apply")
    assert applied == ["-chdir=infra/azure/project", "apply", "-lock-timeout=5m", "plan.out"]


def test_images_are_pushed_after_a_login_to_the_registry(azure):
    azure.site.stubs |= {"actions/attest": "true", "anchore/sbom-action": 'echo "{}" >"$INPUT_OUTPUT_FILE"'}
    told = [
        json.dumps({"reference": f"{HOST}/{target}:1", "repository": f"{HOST}/{target}"})
        for target in ("pipeline", "serving")
    ]
    azure.site.programs.answer(
        (["uv", "image", "pipeline"], told[0], 3),
        (["uv", "image", "serving"], told[1], 3),
        (["inspect"], json.dumps([{"RepoDigests": [f"{HOST}/pipeline@1", f"{HOST}/serving@1"]}]), 0),
    )
    azure("push", "image.yml")
    assert azure.site.programs.asked("az") == [["acr", "login", "--name", "flightdelays"]] * 2
    pushed = sorted(call[-1] for call in azure.site.programs.asked("docker", "push"))
    assert pushed == [f"{HOST}/pipeline:1", f"{HOST}/serving:1"]


def test_a_person_brings_the_pipeline_there(azure):
    azure.site.programs.answer((["mlops", "submit"], "started\n", 0))
    azure("workflow_dispatch", "train.yml")
    assert [call[-2:] for call in azure.site.programs.asked("uv", "sync")] == [["--extra", "azure"]]
    (submitted,) = azure.site.programs.asked("uv", "submit")
    assert submitted == ["run", "mlops", "submit", "--on", "azure", "--detach"]
    assert azure.site.lines("logins") == ["identity/train"]
