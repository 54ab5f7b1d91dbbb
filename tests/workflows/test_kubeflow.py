"""Where workflows differ on Kubernetes: they log in by a token of GitHub's that is kept fresh, and store no key."""

import json

import pytest
import yaml
from support import workspace as workspaces
from workflows.conftest import CLUSTER

LOOK = """
name: Look
on: workflow_dispatch
jobs:
  look:
    runs-on: ubuntu-latest
    steps:
      - uses: actions/checkout@3d3c42e5aac5ba805825da76410c181273ba90b1 # v7.0.1
      - uses: ./.github/actions/cloud-login
        with: {role: deploy, variables: "${{ toJSON(vars) }}", images: "true"}
      - run: |
          file="$MLOPS_KUBEFLOW_TOKEN_FILE"
          env | grep -E '^(AWS_ACC|AWS_END|AWS_SEC|MLOPS_TRACKING)' | sort >"$STUBS/env"
          cp "$KUBECONFIG" "$STUBS/kubeconfig"
          { cat "$file"; echo; } >"$STUBS/token"
          for _ in $(seq 300); do
            [ "$(cat "$file")" = token-1 ] || break
            sleep 0.1
          done
          { cat "$file"; echo; } >>"$STUBS/token"
          stat --format=%a "$file" >"$STUBS/rights"
          rm "$file"
"""
KEYS = {"AWS_ACCESS_KEY_ID": "YS1sb2dpbg==", "AWS_SECRET_ACCESS_KEY": "YS1sb25nLXNlY3JldA=="}


@pytest.fixture
def kubeflow(site, project, github):
    """`kubeflow(code, **variables)` runs a workflow of a project on Kubeflow; what came of it is in `kubeflow.site`."""
    here = workspaces.workspace(project(kubeflow=True))
    (here.path / "uv.lock").touch()
    (here.path / ".github/workflows/look.yml").write_text(LOOK, encoding="utf-8")
    there = site(here)
    there.variables = dict(CLUSTER)
    there.programs.answer(
        (["kubectl", "get", "secret", "object-store"], json.dumps({"data": KEYS}), 0),
        (["kubectl", "port-forward"], "", 1),
    )
    sleep = there.programs.folder / "sleep"
    sleep.write_text('#!/bin/sh\n[ "$1" != 60 ] || exec /bin/sleep 1\nexec /bin/sleep "$@"\n', encoding="utf-8")
    sleep.chmod(0o755)

    def kubeflow(code=0):
        return there.run("workflow_dispatch", "look.yml", *github, code=code)

    kubeflow.site = there
    return kubeflow


def test_a_job_is_logged_in_and_stays_so(kubeflow):
    done = kubeflow()
    said = dict(line.split("=", 1) for line in kubeflow.site.lines("env"))
    assert said == {
        "AWS_ACCESS_KEY_ID": "a-login",
        "AWS_SECRET_ACCESS_KEY": "a-long-secret",
        "AWS_ENDPOINT_URL": "https://s3.example.com",
        "MLOPS_TRACKING_URI": "http://127.0.0.1:5000",
    }
    assert "a-long-secret" not in done.out.replace("::add-mask::a-long-secret", "")
    first, later = kubeflow.site.lines("token")
    assert (first, later) == ("token-1", "token-2")
    assert kubeflow.site.lines("rights") == ["600"]
    config = yaml.safe_load("\n".join(kubeflow.site.lines("kubeconfig")))
    (cluster,) = config["clusters"]
    assert cluster["cluster"]["server"] == CLUSTER["MLOPS_KUBEFLOW_API_SERVER"]
    assert cluster["cluster"]["certificate-authority-data"].startswith("LS0tLS1CRUdJTiBD")
    (user,) = config["users"]
    assert list(user["user"]) == ["tokenFile"]
    assert config["contexts"][0]["context"]["namespace"] == "flight-delays-dev"
    assert kubeflow.site.programs.asked("kubectl", "port-forward")[0] == ["port-forward", "service/mlflow", "5000:5000"]
    (login,) = kubeflow.site.programs.asked("docker", "login")
    assert login == ["login", "ghcr.io", "--username", login[3], "--password-stdin"]
    assert kubeflow.site.programs.asked("uv", "sync")[-1][-2:] == ["--extra", "kubeflow"]


@pytest.mark.parametrize("missing", ["API_SERVER", "AUDIENCE", "OBJECT_STORE_SECRET"])
def test_a_variable_that_is_not_set_is_named(kubeflow, missing):
    kubeflow.site.variables.pop(f"MLOPS_KUBEFLOW_{missing}")
    done = kubeflow(code=1)
    assert f"The variable MLOPS_KUBEFLOW_{missing} is not set for this environment" in done.out
    assert "'mlops doctor --on kubeflow' says how to set it" in done.out


def test_images_go_to_a_registry_that_takes_githubs_own_login(kubeflow):
    kubeflow.site.variables["MLOPS_KUBEFLOW_PIPELINE_REPOSITORY"] = "registry.example.com/pipeline"
    kubeflow()
    assert kubeflow.site.programs.asked("docker", "login") == []
