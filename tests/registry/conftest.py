"""A project with two versions in its registry, made once for all tests; each test gets a copy."""

import json
import subprocess
from dataclasses import dataclass

import pytest
from support import template as templates
from support import workspace as workspaces
from support.environment import UV, Done
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
VERBS = {"audit", "card", "lineage", "promote", "rollback"}
SHELL = """
import io, json, sys
from contextlib import redirect_stderr, redirect_stdout
from mlops import cli
for line in sys.stdin:
    out, err, code = io.StringIO(), io.StringIO(), 0
    sys.argv = ["mlops", *json.loads(line)]
    with redirect_stdout(out), redirect_stderr(err):
        try:
            cli.main()
        except SystemExit as end:
            code = end.code or 0
    print(json.dumps([code, out.getvalue(), err.getvalue()]), flush=True)
"""
ANN = {"user.name": "Ann Lee", "user.email": "ann@example.com"}


@dataclass(frozen=True)
class Desk(Workspace):
    """A project whose registry's verbs run in one process, for each by itself would import MLflow anew."""

    shell: subprocess.Popen

    def mlops(self, *arguments, code=0, timeout=300, **env):
        if arguments[0] not in VERBS or env:
            return super().mlops(*arguments, code=code, timeout=timeout, **env)
        self.shell.stdin.write(json.dumps([str(each) for each in arguments]) + "\n")
        self.shell.stdin.flush()
        done = Done(*json.loads(self.shell.stdout.readline()))
        assert code is None or done.code == code, f"mlops {arguments}: {done}"
        return done


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
    copy = workspaces.copy(original, tmp_path / "project")
    shell = subprocess.Popen(
        [copy.python, "-c", SHELL],
        cwd=copy.path,
        env=copy.env,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        encoding="utf-8",
    )
    with shell:
        yield Desk(copy.path, copy.env, shell)


@pytest.fixture
def log():
    """`log(project)` is the audit log as a list of entries."""

    def log(project):
        return [json.loads(line) for line in project.mlops("audit", "export").out.splitlines()]

    return log
