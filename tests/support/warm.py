"""Verbs without the seconds that MLflow and its company take to be imported: each is a fork of a process that has.

What a project brings itself, its `mlops` included, is imported by the fork. Tests of how a process starts,
and those that need one of their own, start one by `subprocess` or by another name than `mlops`.
"""

import atexit
import json
import os
import select
import signal
import socket
import subprocess
import sys
import tempfile
import threading
from dataclasses import dataclass, field
from pathlib import Path

LIBRARIES = [
    "alembic.command",
    "dulwich.worktree",
    "dvc.data_cloud",
    "dvc.repo",
    "dvc.repo.artifacts",
    "dvc.repo.datasets",
    "dvc.repo.graph",
    "dvc.repo.index",
    "dvc.repo.metrics",
    "dvc.repo.params",
    "dvc.repo.plots",
    "dvc.repo.stage",
    "dvc.repo.trie",
    "dvc.rwlock",
    "dvc.scm",
    "dvc.utils.strictyaml",
    "dvc_data.hashfile.db.local",
    "dvc_data.hashfile.status",
    "fastapi",
    "jinja2",
    "markdown_it",
    "matplotlib.backends.backend_svg",
    "matplotlib.pyplot",
    "mlflow",
    "mlflow.store.model_registry.sqlalchemy_workspace_store",
    "mlflow.store.tracking.sqlalchemy_workspace_store",
    "networkx",
    "pandera.backends.polars.container",
    "pandera.polars",
    "platformdirs",
    "pydantic_settings",
    "rich.progress",
    "rich.status",
    "rich.tree",
    "ruamel.yaml",
    "scipy.stats",
    "sklearn.compose",
    "sklearn.ensemble",
    "sklearn.pipeline",
    "sqlalchemy.dialects.mssql",
    "sqlalchemy.dialects.mysql",
    "sqlalchemy.dialects.sqlite",
    "typer.main",
    "uvicorn",
]
AS_IMPORTED = {"MLFLOW_DISABLE_TELEMETRY": "true", "MLFLOW_LOGGING_LEVEL": "WARNING"}
"""As `mlops` has it before it imports MLflow, which reads them then."""
AT_START = ("PYTHON", "LC_", "LANG", "AZUREML_", "FSSPEC_")
"""Variables that Python or a library reads once: a verb with others than the tests' own is a process of its own."""
# Two workers share two cores: threads of a third and a fourth only take turns.
ONE_THREAD = {"OMP_NUM_THREADS": "1", "POLARS_MAX_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"}
COMES_LATE = "SITECUSTOMIZE_COMES_LATE"
"""A variable that says of a `sitecustomize.py` on PYTHONPATH that it may come when libraries are imported."""


@dataclass
class Lender:
    """The process that forks, of one shared environment."""

    python: Path
    orders: socket.socket = field(init=False)
    lock: threading.Lock = field(default_factory=threading.Lock)

    def __post_init__(self):
        self.orders, theirs = socket.socketpair()
        with theirs:
            # It ends when this end of the socket is closed, as it is when the tests are killed.
            process = subprocess.Popen(
                [self.python, Path(__file__).with_name("lender.py"), str(theirs.fileno())],
                env={**os.environ, **ONE_THREAD, **AS_IMPORTED},
                stdin=subprocess.DEVNULL,
                pass_fds=[theirs.fileno()],
                start_new_session=True,
            )
        atexit.register(process.wait)
        atexit.register(self.orders.close)
        self.also(LIBRARIES)

    def run(self, script, packages, arguments, *, cwd, env, timeout, started):
        """The exit code of a verb and what it printed; `started(pid)` is called while it runs."""
        order = {
            "script": str(script),
            "packages": str(packages),
            "arguments": [str(each) for each in arguments],
            "cwd": str(cwd),
            "env": env,
        }
        with tempfile.TemporaryFile() as out, tempfile.TemporaryFile() as err:
            pid, lines = self._ask(order, out.fileno(), err.fileno())
            try:
                with lines:
                    started(pid)
                    if not select.select([lines], [], [], timeout)[0]:
                        raise subprocess.TimeoutExpired(["mlops", *arguments], timeout)
                    code = int(lines.readline())
            except BaseException:
                os.killpg(pid, signal.SIGKILL)
                raise
            return code, *(_text(file) for file in (out, err))

    def also(self, packages):
        """Import more."""
        self._ask({"imports": packages})[1].close()

    def _ask(self, order, *files):
        """The first line of what becomes of an order, and where the next ones come."""
        reading, writing = os.pipe()
        with self.lock:
            with os.fdopen(writing, "w") as status:
                socket.send_fds(self.orders, [f"{json.dumps(order)}\n".encode()], [*files, status.fileno()])
            lines = os.fdopen(reading)
            first = lines.readline()
        assert first, "the process that forks has ended"
        return int(first), lines


_lenders = {}


def importing(*packages):
    """Has verbs of this worker begin with these packages imported as well."""
    LIBRARIES.extend(packages)
    for lender in _lenders.values():
        lender.also(packages)


def lender(python, env):
    """Who lends forks of this interpreter; None where the verb is to start otherwise.

    Libraries of macOS do not bear to be forked, and Windows knows no fork.
    """
    if sys.platform != "linux":
        return None
    late = {"PYTHONPATH"} if COMES_LATE in env else set()
    names = {name for name in {*env, *os.environ} if name.startswith(AT_START)} - late
    if any(env.get(name) != os.environ.get(name) for name in names):
        return None
    if python not in _lenders:
        _lenders[python] = Lender(python)
    return _lenders[python]


def _text(file):
    file.seek(0)
    return file.read().decode("utf-8", "replace").replace("\r\n", "\n").replace("\r", "\n")
