"""This machine as a platform: it compiles and runs, and refuses by name what needs a cloud."""

import pytest
from project.conftest import made, rendered, small  # noqa: F401 - made the same way

REST = """
import json
from mlops.errors import UsageError
from mlops.platforms import available, connect
from mlops.project import load_project
from mlops.settings import load_settings
local = connect("local", load_project(), load_settings())
calls = {
    "schedule": ((), None), "deploy": (None, None, print), "rollback": ("1", {}, print), "deployment": (),
    "publish": ({}, {}), "image": ("serving", "tag"), "repository": ("serving",), "status": ("elsewhere",),
}
said = {"available": available(), "prices": local.prices()}
for name, arguments in calls.items():
    try:
        said[name] = getattr(local, name)(*arguments)
    except UsageError as error:
        said[name] = str(error)
print(json.dumps(said))
"""


@pytest.fixture
def project(small):  # noqa: F811
    return small()


def test_submit_runs_here_and_nothing_else_is_pretended(project):
    (project.path / "uv.lock").unlink(missing_ok=True)  # an image is not needed
    done = project.mlops("submit", "--on", "local")
    assert done.out.splitlines()[-2:] == ["run local", "succeeded"]
    assert project.champion == "1"
    assert "Nothing to do" in project.mlops("submit", "--on", "local").out
    assert "set data.source there" in project.refuses("submit", "--on", "local", "--data", "s3://bucket/x", code=2)
    assert project.mlops("status", "local", "--on", "local").out == "succeeded\n"
    said = project.script(REST)
    assert said.pop("available") == ["local"]
    assert said.pop("prices") == {}
    assert all(str(text).startswith(("local ", "'elsewhere' is no run on local")) for text in said.values()), said
    assert "this project has local" in project.refuses("compile", "--on", "aws", code=2)
