"""A Google Cloud of the tests' own: a proxy that answers as it and a storage a worker, emptied for each test."""

import pytest
from project.conftest import made, rendered, small  # noqa: F401 - made the same way
from support import google as googles
from support import google_storage, warm
from support.environment import SCRIPTS
from support.front import front


@pytest.fixture(scope="session", autouse=True)
def sdk():
    warm.importing("google.api_core.exceptions", "google.cloud.aiplatform_v1")


@pytest.fixture(scope="session")
def proxy(environment, tmp_path_factory):
    folder = tmp_path_factory.mktemp("google")
    with googles.cloud(folder, environment.path / SCRIPTS / "python") as shown:
        yield shown


@pytest.fixture
def google(proxy):
    """A `support.google.Google` that gives tokens and knows nothing else."""
    proxy.reset()
    return proxy


@pytest.fixture(scope="session")
def buckets(tmp_path_factory):
    with google_storage.storage(tmp_path_factory.mktemp("fake-gcs-server")) as storage:
        yield storage


@pytest.fixture
def storage(buckets):
    """A `support.google_storage.Storage` with an empty bucket."""
    buckets.reset()
    return buckets


@pytest.fixture
def network(storage):
    """A `support.front.Front` before the storage, whose connections can be lost."""
    with front(storage.url) as shown:
        yield shown
