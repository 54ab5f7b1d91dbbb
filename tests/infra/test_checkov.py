"""What checkov finds in the infrastructure, but for the exceptions that it ships with."""

import os
import subprocess

import yaml
from uv import find_uv_bin

CHECKOV = "checkov>=3.2.500,<4"


def test_checkov_finds_nothing(rendered, cloud):
    folder = rendered(cloud.name, "default")
    # An environment of its own: it pins what a project uses too.
    command = [find_uv_bin(), "tool", "run", "--from", CHECKOV, "checkov", "--directory", folder]
    done = subprocess.run(
        command,
        env={**os.environ, "LOG_LEVEL": "ERROR"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr


def test_exceptions_are_few_and_have_reasons(rendered, cloud):
    text = (rendered(cloud.name, "default") / ".checkov.yaml").read_text(encoding="utf-8")
    skipped = yaml.safe_load(text)["skip-check"]
    assert len(skipped) < 12
    for name in skipped:
        (line,) = [line for line in text.splitlines() if line.strip().startswith(f"- {name} ")]
        assert line.partition("#")[2].strip(), f"why is {name} left out?"
