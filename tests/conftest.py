"""Fixtures: the template as it is now, projects rendered from it, and where they run."""

import gc
import os
import shutil
from contextlib import contextmanager
from itertools import count
from pathlib import Path

import pytest
from filelock import FileLock
from support import chromium
from support import environment as environments
from support import template as templates
from support.questions import everything

gc.set_threshold(100_000, 50, 100)  # what botocore and copier make mostly lives as long as the tests

GIT = """
[init]
  defaultBranch = main
# What is thrown away in a moment needs neither to be safe nor small.
[core]
  fsync = none
  compression = 0
  preloadIndex = false
[gc]
  auto = 0
[maintenance]
  auto = false
[pack]
  threads = 1
"""


@pytest.fixture(scope="session", autouse=True)
def clean_surroundings(tmp_path_factory):
    """Nothing of the person or machine that runs the tests changes what they see."""
    folder = tmp_path_factory.mktemp("surroundings")
    for name in ("settings", "cache"):
        (folder / name).mkdir()
    (folder / "settings" / "settings.yml").write_text("{}\n", encoding="utf-8")
    (folder / "gitconfig").write_text(GIT, encoding="utf-8")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("COPIER_SETTINGS_PATH", str(folder / "settings" / "settings.yml"))
        patch.setenv("COPIER_CACHE_DIR", str(folder / "cache"))
        patch.setenv("GIT_CONFIG_GLOBAL", str(folder / "gitconfig"))
        patch.setenv("GIT_CONFIG_NOSYSTEM", "1")
        alone = {"PYTHONDONTWRITEBYTECODE", "PYTHONPATH", "UV_PROJECT_ENVIRONMENT", "UV_PYTHON", "VIRTUAL_ENV"}
        for name in list(os.environ):
            if name in alone or name.startswith(("DVC_", "GIT_AUTHOR", "MLFLOW_", "MLOPS_")):
                patch.delenv(name)
        yield


@pytest.fixture(scope="session")
def once(tmp_path_factory):
    """`with once("name") as folder:` does its body in one of the xdist workers; the others wait.

    The folder is shared by all workers. It is None where the work was done before: then
    `once.path("name")` says where.
    """
    base = tmp_path_factory.getbasetemp()
    return Once(base.parent if os.environ.get("PYTEST_XDIST_WORKER") else base)


class Once:
    def __init__(self, base):
        self.base = base

    def path(self, name):
        return self.base / f"shared-{name}"

    @contextmanager
    def __call__(self, name):
        done = self.base / f"shared-{name}.done"
        with FileLock(self.base / f"shared-{name}.lock"):
            try:
                yield None if done.exists() else self.path(name)
            except BaseException:
                shutil.rmtree(self.path(name), ignore_errors=True)
                raise
            done.touch()


@pytest.fixture(scope="session")
def template(once):
    """The template's repository as it is now, uncommitted changes included, tagged v9999.0.0."""
    with once("template") as folder:
        if folder:
            templates.snapshot(folder)
    return once.path("template")


@pytest.fixture
def render(template, tmp_path):
    """`render(**answers)` copies the template with these answers and returns the new folder.

    Other answers are the defaults; `into=FOLDER` copies into a folder of the test's choice.
    """
    numbers = count(1)

    def render(into=None, **answers):
        return templates.copy(template, into or tmp_path / f"project-{next(numbers)}", **answers)

    return render


@pytest.fixture(scope="session")
def environment(template, once, tmp_path_factory):
    """What any project needs, installed once: `environment.install(folder)` -> `Project`."""
    at_once = {"MLFLOW_HTTP_REQUEST_BACKOFF_FACTOR": "0", "MLFLOW_HTTP_REQUEST_BACKOFF_JITTER": "0"}
    env = environments.changed(dict(os.environ), {"UV_NO_SYNC": "1", "NO_COLOR": "1", **at_once})
    with once("environment") as folder:
        if folder:
            projects = [
                templates.copy(template, tmp_path_factory.mktemp("frameworks") / name, framework=name, **everything())
                for name in ("scikit-learn", "xgboost", "lightgbm")
            ]
            environments.install_shared(folder, projects, env=env)
    return environments.Environment(once.path("environment") / "venv", env)


@pytest.fixture
def project(render, environment):
    """`project(**answers)` renders a project that can run: `project().run("mlops", "--help")`.

    It is a folder as `copier copy` leaves it, plus `.venv`: no git repository yet. `run` asserts
    exit code 0, or `code=`, and returns an object with `code`, `out` and `err`.
    """

    def project(into: Path | None = None, **answers):
        return environment.install(render(into=into, **answers))

    return project


@pytest.fixture
def opens_well(tmp_path):
    """`opens_well(path)` has a browser open a page, which neither complains nor fetches a thing; returns its text."""

    def opens_well(path):
        if chromium.find() is None:
            pytest.skip("there is no Chromium here to open the page with")
        with chromium.opened(path, tmp_path / "profile") as page:
            fetched = page("performance.getEntriesByType('resource').map(each => each.name)")
            assert (page.said, fetched) == ([], [])
            names = page("[...document.querySelectorAll('[id]')].map(each => each.id)")
            assert len(names) == len(set(names)), "plots keep their names apart"
            return page("document.body.innerText")

    return opens_well
