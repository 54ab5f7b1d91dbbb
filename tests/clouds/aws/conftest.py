"""An AWS of the tests' own: one server a worker, emptied for each test."""

import pytest
from support import aws as clouds
from support import warm
from support.front import front


@pytest.fixture(scope="session", autouse=True)
def sdk():
    warm.importing("boto3")


@pytest.fixture(scope="session")
def server(tmp_path_factory):
    with clouds.cloud(tmp_path_factory.mktemp("aws") / "moto.log") as cloud:
        yield cloud


@pytest.fixture
def aws(server):
    """A `support.aws.Cloud` with nothing in it."""
    server.reset()
    return server


@pytest.fixture
def network(aws):
    """A `support.front.Front` before AWS, whose connections can be lost."""
    with front(aws.url) as shown:
        yield shown
