"""What is so on Azure alone: who may do what where, accounts, and data that is in the way of `destroy`."""

import json
import re

import pytest
from infra.clouds import AZURE, ENVIRONMENTS, LAYERS
from support.template import ROOT, files
from support.tf_offline.session import terraform

STRONG = {"Owner", "User Access Administrator", "Storage Blob Data Owner"}


@pytest.fixture(params=["default", "awkward"])
def made(applied, request):
    return applied(AZURE, request.param)


def of(made, kind):
    return [each for each in made.resources if each["type"] == kind]


def test_every_account_and_identity_comes_from_a_module():
    for name in files(ROOT / "template" / "infra" / "azure"):
        if name.endswith(".tf") and not name.startswith("modules/"):
            text = (ROOT / "template" / "infra" / "azure" / name).read_text(encoding="utf-8")
            kinds = "storage_account|user_assigned_identity|federated_identity_credential|machine_learning_workspace"
            assert not re.search(rf'resource "azurerm_({kinds})"', text), name


def test_no_role_reaches_further_than_a_resource_group(made):
    roles = [each["values"] for each in of(made, "azurerm_role_assignment")]
    assert len(roles) > 60
    for role in roles:
        assert re.match(r"/subscriptions/[^/]+/resourceGroups/[^/]+", role["scope"]), role
        assert role["role_definition_name"] not in STRONG, role
        if role["role_definition_name"] == "Role Based Access Control Administrator":
            assert "roleAssignments:RoleDefinitionId" in role["condition"], role


def test_tokens_are_taken_from_one_job_of_one_repository(made):
    credentials = [each["values"] for each in of(made, "azurerm_federated_identity_credential")]
    # Three a person approves, and `train`, that acts for production: plan, apply, train and deploy.
    assert len(credentials) == 5 + 3 + 4 + 3
    for said in credentials:
        assert said["issuer"] == "https://token.actions.githubusercontent.com"
        assert said["audience"] == ["api://AzureADTokenExchange"]
        assert re.fullmatch(r"repo:owner/name:(environment:\w+|pull_request|ref:refs/heads/main)", said["subject"])


def test_every_role_that_is_given_may_be(made):
    """What project/ gives is on the list of what its identity may give; a role that is not, its apply is refused."""
    text = (ROOT / "template" / "infra" / "azure" / "bootstrap" / "permissions.tf").read_text(encoding="utf-8")
    listed = set(re.findall(r'^    "([^"]+)"\s+= "[0-9a-f-]{36}"$', text, re.MULTILINE))
    roles = [each for each in of(made, "azurerm_role_assignment") if each["address"].startswith("project: ")]
    assert {each["values"]["role_definition_name"] for each in roles} <= listed
    assert len(listed) > 8


def test_two_locations_have_everything_that_serves(made):
    said = made.outputs["project"]
    places = {each["values"]["location"] for each in of(made, "azurerm_machine_learning_workspace")}
    assert len(places) == 2
    assert said["mlops_azure_recovery_storage_account"] not in ("", said["mlops_azure_storage_account"])
    origins = [each["values"] for each in of(made, "azurerm_cdn_frontdoor_origin")]
    assert sorted(each["priority"] for each in origins) == [1, 2]
    assert len({each["host_name"] for each in origins}) == 2


def test_endpoints_are_called_as_deploy_calls_them(made):
    (name,) = {each["values"]["host_name"].split(".")[0] for each in of(made, "azurerm_cdn_frontdoor_origin")}
    assert re.fullmatch(r"[a-z][a-z0-9-]{1,30}[a-z0-9]", name)
    watched = {scope for each in of(made, "azurerm_monitor_metric_alert") for scope in each["values"]["scopes"]}
    assert {scope.split("/")[-1] for scope in watched if "/onlineEndpoints/" in scope} == {name}


def test_layers_agree_on_names(made):
    groups = {each["values"]["name"] for each in of(made, "azurerm_resource_group")}
    for each in made.resources:
        assert each["values"].get("resource_group_name", next(iter(groups))) in groups, each["address"]
    identities = {each["values"]["name"] for each in of(made, "azurerm_user_assigned_identity")}
    assert len(identities) == 1 + 5 * len(ENVIRONMENTS)
    said, settings = made.outputs["project"], made.outputs["platform"]["settings"]
    assert said["mlops_tracking_uri"] == settings["tracking_uri"]
    assert f"@{said['mlops_azure_storage_account']}." in said["mlops_log_uri"]
    account = re.search(r'storage_account_name = "(\w+)"', made.outputs["bootstrap"]["backend"])[1]
    assert account in {each["values"]["name"] for each in of(made, "azurerm_storage_account")}


def test_the_workbook_is_one(made):
    (workbook,) = of(made, "azurerm_application_insights_workbook")
    said = json.loads(workbook["values"]["data_json"])
    assert said["version"] == "Notebook/1.0"
    assert all({"type", "name", "content"} <= set(item) for item in said["items"])


def test_data_is_in_the_way_of_destroy(made):
    assert set(made.refused) == set(LAYERS)
    for said in made.refused.values():
        assert "apply with keep_data = false before you destroy" in " ".join(said.split())


def test_a_storage_account_that_is_replaced_loses_nothing(own):
    folder = own("azure", "default") / "modules" / "storage"
    options = [
        f"-var={each}"
        for each in ("resource_group=g", "location=eastus", "tags={}", 'containers=["mlops"]', "keep_data=true")
    ]
    with terraform(folder) as run:
        assert run("init")[0] == 0
        code, said = run("apply", "-auto-approve", "-input=false", "-var=name=first", *options)
        assert code == 0, said
        code, said = run(
            "apply",
            "-auto-approve",
            "-input=false",
            "-replace=azurerm_storage_account.this",
            "-var=name=first",
            *options,
        )
        assert code == 1
        assert "Data is in the way" in said
