"""`nox -s demo` refuses politely where it would write over something, and leaves a project that is ready."""

import os
import subprocess
import sys

import pytest
from support.template import ROOT, files


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["taken"], "is there already. Remove it, or name another: nox -s demo -- FOLDER"),
        (["one", "two"], "Name one folder or none: nox -s demo -- FOLDER"),
        (["--force"], "Name one folder or none: nox -s demo -- FOLDER"),
    ],
)
def test_demo_refuses(tmp_path, arguments, message):
    (tmp_path / "taken").mkdir()
    (tmp_path / "taken" / "mine").write_text("mine", encoding="utf-8")
    command = [sys.executable, "-m", "nox", "--noxfile", ROOT / "noxfile.py", "--no-venv", "-s", "demo", "--"]
    done = subprocess.run([*command, *arguments], cwd=tmp_path, capture_output=True, text=True, check=False)
    assert done.returncode == 1
    assert message in done.stderr
    assert files(tmp_path) == ["taken/mine"]


def test_the_demo_installs_the_project_where_its_user_will_look(tmp_path):
    """That is in the project's folder, and not in the environment of the session."""
    programs, seen = tmp_path / "programs", tmp_path / "seen"
    programs.mkdir()
    for name, script in {"copier": 'for folder; do :; done; mkdir "$folder"', "uv": f'env >>"{seen}"'}.items():
        (programs / name).write_text(f"#!/bin/sh\n{script}\n", encoding="utf-8")
        (programs / name).chmod(0o755)
    session = {name: str(tmp_path / "session") for name in ("VIRTUAL_ENV", "UV_PROJECT_ENVIRONMENT", "UV_PYTHON")}
    env = {**os.environ, **session, "PATH": os.pathsep.join([str(programs), os.environ["PATH"]])}
    options = ["--no-venv", "--no-install", "-s", "demo", "--", tmp_path / "made"]
    subprocess.run([sys.executable, "-m", "nox", "--noxfile", ROOT / "noxfile.py", *options], env=env, check=True)
    told = seen.read_text(encoding="utf-8").splitlines()
    assert told.count(f"UV_PYTHON={sys.executable}") == 2
    assert not any(line.startswith(("VIRTUAL_ENV=", "UV_PROJECT_ENVIRONMENT=")) for line in told)
