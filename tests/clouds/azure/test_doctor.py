"""`mlops doctor --on azure`: what is set, what is behind it, and the commands that set it for the workflows."""

import json
import re

import pytest
from support import workspace as workspaces
from support.azure_ml import GROUP, LOCATION, PLACE, SUBSCRIPTION, WORKSPACE, Said, refused, token

HOST = "flightdelays.azurecr.io"
ACCOUNT = "flightdelaysdev1a2b"
JOBS = "aaaaaaaa-bbbb-cccc-dddd-eeeeeeeeeeee"
ENDPOINT = (
    f"/subscriptions/{SUBSCRIPTION}/resourceGroups/{GROUP}"
    "/providers/Microsoft.ManagedIdentity/userAssignedIdentities/flight-delays-dev-endpoint"
)
BLOBS = f"Microsoft.Storage/storageAccounts/{ACCOUNT}/blobServices/default"
VARIABLES = {
    "MLOPS_ENVIRONMENT": "dev",
    "MLOPS_TRACKING_URI": "sqlite:///mlflow.db",
    "MLOPS_AZURE_SUBSCRIPTION": SUBSCRIPTION,
    "MLOPS_AZURE_RESOURCE_GROUP": GROUP,
    "MLOPS_AZURE_WORKSPACE": WORKSPACE,
    "MLOPS_AZURE_STORAGE_ACCOUNT": ACCOUNT,
    "MLOPS_AZURE_PIPELINE_REPOSITORY": f"{HOST}/flight-delays/pipeline",
    "MLOPS_AZURE_SERVING_REPOSITORY": f"{HOST}/flight-delays/serving",
    "MLOPS_AZURE_CLUSTERS": "cpu=Standard_E4ds_v4,spot=Standard_E4ds_v4:low_priority",
    "MLOPS_AZURE_JOB_IDENTITY": JOBS,
    "MLOPS_AZURE_ENDPOINT_IDENTITY": ENDPOINT,
}


class Built:
    """What infra/azure makes, as far as the doctor looks; tests change what is in it."""

    def __init__(self, azure):
        self.azure = azure
        self.there = {
            f"/subscriptions/{SUBSCRIPTION}": {"displayName": "Machine learning"},
            ENDPOINT: {"properties": {}},
        }
        self.account = {"allowBlobPublicAccess": False, "isHnsEnabled": True}
        self.kept = {"enabled": True, "days": 30}
        self.registry = {"loginServer": HOST, "adminUserEnabled": False, "anonymousPullEnabled": False}
        place = f"/subscriptions/{SUBSCRIPTION}/resourceGroups/{GROUP}/providers"
        self.there |= {
            f"{place}/{BLOBS.removesuffix('/blobServices/default')}": {"properties": self.account},
            f"{place}/{BLOBS}": {"properties": {"deleteRetentionPolicy": self.kept}},
            f"{place}/{BLOBS}/containers/mlops": {"properties": {"publicAccess": "None"}},
            f"/subscriptions/{SUBSCRIPTION}/providers/Microsoft.ContainerRegistry/registries": {
                "value": [{"properties": self.registry}]
            },
        }
        for name, tier in {"cpu": "Dedicated", "spot": "LowPriority"}.items():
            self.cluster(name, tier)
        azure.route("GET", r"/subscriptions/(?!.*/Microsoft\.MachineLearningServices/).*", self.answer)

    def cluster(self, name, tier, size="STANDARD_E4DS_V4", least=0, identity=JOBS):
        scale = {"minNodeCount": least, "maxNodeCount": 4}
        settings = {"vmSize": size, "vmPriority": tier, "scaleSettings": scale}
        identities = {f"/{identity}": {"clientId": identity, "principalId": identity}}
        self.azure.put(
            f"{PLACE}/computes/{name}",
            {
                "location": LOCATION,
                "identity": {"type": "UserAssigned", "userAssignedIdentities": identities},
                "properties": {"computeType": "AmlCompute", "properties": settings},
            },
        )

    def answer(self, asked, match):
        assert re.fullmatch(r"\d{4}-\d\d-\d\d", asked.query["api-version"])
        found = self.there.get(asked.path)
        return Said(body=found) if found else refused(404, "ResourceNotFound", f"there is no {asked.path}")


@pytest.fixture
def doctor(azure, project):
    """`doctor(code, **variables)` is what it says as JSON: findings by name, and the rest."""
    here = workspaces.workspace(project(clouds=["azure"]), **VARIABLES)
    here.commit()
    here.run("dvc", "remote", "add", "--default", "store", str(here.path / "store"))

    def doctor(code, **variables):
        told = json.loads(here.mlops("doctor", "--on", "azure", "--json", code=code, **{**azure.env, **variables}).out)
        return {finding["what"]: finding for finding in told["findings"]}, told

    doctor.project, doctor.env, doctor.built = here, azure.env, Built(azure)
    return doctor


def test_all_is_well_where_the_infrastructure_is_there(doctor):
    findings, told = doctor(0)
    assert [finding for finding in findings.values() if finding["fix"]] == []
    assert findings["credentials"]["found"] == "testing, in eastus of Machine learning"
    assert findings["workspace"]["found"] == f"{WORKSPACE}, in eastus"
    assert "with folders, keeps what is deleted for 30 days" in findings["storage account"]["found"]
    assert findings["clusters"]["found"] == "cpu, spot, no machine while there is no job"
    assert findings["endpoint identity"]["found"] == "flight-delays-dev-endpoint"
    assert "for identities alone" in findings["serving repository"]["found"]
    (account,) = [one for one in told["variables"] if one["name"] == "MLOPS_AZURE_STORAGE_ACCOUNT"]
    assert account["set"] == [f"gh variable set MLOPS_AZURE_STORAGE_ACCOUNT --env dev --body {ACCOUNT}"]

    table = doctor.project.mlops("doctor", "--on", "azure", **doctor.env).out
    assert "gh variable set MLOPS_PLATFORM --body azure" in table
    assert account["set"][0] in table


def test_what_is_missing_is_named_with_the_command_that_sets_it(doctor):
    nothing = dict.fromkeys(VARIABLES)
    findings, told = doctor(3, **{**nothing, "MLOPS_ENVIRONMENT": "prod"})
    for name in ("MLOPS_TRACKING_URI", "MLOPS_AZURE_STORAGE_ACCOUNT", "MLOPS_AZURE_CLUSTERS"):
        output = f"terraform -chdir=infra/azure/project output -raw {name.lower()}"
        assert findings[name]["fix"] == f'gh variable set {name} --env prod --body "$({output})"'
    assert findings["MLOPS_AZURE_REGISTRY"]["fix"] is None
    commands = {one["name"]: one["set"] for one in told["variables"]}
    assert [command.split()[5] for command in commands["MLOPS_AZURE_WORKSPACE"]] == ["prod", "train"]
    assert [command.split()[5] for command in commands["MLOPS_AZURE_TRAIN_CLIENT_ID"]] == ["prod", "train"]
    assert [command.split()[5] for command in commands["MLOPS_AZURE_DEPLOY_CLIENT_ID"]] == ["prod"]
    for name in ("MLOPS_AZURE_PLAN_CLIENT_ID", "MLOPS_AZURE_TENANT"):
        (command,) = commands[name]
        assert "--env" not in command
        assert f"infra/azure/bootstrap output -json {name.lower()} | jq -r ." in command
    *of_environments, of_all = commands["MLOPS_AZURE_SUBSCRIPTION"]
    assert len(of_environments) == 2
    assert "--env" not in of_all


def test_what_is_wrong_behind_a_variable_is_found(doctor):
    built = doctor.built
    built.kept["enabled"] = False
    built.registry["adminUserEnabled"] = True
    built.cluster("spot", "Dedicated")
    findings, _ = doctor(3, MLOPS_AZURE_ENDPOINT_IDENTITY=f"{ENDPOINT}-of-nobody")
    for what, words in {
        "storage account": "keeps nothing that is deleted",
        "clusters": "the cluster spot has machines of the size STANDARD_E4DS_V4, and",
        "endpoint identity": "Azure says ResourceNotFound",
        "pipeline repository": "who has no identity",
    }.items():
        assert words in findings[what]["found"], findings[what]
        assert findings[what]["fix"], findings[what]

    built.account["allowBlobPublicAccess"] = True
    built.cluster("spot", "LowPriority", identity="another")
    wrong = {
        "MLOPS_AZURE_WORKSPACE": "nowhere",
        "MLOPS_AZURE_ENDPOINT_IDENTITY": "endpoint",
        "MLOPS_AZURE_PIPELINE_REPOSITORY": "pipeline:latest",
        "MLOPS_AZURE_SERVING_REPOSITORY": "elsewhere.azurecr.io/serving",
    }
    findings, _ = doctor(3, **wrong)
    assert "opened to everybody" in findings["storage account"]["found"]
    assert "ResourceGroupNotFound" in findings["workspace"]["found"]
    assert "'endpoint' is no /subscriptions/" in findings["endpoint identity"]["found"]
    assert "'pipeline:latest' is no" in findings["pipeline repository"]["found"]
    assert "no registry elsewhere.azurecr.io" in findings["serving repository"]["found"]

    findings, _ = doctor(3)
    assert f"spot does not have the identity {JOBS}" in findings["clusters"]["found"]
    built.cluster("cpu", "Dedicated", least=1)
    findings, _ = doctor(3)
    assert "cpu keeps 1 machines while there is no job" in findings["clusters"]["found"]


def test_what_this_login_may_not_look_at_is_no_fault(azure, doctor):
    azure.rule = lambda asked: (
        refused(403, "AuthorizationFailed", "No.") if "registries" in asked.path or ACCOUNT in asked.path else None
    )
    findings, _ = doctor(0)
    for what in ("storage account", "pipeline repository"):
        assert "may not look at it" in findings[what]["found"]


def test_without_a_login_there_is_nothing_more_to_see(azure, doctor):
    azure.route("POST", "/adfs/oauth2/token", lambda asked, match: Said(401, {"error": "invalid_client"}))
    findings, _ = doctor(3)
    assert "no credentials of Azure that hold" in findings["credentials"]["found"]
    assert "az login" in findings["credentials"]["fix"]
    assert "storage account" not in findings


KINDS = """
import os, pathlib
from mlops.platforms import connect
from mlops.project import load_project
from mlops.settings import load_settings

credential = connect("azure", load_project(), load_settings()).session.credential
file = pathlib.Path(os.environ["AZURE_FEDERATED_TOKEN_FILE"])
for number in (1, 2):
    file.write_text(f"token-{number}")
    credential.get_token(f"https://service-{number}/.default")
"""


def test_a_workflow_s_login_takes_the_newest_token_for_each_service(azure, doctor, tmp_path):
    given = {"token_type": "Bearer", "expires_in": 3600, "access_token": token("a service")}
    azure.route("POST", "/adfs/oauth2/v2.0/token", lambda asked, match: Said(body=given))
    login = {**azure.env, "AZURE_CLIENT_SECRET": None, "AZURE_FEDERATED_TOKEN_FILE": tmp_path / "token"}
    doctor.project.run("python", "-c", KINDS, **login)
    said = [asked.body.decode() for asked in azure.requests("POST", "/token")]
    assert ["client_assertion=token-1" in said[0], "client_assertion=token-2" in said[1]] == [True, True]
    assert "service-2" in said[1]
