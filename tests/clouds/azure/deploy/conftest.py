"""A project with two versions, a workspace as `infra/azure/project` would have made it."""

import pytest
from registry.conftest import original  # noqa: F401 - the same project, made once for all
from support import deployed
from support import workspace as workspaces
from support.azure import ACCOUNT
from support.azure_endpoints import Endpoints
from support.azure_ml import GROUP, PREFIX, SUBSCRIPTION, WORKSPACE
from support.azure_runs import Images
from support.environment import SCRIPTS, changed
from support.served import Containers

NAME = "flight-delays-dev"
IDENTITY = f"{PREFIX}/Microsoft.ManagedIdentity/userAssignedIdentities/endpoint"
SETTINGS = {
    "MLOPS_ENVIRONMENT": "dev",
    "MLOPS_POLL_SECONDS": "0.01",
    "MLOPS_AZURE_SUBSCRIPTION": SUBSCRIPTION,
    "MLOPS_AZURE_RESOURCE_GROUP": GROUP,
    "MLOPS_AZURE_WORKSPACE": WORKSPACE,
    "MLOPS_AZURE_STORAGE_ACCOUNT": ACCOUNT,
    "MLOPS_AZURE_ENDPOINT_IDENTITY": IDENTITY,
}
REPOSITORY = "flight-delays/serving"


@pytest.fixture(scope="session")
def clouded(original, template, once):  # noqa: F811
    return deployed.clouded(original, template, once)


@pytest.fixture(scope="session")
def containers(clouded, environment, tmp_path_factory):
    """Servers that run the machinery of the project, and nothing else of it."""
    app = tmp_path_factory.mktemp("image") / "src"
    app.mkdir()
    (app / "mlops").symlink_to(clouded.path / "src/mlops")
    made = Containers(tmp_path_factory.mktemp("containers"), environment.path / SCRIPTS / "python", app)
    yield made
    made.stop()


@pytest.fixture
def endpoints(azure, storage, containers):
    return Endpoints(azure, storage, containers)


@pytest.fixture(scope="session")
def tag(clouded):
    return deployed.serving_tag(clouded)


@pytest.fixture
def project(clouded, azure, storage, endpoints, tag, tmp_path):
    """A copy of the project of which version 2 is champion; its verbs ask the plane and the account."""
    copy = workspaces.copy(clouded, tmp_path / "project")
    Images(azure).push(REPOSITORY, tag)
    env = {**storage.env, **azure.env, **SETTINGS, "MLOPS_AZURE_SERVING_REPOSITORY": f"{azure.host}/{REPOSITORY}"}
    return deployed.Desk(copy.path, changed(copy.env, env))


@pytest.fixture(scope="session")
def row(clouded):
    return deployed.sample(clouded)
