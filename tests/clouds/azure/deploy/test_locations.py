"""Two locations: both serve, and one goes on when the other is taken away."""

import pytest
from clouds.azure.deploy.conftest import IDENTITY, NAME
from support.azure import ACCOUNT, CONTAINER
from support.azure_ml import LOST, PLACE

RECOVERY = PLACE.replace("flight-delays-dev", "flight-delays-dev-recovery")
BOTH = {
    "MLOPS_AZURE_RECOVERY_WORKSPACE": "flight-delays-dev-recovery",
    "MLOPS_AZURE_RECOVERY_RESOURCE_GROUP": "flight-delays-dev-recovery",
    "MLOPS_AZURE_RECOVERY_STORAGE_ACCOUNT": f"{ACCOUNT}r",
    "MLOPS_AZURE_RECOVERY_ENDPOINT_IDENTITY": f"{IDENTITY}-recovery",
}


@pytest.fixture
def project(project, azure):
    azure.put(RECOVERY, {**azure.workspace(), "location": "westus"})
    project.serving(canary_minutes=0)
    return project


def version_in(endpoints, place, row):
    return endpoints.invoke(NAME, [row], place)[0]["model_version"]


def test_one_location_is_taken_away(project, azure, endpoints, row):
    said = project.mlops("deploy", "--on", "azure", "--model", "1", **BOTH).out
    locations = [line.split(":")[0].strip() for line in said.splitlines() if "version 1 answers" in line]
    main, recovery = locations
    assert version_in(endpoints, PLACE, row) == version_in(endpoints, RECOVERY, row) == "1"
    blue = endpoints.serving(NAME, RECOVERY)["properties"]
    log = f"abfs://{CONTAINER}@{ACCOUNT}r.dfs.core.windows.net/logs/predictions"
    assert blue["environmentVariables"]["MLOPS_LOG_URI"] == log
    (endpoint,) = [
        each for name, each in azure.resources.items() if name == f"{RECOVERY}/onlineEndpoints/{NAME}".lower()
    ]
    assert list(endpoint["identity"]["userAssignedIdentities"]) == [f"{IDENTITY}-recovery"]
    assert "Nothing to do" in project.mlops("deploy", "--on", "azure", "--model", "1", **BOTH).out

    azure.rule = lambda asked: LOST if RECOVERY.lower() in asked.path.lower() else None
    told = project.refuses("deploy", "--on", "azure", code=1, **BOTH)
    assert f"version 2 serves in {main}, but not in {recovery}" in told
    assert version_in(endpoints, PLACE, row) == "2"
    assert version_in(endpoints, RECOVERY, row) == "1", "what serves there goes on serving"

    azure.rule = lambda asked: None
    project.mlops("deploy", "--on", "azure", **BOTH)
    assert version_in(endpoints, RECOVERY, row) == "2"
    project.mlops("rollback", "--on", "azure", "--reason", "It is wrong.", **BOTH)
    assert version_in(endpoints, PLACE, row) == version_in(endpoints, RECOVERY, row) == "1"


def test_what_is_missing_for_the_recovery_location_is_said(project):
    told = project.refuses("deploy", "--on", "azure", code=2, MLOPS_AZURE_RECOVERY_WORKSPACE="elsewhere")
    assert "MLOPS_AZURE_RECOVERY_RESOURCE_GROUP is not set" in told
