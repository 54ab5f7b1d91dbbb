"""A project whose verbs run in one process, for each by itself would import MLflow anew."""

import json
import subprocess
from contextlib import contextmanager
from dataclasses import dataclass

from support.environment import Done
from support.workspace import Workspace

# Those that train or serve get a process of their own, as do all with variables of their own.
VERBS = {"audit", "card", "lineage", "monitor", "promote", "rollback"}
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


@dataclass(frozen=True)
class Desk(Workspace):
    """A workspace with such a process."""

    shell: subprocess.Popen

    def mlops(self, *arguments, code=0, timeout=300, **env):
        if arguments[0] not in VERBS or env:
            return super().mlops(*arguments, code=code, timeout=timeout, **env)
        self.shell.stdin.write(json.dumps([str(each) for each in arguments]) + "\n")
        self.shell.stdin.flush()
        done = Done(*json.loads(self.shell.stdout.readline()))
        assert code is None or done.code == code, f"mlops {arguments}: {done}"
        return done


@contextmanager
def desk(project):
    """A workspace's desk, as long as it is needed."""
    shell = subprocess.Popen(
        [project.python, "-c", SHELL],
        cwd=project.path,
        env=project.env,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        encoding="utf-8",
    )
    with shell:
        yield Desk(project.path, project.env, shell)
