"""Projects that have run, made once for all tests; a test that changes one gets a copy of its own."""

import json
from dataclasses import asdict
from itertools import count

import pytest
from support import template as templates
from support import workspace as workspaces
from support.environment import Done
from support.workspace import Workspace

SMALL = {
    "classification": {"gate.worst_slice": 0.3},
    "regression": {"gate.worst_slice": 90, "gate.minimum": 90},
}


@pytest.fixture(scope="session")
def made(once):
    """`made(name, make)` has `make(folder)` done once for all workers; it returns a workspace and a `Done`.

    The workspace is shared: change a copy.
    """

    def made(name, make):
        with once(name) as folder:
            if folder:
                project, done = make(folder)
                kept = {"env": project.env, "done": asdict(done) if done else None}
                folder.with_suffix(".json").write_text(json.dumps(kept), encoding="utf-8")
        folder = once.path(name)
        kept = json.loads(folder.with_suffix(".json").read_text(encoding="utf-8"))
        return Workspace(folder, kept["env"]), Done(**kept["done"]) if kept["done"] else None

    return made


@pytest.fixture(scope="session")
def rendered(template, environment, once):
    """`rendered(folder, **answers)` is a new project that can run, its files committed."""

    def rendered(folder, **answers):
        project = environment.install(templates.copy(template, folder, **answers))
        project = workspaces.workspace(project, DVC_SITE_CACHE_DIR=once.base / "dvc-site")
        project.commit()
        return project

    return rendered


@pytest.fixture(scope="session")
def first_run(made, rendered):
    """`first_run(task, framework)`: a project after its first `mlops run`, and what that said. Shared."""

    def first_run(task, framework):
        def make(folder):
            project = rendered(folder, task=task, framework=framework)
            return project, project.mlops("run")

        return made(f"first-{task}-{framework}", make)

    return first_run


@pytest.fixture
def small(made, rendered, tmp_path):
    """`small(task="classification", ran=False)`: a copy of a project with few rows and few trees."""
    numbers = count(1)

    def small(task="classification", *, ran=False):
        def fresh(folder):
            project = rendered(folder, task=task)
            project.edit_data("frame.gather_every(6)")
            # A machine that does much at once is slow; the gate's bound on that has tests of its own.
            common = {"estimator.max_iter": 10, "evaluate.slice_rows": 50, "gate.latency_ms": None}
            project.set({**common, **SMALL[task]})
            project.commit()
            return project, None

        def run(folder):
            project = workspaces.copy(made(f"small-{task}", fresh)[0], folder)
            return project, project.mlops("run")

        original, _ = made(f"small-{task}-ran", run) if ran else made(f"small-{task}", fresh)
        return workspaces.copy(original, tmp_path / f"small-{next(numbers)}")

    return small
