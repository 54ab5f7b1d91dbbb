"""`mlops doctor --on kubeflow`: what is set, what is behind it, and the commands that set it for the workflows."""

import json
import shlex
import subprocess

import pytest
from clouds.kubeflow.pipelines import SETTINGS
from support import workspace as workspaces

VARIABLES = {**SETTINGS, "MLOPS_TRACKING_URI": "sqlite:///mlflow.db"}


class Built:
    """What infra/kubeflow makes, as far as the doctor looks; tests change what is in it."""

    def __init__(self, cluster):
        name, self.cluster = cluster.namespace, cluster
        self.labels = {"pod-security.kubernetes.io/enforce": "restricted"}
        cluster.there[f"/api/v1/namespaces/{name}"] = {"metadata": {"name": name, "labels": self.labels}}
        self.quota = {
            "hard": {"pods": "100", "services.nodeports": "0"},
            "used": {"pods": "4", "services.nodeports": "0"},
        }
        cluster.put("resourcequotas", "environment", status=self.quota)
        self.keys = dict.fromkeys(("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"), "dGVzdGluZw==")
        cluster.put("secrets", "object-store", data=self.keys)
        for account in ("jobs", "endpoint"):
            cluster.put("serviceaccounts", account)


@pytest.fixture
def doctor(cluster, kubeflow, bucket, project):
    """`doctor(code, **variables)` is what it says as JSON: findings by name, and the rest."""
    here = workspaces.workspace(project(kubeflow=True), **VARIABLES)
    here.commit()
    here.run("dvc", "remote", "add", "--default", "store", str(here.path / "store"))
    env = {**bucket.env, **cluster.env, "MLOPS_KUBEFLOW_HOST": kubeflow.url}

    def doctor(code, **variables):
        told = json.loads(here.mlops("doctor", "--on", "kubeflow", "--json", code=code, **{**env, **variables}).out)
        return {finding["what"]: finding for finding in told["findings"]}, told

    doctor.project, doctor.built = here, Built(cluster)
    return doctor


def test_all_is_well(doctor, cluster):
    findings, told = doctor(0)
    assert findings["cluster"]["found"].startswith("Kubernetes v1.33")
    assert findings["namespace"]["found"] == "flight-delays-dev, restricted pods"
    assert findings["KServe"]["found"] == "on Knative, so a new version can get a share of the requests"
    assert findings["Kubeflow Pipelines"]["found"].endswith("runs in flight-delays-dev")
    assert findings["bucket"]["found"] == "flight-delays-dev, versioned"
    assert findings["object store secret"]["found"].startswith("object-store, with AWS_ACCESS_KEY_ID")
    assert "dGVzdGluZw" not in json.dumps(told)
    assert not [asked for asked in cluster.asked if asked.method != "GET"]


def test_what_is_not_set_comes_from_the_file_of_the_overlay(doctor):
    """The commands for GitHub read what infra/kubeflow was given."""
    _, told = doctor(3, MLOPS_KUBEFLOW_BUCKET=None)
    (bucket,) = [each for each in told["variables"] if each["name"] == "MLOPS_KUBEFLOW_BUCKET"]
    (command,) = bucket["set"]
    assert command.startswith("gh variable set MLOPS_KUBEFLOW_BUCKET --env dev --body ")
    value = shlex.split(command)[-1]
    here = doctor.project.path
    done = subprocess.run(["bash", "-c", f"echo {value}"], cwd=here, capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "flight-delays-dev"


def test_what_is_wrong_is_told_with_what_mends_it(doctor, cluster, kubeflow, bucket):
    built = doctor.built
    built.labels.clear()
    built.quota["used"]["pods"] = "100"
    del built.keys["AWS_SECRET_ACCESS_KEY"]
    cluster.there.pop(cluster.path("serviceaccounts", "endpoint"))
    cluster.groups.discard("serving.knative.dev")
    kubeflow.by_token = True
    bucket.client("s3").put_bucket_versioning(
        Bucket="flight-delays-dev", VersioningConfiguration={"Status": "Suspended"}
    )
    findings, _ = doctor(3)
    for what, told in {
        "namespace": "lets pods do more than the restricted profile",
        "quota": "pods is used up",
        "object store secret": "lacks AWS_SECRET_ACCESS_KEY",
        "endpoint service account": "the ServiceAccount endpoint",
        "KServe": "the cluster has no Knative Serving",
        "Kubeflow Pipelines": "says 401",
        "bucket": "keeps no versions",
    }.items():
        assert told in findings[what]["found"], findings[what]
        assert findings[what]["fix"], findings[what]
    assert findings["job service account"]["fix"] is None


def test_what_this_login_may_not_look_at_is_no_fault(doctor, cluster):
    cluster.forbidden = ("/secrets/", "/resourcequotas")
    findings, _ = doctor(0)
    for what in ("object store secret", "quota"):
        assert "may not look at it" in findings[what]["found"]


def test_without_a_login_there_is_nothing_more_to_see(doctor, cluster, tmp_path):
    findings, _ = doctor(3, KUBECONFIG=tmp_path / "none")
    assert "there is no login to a cluster" in findings["cluster"]["found"]
    assert "namespace" not in findings
    assert "bucket" in findings
