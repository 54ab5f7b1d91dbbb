"""`mlops rollback --on gcp`: the version before serves again, at once."""

import pytest
from clouds.gcp.deploy.conftest import NAME

WHY = ("--reason", "The figures look wrong.")


@pytest.fixture
def project(project):
    """The project, of which version 2 serves and version 1 waits."""
    project.serving(canary_minutes=0, max_instances=4)
    project.mlops("deploy", "--on", "gcp", "--model", "1")
    project.mlops("deploy", "--on", "gcp")
    return project


def test_it_goes_back_at_once_and_needs_no_new_deployment(project, endpoints, row):
    endpoints.changes()
    sizes = []
    endpoints.turned = lambda _: sizes.append(endpoints.sizes(NAME, "v1"))
    said = project.mlops("rollback", "--on", "gcp", *WHY).out
    assert f"{NAME} serves version 1 of flight-delays again." in said
    assert endpoints.invoke(NAME, [row])[0]["model_version"] == "1"
    assert sizes == [(2, 4)], "it has its replicas before requests go there"
    assert endpoints.deployed(NAME, "v2") is None
    assert "DeployModel" not in endpoints.changes()
    assert project.champion == "1"
    assert project.deployed == {"mlops.deployed.dev": "1"}
    # Once more, and there is nothing before it.
    assert project.mlops("rollback", "--on", "gcp", *WHY, code=None).code == 1
    assert endpoints.invoke(NAME, [row])[0]["model_version"] == "1"


@pytest.mark.parametrize("step", ["MutateDeployedModel", "UpdateEndpoint", "UndeployModel"])
def test_it_goes_on_after_a_kill(project, endpoints, row, step):
    endpoints.after = {step: project.kill}
    assert project.mlops("rollback", "--on", "gcp", *WHY, code=None).code == -9
    endpoints.after = {}
    project.mlops("rollback", "--on", "gcp", *WHY)
    assert endpoints.invoke(NAME, [row])[0]["model_version"] == "1"
    assert endpoints.sizes(NAME, "v1") == (2, 4)
    assert endpoints.deployed(NAME, "v2") is None
    assert project.champion == "1"
    assert project.deployed == {"mlops.deployed.dev": "1"}


def test_a_version_that_waited_has_its_replicas_before_it_gets_requests(project, endpoints):
    sizes = []
    endpoints.turned = lambda _: sizes.append(endpoints.sizes(NAME, "v1"))
    endpoints.changes()
    project.mlops("deploy", "--on", "gcp", "--model", "1")
    assert set(sizes) == {(2, 4)}
    assert "DeployModel" not in endpoints.changes()
    assert endpoints.traffic(NAME) == {"v1": 100}
