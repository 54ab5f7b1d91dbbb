"""A rendered project in a test's hands: its verbs, its parameters and data, and what its runs left."""

import json
import shutil
import sqlite3
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

import yaml

from support.environment import Project, adopt, changed
from support.template import git
from support.warm import ONE_THREAD

SAMPLE = "data/sample/flights.parquet"


@dataclass(frozen=True)
class Workspace(Project):
    """A project that can run, with shorter ways to the things that tests look at."""

    def mlops(self, *arguments, code=0, **env):
        return self.run("mlops", *arguments, code=code, **env)

    def refuses(self, *arguments, code, **env):
        """Runs a verb that must end with this code and one line for the user, which is returned."""
        done = self.mlops(*arguments, code=code, **env)
        told = [line for line in done.err.splitlines() if line.strip()]
        assert len(told) == 1, f"not one line: {done}"
        assert told[0].startswith("mlops: "), done
        assert "Traceback" not in done.out + done.err, done
        return told[0]

    def script(self, text, *arguments, **env):
        """What a Python script prints as JSON, run by the project's interpreter in its folder."""
        done = self.run(self.python, "-c", text, *arguments, **env)
        return json.loads(done.out.splitlines()[-1])

    def edit_data(self, expression, *, source=SAMPLE, target=SAMPLE, write="frame.write_parquet(target)"):
        """Rewrites a data file: `expression` makes a polars table of `frame`; `pl` is polars."""
        self.run(
            self.python,
            "-c",
            "import sys, polars as pl\nfrom pathlib import Path\n"
            "source, target = sys.argv[1:]\nPath(target).parent.mkdir(parents=True, exist_ok=True)\n"
            f"frame = pl.read_parquet(source)\nframe = {expression}\n{write}\n",
            source,
            target,
        )

    def set(self, values=(), **more):
        """Sets keys of params.yaml, as in `set({"gate.minimum": 0.7})`; None takes one out."""
        path = self.path / "params.yaml"
        params = yaml.safe_load(path.read_text(encoding="utf-8"))
        for key, value in {**dict(values), **more}.items():
            *sections, last = key.split(".")
            section = params
            for name in sections:
                section = section.setdefault(name, {})
            section[last] = value
            if value is None:
                del section[last]
        path.write_text(yaml.safe_dump(params, sort_keys=False), encoding="utf-8")

    def edit(self, name, old, new):
        """Replaces a piece of a file, which must hold it once; `PACKAGE/` stands for the user's package."""
        path = self.path / name.replace("PACKAGE/", f"src/{self.package}/")
        text = path.read_text(encoding="utf-8")
        assert text.count(old) == 1, f"{name} holds {text.count(old)} times: {old}"
        path.write_text(text.replace(old, new), encoding="utf-8")

    def commit(self):
        """Commits what is there as it is, in a repository that is made if there is none."""
        if not (self.path / ".git").exists():
            git("init", "-q", cwd=self.path)
        who = ["-c", "user.name=Tests", "-c", "user.email=tests@example.com"]
        git("add", "-A", cwd=self.path)
        git(*who, "commit", "-q", "--no-verify", "--allow-empty", "-m", "As it is", cwd=self.path)

    @property
    def package(self):
        (package,) = {path.parent.name for path in (self.path / "src").glob("*/dataset.py")}
        return package

    @property
    def lock(self):
        """dvc.lock as a value, or None where there is none yet."""
        path = self.path / "dvc.lock"
        return yaml.safe_load(path.read_text(encoding="utf-8")) if path.exists() else None

    @property
    def outputs(self):
        """The size of each file in the folders that a run writes to, by path."""
        found = {}
        for folder in ("data", "models", "reports"):
            for path in sorted((self.path / folder).rglob("*")):
                if path.is_file():
                    found[path.relative_to(self.path).as_posix()] = path.stat().st_size
        return found

    @property
    def runs(self):
        """The tags of each run of a model in the tracking store, oldest first; the audit log's run is none.

        Read from the store's file: MLflow's client, which takes seconds, is asked where a first run
        is tested.
        """
        rows = self._ask("SELECT run_uuid FROM runs ORDER BY start_time")
        tagged = [
            {"run_id": run, **dict(self._ask("SELECT key, value FROM tags WHERE run_uuid = ?", run))} for (run,) in rows
        ]
        return [run for run in tagged if "mlops.audit.log" not in run]

    @property
    def versions(self):
        """The versions of registered models and the runs that they came from."""
        return {
            str(version): run for version, run in self._ask("SELECT version, run_id FROM model_versions ORDER BY 1")
        }

    @property
    def champion(self):
        """The version with the alias `champion`, or None."""
        found = self._ask("SELECT version FROM registered_model_aliases WHERE alias = 'champion'")
        return str(found[0][0]) if found else None

    def _ask(self, question, *values):
        file = self.path / "mlflow.db"
        if not file.exists():
            return []
        with closing(sqlite3.connect(file)) as connection:
            return connection.execute(question, values).fetchall()


def workspace(project, **env):
    """A `Project` as a `Workspace`, with variables of its own."""
    return Workspace(project.path, changed(project.env, {**ONE_THREAD, **env}))


def copy(original, folder):
    """A copy of a workspace in a new folder, ready to run there as if installed there."""
    shutil.copytree(original.path, folder, symlinks=True)
    here, there = str(folder), str(original.path)
    env = {name: value.replace(there, here) for name, value in original.env.items()}
    adopted = Workspace(Path(folder), env)
    adopt(adopted.path, there)
    return adopted
