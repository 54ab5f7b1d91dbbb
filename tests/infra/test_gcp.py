"""What is so on Google Cloud alone: who may do what where, whose tokens are taken, and what an alert starts."""

import json
import re

import pytest
import yaml
from infra.clouds import ENVIRONMENTS, GCP
from support.template import ROOT, files
from support.workflow import RefusedError, Workflow

MADE = {
    "google_cloud_run_v2_service": "run.services",
    "google_compute_backend_service": "compute.backendServices",
    "google_compute_global_address": "compute.globalAddresses",
    "google_compute_global_forwarding_rule": "compute.globalForwardingRules",
    "google_compute_managed_ssl_certificate": "compute.sslCertificates",
    "google_compute_region_network_endpoint_group": "compute.regionNetworkEndpointGroups",
    "google_compute_ssl_policy": "compute.sslPolicies",
    "google_compute_target_https_proxy": "compute.targetHttpsProxies",
    "google_compute_url_map": "compute.urlMaps",
    "google_eventarc_trigger": "eventarc.triggers",
    "google_kms_crypto_key": "cloudkms.cryptoKeys",
    "google_kms_key_ring": "cloudkms.keyRings",
    "google_monitoring_alert_policy": "monitoring.alertPolicies",
    "google_monitoring_dashboard": "monitoring.dashboards",
    "google_monitoring_notification_channel": "monitoring.notificationChannels",
    "google_pubsub_topic": "pubsub.topics",
    "google_storage_bucket": "storage.buckets",
    "google_workflows_workflow": "workflows.workflows",
}
"""What a permission calls a resource of Terraform."""
DEFINITION = {"displayName": "flight-delays", "pipelineSpec": {"root": {}}}
BASIC = {"roles/owner", "roles/editor", "roles/viewer"}


@pytest.fixture(params=["default", "awkward"])
def made(applied, request):
    return applied(GCP, request.param)


ROLE = "google_project_iam_custom_role"


def of(made, kind, layer=""):
    return [each["values"] for each in made.resources if each["type"] == kind and each["address"].startswith(layer)]


def roles(made):
    return {each["role_id"].rpartition("_")[2]: set(each["permissions"]) for each in of(made, ROLE)}


def test_every_bucket_account_and_key_comes_from_a_module():
    for name in files(ROOT / "template" / "infra" / "gcp"):
        if name.endswith(".tf") and not name.startswith("modules/"):
            text = (ROOT / "template" / "infra" / "gcp" / name).read_text(encoding="utf-8")
            kinds = "storage_bucket|service_account|service_account_key|kms_crypto_key"
            assert not re.search(rf'resource "google_({kinds})"', text), name


def test_nothing_is_open_to_the_world_and_nobody_has_a_basic_role(made):
    given = [each["values"] for each in made.resources if "_iam_" in each["type"] and "member" in each["values"]]
    assert len(given) > 90
    for each in given:
        assert each["member"].startswith(("serviceAccount:", "principal://")), each
        assert each["role"] not in BASIC, each
        assert not re.search("(?i)admin", each["role"]), each
    everything = json.dumps(made.resources)
    assert "allUsers" not in everything
    assert "allAuthenticatedUsers" not in everything


def test_tokens_are_taken_from_one_job_of_one_repository(made):
    said = [
        each["member"]
        for each in of(made, "google_service_account_iam_member")
        if each["role"] == "roles/iam.workloadIdentityUser"
    ]
    # Three a person approves, and `train`, that acts for production: plan, apply, train and deploy.
    assert len(said) == 5 + 3 + 4 + 3
    (pool,) = of(made, "google_iam_workload_identity_pool")
    for member in said:
        assert member.startswith(f"principal://iam.googleapis.com/{pool['name']}/subject/repo:owner/name:")
        assert re.search(r":(environment:\w+|pull_request|ref:refs/heads/main)$", member)
    (provider,) = of(made, "google_iam_workload_identity_pool_provider")
    assert provider["oidc"][0]["issuer_uri"] == "https://token.actions.githubusercontent.com"
    assert not of(made, "google_service_account_key")


def test_permissions_are_written_out_one_by_one(made):
    permissions = roles(made)
    assert set(permissions) == {"plan", "apply", "buckets", "look", "train", "deploy", "jobs", "endpoint", "retrain"}
    for name, each in permissions.items():
        for permission in each:
            assert re.fullmatch(r"[a-z]+\.[a-zA-Z]+\.[a-zA-Z]+", permission), f"{name}: {permission}"
            assert not permission.startswith("iam."), f"{name} may become, or make, other accounts: {permission}"
    assert not {each for each in permissions["plan"] if not re.search(r"\.(get|list|getIamPolicy)$", each)}


def test_who_applies_may_make_what_there_is_to_make(made):
    permissions = roles(made)
    apply = permissions["plan"] | permissions["apply"] | permissions["buckets"]
    kinds = {each["type"] for each in made.resources if each["address"].startswith("project: ")}
    assert kinds - {kind for kind in kinds if "_iam_" in kind} - {"terraform_data"} == set(MADE)
    for kind in kinds & set(MADE):
        for verb in ("get", "create", *(() if kind.startswith("google_kms_") else ("delete",))):
            assert f"{MADE[kind]}.{verb}" in apply, kind
    for kind in kinds - set(MADE):
        of_what = MADE[kind.partition("_iam_")[0]]
        assert {f"{of_what}.getIamPolicy", f"{of_what}.setIamPolicy"} <= apply, kind


def test_layers_agree_on_names(made):
    accounts = {each["member"] for each in of(made, "google_service_account")}
    assert len(accounts) == 1 + 1 + 7 * len(ENVIRONMENTS)  # plan, the tracking server, and what environments have
    agents = re.compile(r"serviceAccount:service-\d+@[a-z-]+\.iam\.gserviceaccount\.com")
    for each in made.resources:
        member = each["values"].get("member", "")
        if member.startswith("serviceAccount:"):
            assert member in accounts or agents.fullmatch(member), each["address"]
    said, settings = made.outputs["project"], made.outputs["platform"]["settings"]
    for name in ("job", "endpoint"):
        assert f"serviceAccount:{said[f'mlops_gcp_{name}_service_account']}" in accounts
    assert said["mlops_tracking_uri"] == settings["tracking_uri"]
    assert said["mlops_gcp_network"] == settings["network"]
    assert said["mlops_log_uri"].startswith(f"gs://{said['mlops_gcp_bucket']}/")
    written = {f"projects/{each['project']}/roles/{each['role_id']}" for each in of(made, ROLE)}
    for kind in ("google_project_iam_member", "google_storage_bucket_iam_member"):
        for each in of(made, kind):
            assert each["role"].startswith("roles/") or each["role"] in written, each
    state = re.fullmatch(r'bucket = "([\w-]+)"\n', made.outputs["bootstrap"]["backend"])[1]
    assert {state, said["mlops_gcp_bucket"]} < {each["name"] for each in of(made, "google_storage_bucket")}
    conditions = [
        each["condition"][0]["expression"] for each in of(made, "google_project_iam_member") if each["condition"]
    ]
    assert f"resource.name.startsWith('projects/_/buckets/{said['mlops_gcp_bucket']}')" in conditions


def test_two_regions_have_everything_that_serves(made):
    said = made.outputs["project"]
    for bucket in of(made, "google_storage_bucket"):
        assert len(bucket["custom_placement_config"][0]["data_locations"]) == 2, bucket["name"]
    assert said["mlops_gcp_recovery_endpoint"] == "true"
    assert said["mlops_gcp_recovery_kms_key"] not in ("", said["mlops_gcp_kms_key"])
    watched = [json.dumps(each["conditions"]) for each in of(made, "google_monitoring_alert_policy")]
    regions = {region for text in watched for region in re.findall(r'resource\.labels\.location = \\"([\w-]+)', text)}
    assert regions == {each["location"] for each in of(made, "google_cloud_run_v2_service", "project: ")}
    assert len(regions) == 2


def test_endpoints_are_called_as_deploy_calls_them(made):
    name = made.outputs["project"]["mlops_gcp_bucket"].rpartition("-")[0]
    assert re.fullmatch(r"[a-z][a-z0-9-]{0,61}[a-z0-9]", name)
    for proxy in of(made, "google_cloud_run_v2_service", "project: "):
        (env,) = proxy["template"][0]["containers"][0]["env"]
        assert f"/locations/{proxy['location']}/endpoints/{name}:predict;" in env["value"]


def test_what_is_told_of_has_labels_too(made):
    told = [each for each in made.resources if "user_labels" in each["values"]]
    assert len(told) > 8
    for each in told:
        labels = each["values"]["user_labels"] or {}
        assert {"project", "environment", "owner", "managed-by"} <= set(labels), each["address"]
        assert all(re.fullmatch(GCP.tag, value) for value in labels.values()), each["address"]


def test_the_dashboard_is_one(made):
    (dashboard,) = of(made, "google_monitoring_dashboard")
    said = json.loads(dashboard["dashboard_json"])
    seen = set()
    for tile in said["mosaicLayout"]["tiles"]:
        spot = (tile["xPos"], tile["yPos"])
        assert spot not in seen
        seen.add(spot)
        (data,) = tile["widget"]["xyChart"]["dataSets"]
        assert "metric.type = " in data["timeSeriesQuery"]["timeSeriesFilter"]["filter"]


@pytest.fixture
def start(made):
    """`start(incident, jobs)` runs the workflow of a retraining on an alert's message; `jobs` is what Vertex AI has."""
    (workflow,) = of(made, "google_workflows_workflow")

    def start(incident, jobs, stored=DEFINITION):
        def call(method, url, query, body, auth):
            assert auth == {"type": "OAuth2"}
            if url.startswith("https://storage.googleapis.com/"):
                assert method == "get"
                assert re.search(r"/o/pipelines%2F[\w-]+\.json\?alt=media$", url)
                if stored is None:
                    raise RefusedError(404)
                return stored
            assert method == "post"
            assert re.fullmatch(
                r"https://([\w-]+)-aiplatform\.googleapis\.com/v1/projects/[\w-]+/locations/\1/pipelineJobs", url
            )
            name = query["pipelineJobId"]
            assert re.fullmatch(r"[a-z][-a-z0-9]{0,127}", name)
            if name in jobs:
                raise RefusedError(409)
            jobs[name] = body
            return {"name": name}

        return Workflow(yaml.safe_load(workflow["source_contents"]), call).run(incident)

    return start


# Cloud Storage says of an object what kind it is, and the workflow gets a text or what is in it.
@pytest.mark.parametrize("stored", [DEFINITION, json.dumps(DEFINITION)], ids=["json", "text"])
def test_an_alert_starts_what_submit_left_and_does_so_once(start, stored):
    jobs = {}
    opened = {"incident": {"incident_id": "0.Nqz8-1A", "state": "open"}}
    first = start(opened, jobs, stored)
    assert jobs == {first: DEFINITION}
    assert start(opened, jobs, stored) == first.rpartition("/")[2]
    assert len(jobs) == 1
    assert start({"incident": {"incident_id": "0.Nqz8-1A", "state": "closed"}}, jobs) == "closed"
    start({"incident": {"incident_id": "0.other", "state": "open"}}, jobs)
    assert len(jobs) == 2


def test_an_alert_that_finds_nothing_to_start_fails_aloud(start):
    with pytest.raises(RefusedError, match="404"):
        start({"incident": {"incident_id": "0.1", "state": "open"}}, {}, stored=None)
