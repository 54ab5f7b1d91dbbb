"""A container's part in a test: a folder with the files of the image, where a platform's command is run."""

import os
import shutil
import subprocess

from support.environment import Done, adopt, changed
from support.workspace import Workspace

LISTED = """
import json
from pathlib import Path
from mlops.context import context
print(json.dumps([file.as_posix() for file in context(Path('.'))]))
"""


def start(image, app):
    """A project in the folder `app`: the files and environment of the image that `image` makes, and no git."""
    shutil.rmtree(app.parent, ignore_errors=True)
    for file in image.script(LISTED):
        (app / file).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy2(image.path / file, app / file)
    shutil.copytree(image.path / ".venv", app / ".venv", symlinks=True)
    here, there = str(app), str(image.path)
    env = {key: value.replace(there, here) for key, value in image.env.items()}
    found = Workspace(app, {key: value for key, value in env.items() if not key.startswith("MLOPS_")})
    adopt(app, there)
    return found


def run(app, words, env, cwd=None):
    """Runs a platform's command with the environment that it gives."""
    done = subprocess.run(
        words,
        cwd=cwd or app.path,
        env=changed(app.env, env),
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
        executable=shutil.which(words[0], path=app.env["PATH"]),
        start_new_session=os.name != "nt",
    )
    return Done(done.returncode, done.stdout, done.stderr)
