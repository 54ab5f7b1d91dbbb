"""An AWS of the tests' own: one server a worker, emptied for each test."""

from itertools import count

import pytest
from project.conftest import SMALL, made, rendered  # noqa: F401 - made the same way
from support import aws as clouds
from support import workspace as workspaces
from support.front import front


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


@pytest.fixture
def piped(made, rendered, tmp_path):  # noqa: F811
    """`piped()`: a copy of a small project for AWS, committed with the lock file that an image is built from."""
    numbers = count(1)

    def fresh(folder):
        project = rendered(folder, clouds=["aws"])
        project.edit_data("frame.gather_every(6)")
        common = {"estimator.max_iter": 10, "evaluate.slice_rows": 50, "gate.latency_ms": None}
        project.set({**common, **SMALL["classification"]})
        (project.path / "uv.lock").write_text("version = 1\n", encoding="utf-8")
        project.commit()
        return project, None

    return lambda: workspaces.copy(made("small-aws", fresh)[0], tmp_path / f"piped-{next(numbers)}")
