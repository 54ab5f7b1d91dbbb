"""`nox -s demo` refuses politely where it would write over something."""

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
