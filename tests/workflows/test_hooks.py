"""The commit hooks find nothing in a new project, and what they are there for in a careless one."""

from pathlib import Path

import pytest
import yaml

PRIVATE_KEY = "-----BEGIN RSA " + "PRIVATE KEY-----\n"
INSECURE = """
on: pull_request_target
permissions: write-all
jobs:
  mine:
    runs-on: ubuntu-latest
    steps:
      - run: uv --version
"""
CARELESS = {
    "ruff check": ("src/mine.py", "import os\n"),
    "ruff format": ("src/mine.py", "x = {  'a':1 }\n"),
    "no white space at the end of a line": ("notes.md", "text \n"),
    "one line end at the end of a file": ("notes.md", "text\n\n\n"),
    "YAML can be read": ("mine.yaml", "a: 1\na: 2\n"),
    "no conflict left behind": ("notes.md", "<<<<<<< before updating\n"),
    "no file over 1 MB (data and models belong in DVC)": ("model.bin", "x" * 1_100_000),
    "no private key": ("key.pem", PRIVATE_KEY),
    "workflows are valid": (".github/workflows/mine.yml", "on: pushh\n"),
    "workflows are secure": (".github/workflows/mine.yml", INSECURE),
    "uv.lock fits pyproject.toml": ("pyproject.toml", None),
}


@pytest.fixture
def repository(project, tmp_path):
    """A new project after `mlops init`, that keeps what pre-commit writes to itself."""
    mine = project()
    mine.env["PRE_COMMIT_HOME"] = str(tmp_path / "pre-commit")
    mine.run("mlops", "init")
    for key, value in {"user.name": "Tests", "user.email": "tests@example.com"}.items():
        mine.run("git", "config", key, value)
    return mine


def test_a_new_project_has_no_finding_and_stays_as_it_is(repository):
    repository.run("pre-commit", "run", "--all-files")
    assert repository.run("git", "status", "--porcelain").out == ""


def test_a_commit_is_refused_for_each_fault_and_passes_without(repository):
    """One repository for all: each fault is put in, refused by the hook meant for it, and taken out."""
    config = yaml.safe_load((repository.path / ".pre-commit-config.yaml").read_text(encoding="utf-8"))
    hooks = [hook["name"] for repo in config["repos"] for hook in repo["hooks"]]
    assert sorted(hooks) == sorted(CARELESS)

    for hook, (name, text) in CARELESS.items():
        path = repository.path / name
        if text is None:
            text = path.read_text(encoding="utf-8").replace('"pytest>=', '"pytest>=8.')  # noqa: PLW2901
        path.write_text(text, encoding="utf-8")
        repository.run("git", "add", "--all")
        done = repository.run("git", "commit", "--message", "Careless", code=1)
        failed = [line for line in done.err.splitlines() if line.endswith("Failed")]
        assert any(line.startswith(hook + ".") for line in failed), f"{hook}: {done}"
        repository.run("git", "reset", "--quiet", "--hard")

    careful = {"notes.md": "Fine.\n", ".github/labeler.yml": "docs: []\n"}
    for name, text in careful.items():
        Path(repository.path, name).write_text(text, encoding="utf-8")
    repository.run("git", "add", "--all")
    repository.run("git", "commit", "--quiet", "--message", "Careful")
