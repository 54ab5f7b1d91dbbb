"""`mlops doctor --on gcp`: what is set, what is behind it, and the commands that set it for the workflows."""

import json

import pytest
from support import workspace as workspaces
from support.google import ACCOUNT, BUCKET, LOCATION, NOBODY, PROJECT, RECOVERY, REGION, Said, refused
from support.google_project import ENDPOINT, IMAGES, JOBS, KEY, NUMBER, Built

VARIABLES = {
    "MLOPS_ENVIRONMENT": "dev",
    "MLOPS_TRACKING_URI": "sqlite:///mlflow.db",
    "MLOPS_GCP_PROJECT": PROJECT,
    "MLOPS_GCP_BUCKET": BUCKET,
    "MLOPS_GCP_PIPELINE_REPOSITORY": f"{IMAGES}/pipeline",
    "MLOPS_GCP_SERVING_REPOSITORY": f"{IMAGES}/serving",
    "MLOPS_GCP_JOB_SERVICE_ACCOUNT": JOBS,
    "MLOPS_GCP_ENDPOINT_SERVICE_ACCOUNT": ENDPOINT,
}
NAME = f"{LOCATION}/endpoints/flight-delays-dev"


@pytest.fixture
def doctor(google, project):
    """`doctor(code, **variables)` is what it says as JSON: findings by name, and the rest."""
    here = workspaces.workspace(project(clouds=["gcp"]), **VARIABLES)
    here.commit()
    here.run("dvc", "remote", "add", "--default", "store", str(here.path / "store"))

    def doctor(code, **variables):
        told = json.loads(here.mlops("doctor", "--on", "gcp", "--json", code=code, **{**google.env, **variables}).out)
        return {finding["what"]: finding for finding in told["findings"]}, told

    doctor.project, doctor.env, doctor.built = here, google.env, Built(google)
    return doctor


def test_all_is_well_where_the_infrastructure_is_there(doctor):
    doctor.built.may[f"projects/{PROJECT}"].add("aiplatform.endpoints.deploy")
    key = {"MLOPS_GCP_KMS_KEY": KEY, "MLOPS_GCP_NETWORK": f"projects/{NUMBER}/global/networks/mlops"}
    findings, told = doctor(0, **key)
    assert [finding for finding in findings.values() if finding["fix"]] == []
    assert findings["credentials"]["found"] == f"{ACCOUNT}, in {REGION}"
    assert findings["project"]["found"] == f"{PROJECT}, where this login may look, start pipelines, deploy"
    assert findings["services"]["found"] == "aiplatform, iam, monitoring, storage"
    assert findings["bucket"]["found"] == f"{BUCKET}, in {REGION} and {RECOVERY}, versioned"
    assert findings["job service account"]["found"] == f"{JOBS}, as which this login may start jobs"
    assert findings["serving repository"]["found"] == f"{IMAGES}/serving, tags stay"
    assert findings["kms key"]["found"] == KEY
    assert findings["endpoint"]["found"] == f"{REGION}: made by the first mlops deploy"
    (bucket,) = [one for one in told["variables"] if one["name"] == "MLOPS_GCP_BUCKET"]
    assert bucket["set"] == [f"gh variable set MLOPS_GCP_BUCKET --env dev --body {BUCKET}"]

    machines = {"machineSpec": {"machineType": "n1-standard-2"}, "minReplicaCount": 1}
    deployed = {"id": "7", "model": f"{LOCATION}/models/1", "dedicatedResources": machines}
    doctor.built.endpoints[NAME] = {"name": NAME, "displayName": "flight-delays-dev", "deployedModels": [deployed]}
    table = doctor.project.mlops("doctor", "--on", "gcp", **doctor.env).out
    assert f"{REGION}: flight-delays-dev, 1 models deployed" in table
    assert "gh variable set MLOPS_PLATFORM --body gcp" in table
    assert bucket["set"][0] in table


def test_what_is_missing_is_named_with_the_command_that_sets_it(doctor):
    findings, told = doctor(3, **{**dict.fromkeys(VARIABLES), "MLOPS_ENVIRONMENT": "prod"})
    for name in ("MLOPS_TRACKING_URI", "MLOPS_GCP_PROJECT", "MLOPS_GCP_BUCKET", "MLOPS_GCP_JOB_SERVICE_ACCOUNT"):
        output = f"terraform -chdir=infra/gcp/project output -raw {name.lower()}"
        assert findings[name]["fix"] == f'gh variable set {name} --env prod --body "$({output})"'
    assert findings["MLOPS_GCP_KMS_KEY"]["fix"] is None
    assert "bucket" not in findings
    commands = {one["name"]: one["set"] for one in told["variables"]}
    assert [command.split()[5] for command in commands["MLOPS_GCP_BUCKET"]] == ["prod", "train"]
    assert [command.split()[5] for command in commands["MLOPS_GCP_TRAIN_SERVICE_ACCOUNT"]] == ["prod", "train"]
    assert [command.split()[5] for command in commands["MLOPS_GCP_DEPLOY_SERVICE_ACCOUNT"]] == ["prod"]
    for name in ("MLOPS_GCP_PLAN_SERVICE_ACCOUNT", "MLOPS_GCP_WORKLOAD_IDENTITY_PROVIDER"):
        (command,) = commands[name]
        assert "--env" not in command
        assert f"infra/gcp/bootstrap output -json {name.lower()} | jq -r ." in command
    *of_environments, of_all = commands["MLOPS_GCP_PROJECT"]
    assert len(of_environments) == 2
    assert "--env" not in of_all


def test_what_is_wrong_behind_a_variable_is_found(doctor):
    built = doctor.built
    built.services["monitoring"] = "DISABLED"
    built.bucket["versioning"] = {}
    built.images["dockerConfig"] = {}
    built.accounts[JOBS]["disabled"] = True
    built.key["primary"]["state"] = "DESTROYED"
    findings, _ = doctor(3, MLOPS_GCP_KMS_KEY=KEY, MLOPS_GCP_ENDPOINT_SERVICE_ACCOUNT=f"nobody{ENDPOINT}")
    for what, words in {
        "services": "not enabled: monitoring.googleapis.com",
        "bucket": "keeps no versions",
        "pipeline repository": "can be moved to another image",
        "job service account": "is disabled",
        "endpoint service account": "Unknown account nobody",
        "kms key": "one that is DESTROYED",
    }.items():
        assert words in findings[what]["found"], findings[what]
        assert findings[what]["fix"], findings[what]
    assert findings["services"]["fix"] == f"gcloud services enable monitoring.googleapis.com --project {PROJECT}"
    assert findings["job service account"]["fix"] == f"gcloud iam service-accounts enable {JOBS}"

    built.bucket["versioning"] = {"enabled": True}
    built.bucket["iamConfiguration"]["publicAccessPrevention"] = "inherited"
    built.images |= {"format": "PYTHON"}
    wrong = {
        "MLOPS_GCP_PIPELINE_REPOSITORY": "gcr.io/pipeline",
        "MLOPS_GCP_JOB_SERVICE_ACCOUNT": "jobs",
        "MLOPS_GCP_NETWORK": "projects/flight-delays/global/networks/mlops",
        "MLOPS_GCP_KMS_KEY": "mlops/dev",
        "MLOPS_GCP_RECOVERY_KMS_KEY": KEY,
    }
    findings, _ = doctor(3, **wrong)
    for what, words in {
        "bucket": "can be opened to everybody",
        "pipeline repository": "'gcr.io/pipeline' is no LOCATION-docker.pkg.dev/",
        "serving repository": "is for PYTHON",
        "job service account": "'jobs' is no NAME@PROJECT",
        "network": "with the number of a project",
        "kms key": "'mlops/dev' is no projects/",
        "recovery kms key": f"encrypts in {REGION}, not in {RECOVERY}",
    }.items():
        assert words in findings[what]["found"], findings[what]
        assert findings[what]["fix"], findings[what]

    built.bucket["iamConfiguration"] = {"publicAccessPrevention": "enforced"}
    findings, _ = doctor(3)
    assert "an object have rights of its own" in findings["bucket"]["found"]


def test_a_bucket_is_where_the_jobs_are(doctor):
    doctor.built.bucket["customPlacementConfig"]["dataLocations"] = ["EUROPE-WEST1", "EUROPE-WEST4"]
    findings, _ = doctor(3, MLOPS_GCP_BUCKET=BUCKET)
    assert findings["bucket"]["found"] == f"{BUCKET} is in europe-west1 and europe-west4, not in {REGION}"
    assert "region under [tool.mlops.gcp]" in findings["bucket"]["fix"]
    findings, _ = doctor(3, MLOPS_GCP_BUCKET="elsewhere")
    assert "Google Cloud says 404" in findings["bucket"]["found"]
    assert "does not exist" in findings["bucket"]["found"]


def test_a_project_in_which_nobody_may_do_anything_is_none(doctor):
    findings, _ = doctor(3, MLOPS_GCP_PROJECT="another-project")
    assert "may do nothing in a project another-project" in findings["project"]["found"]
    assert "MLOPS_GCP_PROJECT" in findings["project"]["fix"]


def test_what_this_login_may_not_do_or_look_at_is_no_fault(google, doctor):
    doctor.built.may[JOBS] = set()
    denied = ("storage.googleapis.com", "serviceusage.googleapis.com", "artifactregistry.googleapis.com")
    google.rule = lambda asked: refused(403, "Permission denied.") if asked.host in denied else None
    findings, _ = doctor(0)
    for what in ("services", "bucket", "pipeline repository"):
        assert "may not look at it" in findings[what]["found"]
    assert "as which this login may start none" in findings["job service account"]["found"]
    assert "start jobs" in findings["endpoint service account"]["found"]


def test_a_service_that_nobody_enabled_is_a_fault(google, doctor):
    told = "Artifact Registry API has not been used in project 123456789012 before or it is disabled."
    reason = {
        "@type": "type.googleapis.com/google.rpc.ErrorInfo",
        "reason": "SERVICE_DISABLED",
        "domain": "googleapis.com",
    }
    said = {"code": 403, "message": told, "status": "PERMISSION_DENIED", "details": [reason]}
    google.rule = lambda asked: Said(403, {"error": said}) if asked.host.startswith("artifactregistry.") else None
    findings, _ = doctor(3)
    assert "has not been used in project" in findings["serving repository"]["found"]


def test_a_second_region_needs_a_name(doctor):
    findings, _ = doctor(3, MLOPS_GCP_RECOVERY_ENDPOINT="true", MLOPS_GCP_KMS_KEY=KEY)
    assert "MLOPS_GCP_RECOVERY_KMS_KEY is not set" in findings["endpoint"]["found"]
    findings, _ = doctor(0, MLOPS_GCP_RECOVERY_ENDPOINT="true")
    assert [each.partition(":")[0] for each in findings["endpoint"]["found"].split("; ")] == [REGION, RECOVERY]


def test_without_a_login_there_is_nothing_more_to_see(google, doctor):
    google.route(
        "POST", r"oauth2\.googleapis\.com", "/token", lambda *_: Said(400, {"error": "invalid_grant"}), login=False
    )
    findings, _ = doctor(3)
    assert "no credentials of Google Cloud that hold" in findings["credentials"]["found"]
    assert "gcloud auth application-default login" in findings["credentials"]["fix"]
    assert "bucket" not in findings

    findings, _ = doctor(3, **NOBODY)
    assert "no credentials of Google Cloud" in findings["credentials"]["found"]


def test_a_google_that_does_not_answer_is_told_from_a_login_that_does_not_hold(doctor):
    findings, _ = doctor(3, HTTPS_PROXY="http://127.0.0.1:9", https_proxy="http://127.0.0.1:9")
    assert "Google Cloud does not answer" in findings["credentials"]["found"]
