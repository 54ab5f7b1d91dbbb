"""A project runs on every Python from 3.11 on that this machine has."""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from support.environment import SCRIPTS, UV, changed, run, uv
from support.template import copy
from support.workspace import Workspace

OLDEST = (3, 11)
ASK = "import json, sys; print(json.dumps([*sys.version_info[:2], sys.implementation.name, sys.version_info[3]]))"


def pythons():
    """One interpreter of each minor version, other than the one that runs these tests."""
    candidates = [Path(found) for minor in range(OLDEST[1], 20) if (found := shutil.which(f"python3.{minor}"))]
    root = Path(os.environ.get("PYENV_ROOT", Path.home() / ".pyenv"))
    candidates += sorted(root.glob("versions/3.*/bin/python"))
    listed = subprocess.run(
        [UV, "python", "list", "--only-installed", "--output-format", "json"], capture_output=True, check=False
    )
    candidates += [Path(each["path"]) for each in json.loads(listed.stdout or "[]")]
    found = {}
    for path in candidates:
        asked = subprocess.run([path, "-c", ASK], capture_output=True, check=False)
        if asked.returncode:
            continue  # such as a shim of pyenv for a version that is not chosen
        *version, implementation, level = json.loads(asked.stdout)
        if tuple(version) >= OLDEST and implementation == "cpython" and level == "final":
            found.setdefault(tuple(version), path)
    found.pop(sys.version_info[:2], None)
    return [pytest.param(path, id="{}.{}".format(*version)) for version, path in sorted(found.items())]


OTHERS = pythons() or [
    pytest.param(
        None, marks=pytest.mark.skip(f"no other Python than {sys.version_info[0]}.{sys.version_info[1]} is here")
    )
]


@pytest.mark.parametrize("python", OTHERS)
def test_a_project_runs_on_another_python(template, environment, tmp_path, python):
    """Installed as its own lock file says, with nothing of what the other tests share."""
    folder = copy(template, tmp_path / "project")
    env = changed(environment.env, {"UV_NO_SYNC": None, "UV_PYTHON_DOWNLOADS": "never", "OMP_NUM_THREADS": "1"})
    uv("sync", "-q", "--no-dev", "--python", python, cwd=folder, env=env, timeout=900)
    scripts = folder / ".venv" / SCRIPTS
    project = Workspace(folder, {**env, "PATH": os.pathsep.join([str(scripts), env["PATH"]])})
    project.commit()
    asked = json.loads(project.run(project.python, "-c", ASK).out)
    assert asked[:2] == json.loads(run(python, "-c", ASK, cwd=tmp_path, env=env).out)[:2]
    assert "flight-delays version 1" in project.run("mlops", "run").out
    assert "Nothing to do" in project.run("mlops", "run").out
