"""A project with two versions in its registry, made once for all tests; each test gets a copy."""

import json

import pytest
from support import template as templates
from support import workspace as workspaces
from support.environment import UV
from support.template import git
from support.workspace import Workspace

SMALL = {
    "estimator.max_iter": 10,
    "evaluate.slice_rows": 50,
    "gate.worst_slice": 0.3,
    "gate.latency_ms": None,
    # So that the second version, which is worse, is promoted too.
    "gate.minimum_gain": -1.0,
    "gate.minimum": 0.5,
}
ANN = {"user.name": "Ann Lee", "user.email": "ann@example.com"}


def _prepare(folder, template, environment, once):
    project = environment.install(templates.copy(template, folder))
    project = workspaces.workspace(project, DVC_SITE_CACHE_DIR=once.base / "dvc-site")
    project.run(UV, "lock", "-q", timeout=600)
    project.edit_data("frame.gather_every(6)")
    project.set(SMALL)
    git("init", "-q", cwd=project.path)
    for name, value in ANN.items():
        git("config", name, value, cwd=project.path)
    _commit(project, "First")
    project.mlops("run")
    project.edit("PACKAGE/features.py", '        "temp",\n', "")
    _commit(project, "Second")
    project.mlops("run")
    return project


def _commit(project, message):
    git("add", "-A", cwd=project.path)
    git("commit", "-q", "--no-verify", "-m", message, cwd=project.path)


@pytest.fixture(scope="session")
def original(template, environment, once):
    """The project that tests copy: version 1, then version 2 (champion) without a feature of version 1's."""
    with once("two-versions") as folder:
        if folder:
            project = _prepare(folder, template, environment, once)
            folder.with_suffix(".json").write_text(json.dumps(project.env), encoding="utf-8")
    folder = once.path("two-versions")
    return Workspace(folder, json.loads(folder.with_suffix(".json").read_text(encoding="utf-8")))


@pytest.fixture
def project(original, tmp_path):
    """A project of the test's own with versions 1 and 2, of which 2 is champion; Ann has trained both."""
    return workspaces.copy(original, tmp_path / "project")


@pytest.fixture
def log():
    """`log(project)` is the audit log as a list of entries."""

    def log(project):
        return [json.loads(line) for line in project.mlops("audit", "export").out.splitlines()]

    return log
