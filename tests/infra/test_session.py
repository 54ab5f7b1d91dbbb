"""`nox -s infra` of a project asks the program that there is, and says so where there is none."""

import os
import subprocess
import sys
from pathlib import Path

import pytest
from infra.clouds import CLOUDS, LAYERS

PROGRAM = '#!/bin/sh\necho "$(basename "$0") $*" >> "$ASKED"\n'


def session(folder, programs, tmp_path):
    for name in programs:
        (tmp_path / "bin" / name).write_text(PROGRAM, encoding="utf-8")
        (tmp_path / "bin" / name).chmod(0o755)
    # Git and sh are elsewhere on PATH, and so may a terraform be.
    env = {**os.environ, "PATH": str(tmp_path / "bin"), "ASKED": str(tmp_path / "asked"), "NO_COLOR": "1"}
    return subprocess.run(
        [sys.executable, "-m", "nox", "-s", "infra"], cwd=folder, env=env, capture_output=True, text=True, check=False
    )


@pytest.fixture
def programs(tmp_path):
    """The folder that is PATH: a shell and what the stand-in needs, no more."""
    (tmp_path / "bin").mkdir()
    for name in ("sh", "basename"):
        (tmp_path / "bin" / name).symlink_to(
            Path("/bin", name) if Path("/bin", name).exists() else Path("/usr/bin", name)
        )
    return tmp_path


@pytest.mark.parametrize(("there", "asked"), [(["terraform", "tofu"], "terraform"), (["tofu"], "tofu")])
def test_checks_each_layer(render, programs, there, asked):
    done = session(render(clouds=list(CLOUDS)), there, programs)
    assert done.returncode == 0, done.stderr
    lines = (programs / "asked").read_text(encoding="utf-8").splitlines()
    assert lines[0] == f"{asked} fmt -check -diff -recursive infra"
    steps = ("init -backend=false", "validate", "test")
    assert lines[1:] == [
        f"{asked} -chdir=infra/{cloud}/{layer} {step}" for cloud in CLOUDS for layer in LAYERS for step in steps
    ]


def test_says_what_is_missing(render, programs):
    done = session(render(clouds=["aws"]), [], programs)
    assert done.returncode == 1
    assert "Neither terraform nor tofu is on PATH: install one of them" in done.stderr


def test_has_nothing_to_do_without_a_cloud(render, programs):
    done = session(render(), ["terraform"], programs)
    assert done.returncode == 0
    assert "This project has nothing for Terraform" in done.stderr
    assert not (programs / "asked").exists()
