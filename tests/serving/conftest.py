"""A project with two versions in its registry, and servers of it that answer on a free port."""

from contextlib import ExitStack

import pytest
from project.conftest import first_run, made, rendered  # noqa: F401 - the same projects, made once for all
from registry.conftest import original  # noqa: F401 - the same project, made once for both
from support import workspace as workspaces
from support.server import served

# A session's requests are many and small: their log must not fill the shared project.
QUIET = {"MLOPS_LOG_URI": ""}


@pytest.fixture
def project(original, tmp_path):  # noqa: F811
    """A copy of the project, to be changed: version 2 is champion and lacks a feature of version 1's."""
    return workspaces.copy(original, tmp_path / "project")


@pytest.fixture(scope="session")
def champion(original):  # noqa: F811
    """A server of the champion that all tests share: it keeps no log."""
    with served(original, **QUIET) as server:
        yield server


@pytest.fixture
def serve():
    """`serve(project, *arguments, **env)` starts a server that ends with the test."""
    with ExitStack() as stack:
        yield lambda project, *arguments, **env: stack.enter_context(served(project, *arguments, **env))


@pytest.fixture(scope="session")
def rows(original):  # noqa: F811
    """1,000 rows of the sample as JSON has them, with all columns known when scoring and the key."""
    return json_rows(original)


def json_rows(project):
    return project.script(
        "import json, polars as pl\n"
        "frame = pl.read_parquet('data/sample/flights.parquet').head(1000).drop('arr_delay')\n"
        "time = pl.col('scheduled_departure').dt.to_string('iso:strict')\n"
        "print(frame.with_columns(time).write_json())\n"
    )
