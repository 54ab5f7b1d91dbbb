"""deploy.yml is run with act: what waits goes to staging and to production, and back; an issue tells of failures."""

import json

import pytest
from clouds.aws.conftest import server  # noqa: F401 - the same cloud
from clouds.aws.deploy.conftest import SETTINGS, clouded, front, front_server, tag  # noqa: F401 - and the same project
from registry.conftest import original  # noqa: F401 - which is made there
from support import workspace as workspaces


@pytest.fixture
def site(site, clouded, front, render, tmp_path):  # noqa: F811
    """The project with two versions, of which 2 is champion, and a registry that all its jobs reach."""
    copy = workspaces.copy(clouded, tmp_path / "project")
    copy.run("cp", "-r", render(clouds=["aws"]) / ".github", copy.path)
    made = site(copy, front.cloud)
    here = {name: value for name, value in SETTINGS.items() if name != "MLOPS_ENVIRONMENT"}
    made.variables = {**made.variables, **here, "MLOPS_TRACKING_URI": f"sqlite:///{copy.path}/mlflow.db"}
    return made


def deployed(project):
    """What each environment serves, as the registry has it."""
    return json.loads(project.mlops("deploy", "--on", "aws", "--look").out)["deployed"]


def test_the_champion_goes_to_staging_and_production_and_back(site):
    site.run("schedule", "deploy.yml")
    assert [line.rpartition("/")[2] for line in site.lines("logins")] == ["train", "deploy", "deploy"]
    assert deployed(site.project) == {"staging": "2", "prod": "2"}
    assert site.programs.asked("gh", "issue", "create") == []

    site.run("workflow_dispatch", "deploy.yml", "--input", "back=true", "--input", "reason=too slow")
    assert deployed(site.project)["prod"] == "1"
    assert site.project.champion == "1"

    done = site.run("workflow_dispatch", "deploy.yml", "--input", "version=99", code=1)
    assert "99" in done.out
    (issue,) = site.programs.asked("gh", "issue", "create")
    assert "A deployment failed" in issue
