"""The how-to pages on updating and adopting, typed command by command, to a model that is registered."""

import os
import re
import subprocess
import sys

import pytest
import yaml
from support import user, versions
from support import workspace as workspaces
from support.ownership import TEMPLATE, YOU, owner
from support.template import ROOT, TAG, copy, files, git

BLOCK = re.compile(r"^```bash\n(?P<text>.*?)^```$", re.MULTILINE | re.DOTALL)
ADDRESS = "https://github.com/copier-mlops/copier-mlops"
OWN_DATA = "import polars as pl; path = 'data/sample/flights.parquet'; pl.read_parquet(path)[1:].write_parquet(path)"
LEGACY = {
    "README.md": "# Churn\n\nWho leaves, and why.\n",
    ".gitignore": "/secrets/\n",
    "requirements.txt": "httpx>=0.27\n",
    "pyproject.toml": '[project]\nname = "churn"\nversion = "3.1.4"\n\n[tool.ruff]\nline-length = 79\n',
    "train.py": 'print("trained")\n',
    "src/churn/model.py": "x = 1\n",
    "tests/test_train.py": "def test_train():\n    assert True\n",
    "data/customers.csv": "id,left\n1,0\n",
    "notes/look.md": "A look.\n",
    ".github/CODEOWNERS": "* @ada\n",
}


def commands(page, heading=None):
    """The shell blocks of a page, or of one section of it."""
    text = (ROOT / "docs" / "how-to" / page).read_text(encoding="utf-8")
    if heading:
        text = text.partition(f"\n## {heading}\n")[2].partition("\n## ")[0]
    return [block["text"] for block in BLOCK.finditer(text)]


@pytest.fixture
def lately(template, tmp_path):
    """The template with an older version, and the one under test as the newest."""
    return versions.clone(template, tmp_path / "template", newer=False)


@pytest.fixture
def typed(environment, lately, tmp_path):
    """`typed(project, blocks)` types them into a shell that finds copier behind `uvx`, and returns what they print."""
    tools = tmp_path / "tools"
    user.write(tools / "uvx", f'#!/bin/sh\nshift\nexec "{sys.executable}" -m copier "$@"\n')
    (tools / "uvx").chmod(0o755)

    def typed(project, blocks):
        who = {
            f"GIT_{role}_{part}": "ada@example.org" for role in ("AUTHOR", "COMMITTER") for part in ("NAME", "EMAIL")
        }
        who |= {"PRE_COMMIT_HOME": str(tmp_path / "pre-commit"), "DVC_SITE_CACHE_DIR": str(tmp_path / "dvc")}
        env = {"PATH": os.pathsep.join([str(tools), project.env["PATH"]]), **who}
        printed = []
        for text in blocks:
            frozen = {"UV_NO_SYNC": None} if "--frozen" in text else {}  # uv takes one of the two
            done = project.run("bash", "-ec", text.replace(ADDRESS, str(lately)), timeout=600, **env, **frozen)
            printed.append(done.out)
        return printed

    return typed


def test_an_edited_project_is_updated_and_runs_as_the_page_says(lately, environment, typed, tmp_path):
    old, new = (copy(lately, tmp_path / tag, vcs_ref=tag) for tag in (versions.OLDER, TAG))
    project = workspaces.workspace(environment.install(copy(lately, tmp_path / "project", vcs_ref=versions.OLDER)))
    user.work(project.path, old, new)
    project.run(project.python, "-c", OWN_DATA)
    seeds = [name for name in files(project.path, without=(".git", ".venv", "__pycache__")) if owner(name) == YOU]
    code = [name for name in seeds if name.endswith(".py")]
    project.run("ruff", "check", "--fix", "--quiet", "--exit-zero", *code)
    project.run("ruff", "format", "--quiet", *code)
    name = "src/mlops/params.py"
    line = re.search(r"^# As line \d+ was before\.$", (project.path / name).read_text("utf-8"), re.MULTILINE)[0]
    user.replace(project.path / name, line, "# Mine, where the template changes it too.")
    user.commit(project.path)
    before = user.tree(project.path)

    typed_blocks = commands("update.md", "Update")
    start, conflicts, theirs, keep = typed_blocks
    printed = typed(project, [start, conflicts])
    assert f"UU {name}" in printed[0]
    assert printed[1].split() == [name]
    assert "# Mine, where the template changes it too." in (project.path / name).read_text(encoding="utf-8")
    typed(project, [theirs])
    assert (project.path / name).read_bytes() == (new / name).read_bytes()
    typed(project, [keep])

    assert project.champion == "1"
    assert (project.path / "reports" / "mine.txt").read_text(encoding="utf-8") == "mine"
    assert git("log", "-1", "--format=%s", cwd=project.path) == "Update from the template"
    assert {name: (project.path / name).read_bytes() for name in seeds} == {name: before[name] for name in seeds}


def test_answers_and_seeds_of_another_framework_come_as_the_page_says(lately, environment, typed, tmp_path):
    project = environment.install(copy(lately, tmp_path / "work" / "project"))
    user.commit(project.path)
    answer, fresh = commands("update.md", "Answer differently")
    typed(project, [answer])
    assert "MIT License" in (project.path / "LICENSE").read_text(encoding="utf-8")
    user.commit(project.path)
    typed(project, [answer.replace("license=MIT", "framework=xgboost")])
    typed(project, [fresh.replace("git diff", "! git diff")])  # which exits with 1 where it shows something
    other = project.path.parent / "fresh"
    assert "xgboost" in (other / "src/flight_delays/estimator.py").read_text(encoding="utf-8")
    assert "xgboost" not in (project.path / "src/flight_delays/estimator.py").read_text(encoding="utf-8")
    mine, theirs = (user.tree(folder) for folder in (project.path, other))
    assert {name for name in theirs if owner(name) == TEMPLATE and mine[name] != theirs[name]} <= {
        ".copier-answers.yml"
    }


def test_a_relative_source_is_repaired_as_the_page_says(lately, tmp_path):
    project = copy(lately, tmp_path / "project")
    path = project / ".copier-answers.yml"
    path.write_text(re.sub("(?m)^_src_path: .*$", "_src_path: ../template", path.read_text("utf-8")), "utf-8")
    text = (ROOT / "docs" / "how-to" / "update.md").read_text(encoding="utf-8")
    (repair,) = re.findall(r"^sed -i .*_src_path.*$", text, re.MULTILINE)
    subprocess.run(["sh", "-c", repair.replace(ADDRESS, str(lately))], cwd=project, check=True)
    user.commit(project)
    copier = [sys.executable, "-m", "copier", "update", "--quiet", "--defaults"]
    subprocess.run(copier, cwd=project, check=True, stdin=subprocess.DEVNULL)
    assert yaml.safe_load(path.read_text(encoding="utf-8"))["_src_path"] == str(lately)


def test_a_repository_of_another_kind_is_adopted_as_the_page_says(lately, environment, typed, tmp_path):
    folder = tmp_path / "legacy"
    for name, text in LEGACY.items():
        user.write(folder / name, text)
    user.commit(folder, "Before")
    bare = workspaces.workspace(workspaces.Workspace(folder, environment.env))
    over, modified = commands("adopt.md", "Copy over it")
    printed = typed(bare, [over, modified])
    collisions = {".gitignore", "README.md", "pyproject.toml"}
    assert set(printed[1].split()) == collisions
    for name in LEGACY.keys() - collisions:
        assert (folder / name).read_text(encoding="utf-8") == LEGACY[name]

    project = workspaces.workspace(environment.install(folder))
    typed(project, commands("adopt.md", "Move what is yours"))
    assert (folder / "README.md").read_text(encoding="utf-8").endswith("## Churn\n\nWho leaves, and why.\n")
    assert (folder / ".gitignore").read_text(encoding="utf-8").endswith("/secrets/\n")
    assert '    "httpx>=0.27",\n]' in (folder / "pyproject.toml").read_text(encoding="utf-8")
    typed(project, commands("adopt.md", "Start"))
    assert project.champion == "1"
    assert git("log", "--format=%s", cwd=folder).splitlines() == ["Adopt the template", "Before"]
    assert git("status", "--porcelain", cwd=folder) == ""
    assert set(LEGACY) <= set(files(folder))
