"""What tests of deployments to any cloud need: a project that has the cloud."""

import os
import signal
from dataclasses import dataclass, field

import yaml

from support import template as templates
from support import workspace as workspaces
from support.questions import everything
from support.workspace import Workspace

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
    """A project whose verbs may be killed while they run."""

    running: list = field(default_factory=list)
    """The process of the verb that runs now."""

    def mlops(self, *arguments, code=0, **env):
        def started(pid):
            self.running[:] = [pid]

        return self.run("mlops", *arguments, code=code, started=started, **env)

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
