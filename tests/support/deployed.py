"""What tests of deployments to any cloud need: a project that has the cloud, and its verbs in a shell."""

import json
import os
import signal
import subprocess
from contextlib import contextmanager
from dataclasses import dataclass, field

import yaml

from support import template as templates
from support import workspace as workspaces
from support.environment import Done, changed
from support.questions import everything
from support.workspace import Workspace

# Imports once, and lends each verb a process of its own, in the folder of its project, which may be killed.
SHELL = """
import json, os, sys, traceback
import {packages}
import mlflow, mlflow.store.tracking.sqlalchemy_store, mlflow.store.model_registry.sqlalchemy_store
from mlops import cli
from mlops.platforms import deploying
for line in sys.stdin:
    folder, arguments, env, out, err = json.loads(line)
    process = os.fork()
    if not process:
        os.chdir(folder)
        os.environ.clear()
        os.environ.update(env)
        for number, file in ((1, out), (2, err)):
            os.dup2(os.open(file, os.O_WRONLY | os.O_CREAT | os.O_TRUNC), number)
        sys.argv = ["mlops", *arguments]
        code = 1
        try:
            cli.main()
            code = 0
        except SystemExit as end:
            code = end.code or 0
        except BaseException:
            traceback.print_exc()
        finally:
            sys.stdout.flush()
            sys.stderr.flush()
            os._exit(code)
    print(process, flush=True)
    print(os.waitstatus_to_exitcode(os.waitpid(process, 0)[1]), flush=True)
"""

ROWS = """
import json, polars as pl
frame = pl.read_parquet('data/sample/flights.parquet').tail(1500)
time = pl.col('scheduled_departure').dt.to_string('iso:strict')
rows = json.loads(frame.drop('arr_delay').with_columns(time).write_json())
for number, row in enumerate(rows):
    row['prediction_id'] = f'test-{number}'
frame.select(label=pl.col('arr_delay') > 15).with_row_index('n').select(
    prediction_id='test-' + pl.col('n').cast(pl.String), late='label'
).write_parquet('labels.parquet')
print(json.dumps(rows))
"""
"""Prints rows for an endpoint, with ids of their own, and writes their labels beside."""


@dataclass(frozen=True)
class Desk(Workspace):
    """A project whose verbs take no second to start."""

    shell: subprocess.Popen
    running: list = field(default_factory=list)
    """The process of the verb that runs now."""

    def mlops(self, *arguments, code=0, **env):
        files = [self.path.with_name(f"{self.path.name}.{name}") for name in ("out", "err")]
        said = [str(self.path), list(map(str, arguments)), changed(self.env, env), *map(str, files)]
        self.shell.stdin.write(json.dumps(said) + "\n")
        self.shell.stdin.flush()
        self.running[:] = [int(self.shell.stdout.readline())]
        found = int(self.shell.stdout.readline())
        done = Done(found, *(file.read_text(encoding="utf-8") for file in files))
        assert code is None or done.code == code, f"mlops {arguments}: {done}"
        return done

    @property
    def deployed(self):
        """What serves where, as the registered model has it."""
        return dict(self._ask("SELECT key, value FROM registered_model_tags WHERE key LIKE 'mlops.deployed.%'"))

    def kill(self):
        os.kill(self.running[0], signal.SIGKILL)

    def serving(self, **values):
        """Sets keys of `serving` in resources.yaml."""
        path = self.path / "resources.yaml"
        said = yaml.safe_load(path.read_text(encoding="utf-8"))
        said["serving"] |= values
        path.write_text(yaml.safe_dump(said), encoding="utf-8")


def clouded(original, template, once):
    """The project with two versions as it is once all clouds are its own."""
    name = "two-versions-clouds"
    with once(name) as folder:
        if folder:
            copy = workspaces.copy(original, folder)
            fresh = templates.copy(template, folder.with_name("clouds-render"), **everything())
            for part in ("pyproject.toml", "src/mlops"):
                copy.run("cp", "-r", fresh / part, (copy.path / part).parent)
    moved = {key: value.replace(str(original.path), str(once.path(name))) for key, value in original.env.items()}
    return Workspace(once.path(name), moved)


@contextmanager
def shell(project, packages):
    """What runs the verbs of all copies of a project, whose machinery is the same; it imports packages once."""
    with subprocess.Popen(
        [project.python, "-c", SHELL.replace("{packages}", packages)],
        cwd=project.path,
        env=project.env,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        encoding="utf-8",
    ) as process:
        yield process


def serving_tag(project):
    """The tag of a project's serving image."""
    return project.script(
        "import json; from pathlib import Path; from mlops.images import image_tag;"
        "print(json.dumps(image_tag('serving', Path.cwd())))"
    )


def sample(project):
    """A row as a client sends it."""
    return project.script(
        "import json; from pathlib import Path; from mlops.platforms.deploying import sample_row\n"
        "print(json.dumps(sample_row(next(Path('mlruns').rglob('bundle.json')).parent)))"
    )
