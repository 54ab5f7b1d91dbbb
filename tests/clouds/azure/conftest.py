"""An Azure of the tests' own: a management plane and a storage account a worker, emptied for each test."""

import pytest
from project.conftest import made, rendered, small  # noqa: F401 - made the same way
from support import azure as azurite
from support import azure_ml, warm
from support.environment import SCRIPTS
from support.front import front


@pytest.fixture(scope="session", autouse=True)
def sdk():
    warm.importing("adlfs", "azure.ai.ml", "azure.identity")


@pytest.fixture(scope="session")
def server(environment, tmp_path_factory):
    folder = tmp_path_factory.mktemp("azure")
    with azure_ml.management(folder, environment.path / SCRIPTS / "python") as shown:
        yield shown


@pytest.fixture
def azure(server):
    """A `support.azure_ml.Management` with a workspace and nothing in it."""
    server.reset()
    return server


@pytest.fixture(scope="session")
def account(tmp_path_factory):
    with azurite.storage(tmp_path_factory.mktemp("azurite")) as account:
        yield account


@pytest.fixture
def storage(account):
    """A `support.azure.Storage` with an empty container."""
    account.reset()
    return account


@pytest.fixture
def network(storage):
    """A `support.front.Front` before the storage, whose connections can be lost."""
    with front(storage.url) as shown:
        yield shown
