"""An update that cannot be says why in its last line, and changes nothing."""

import re
import subprocess
import sys

import pytest
import yaml
from support import user
from support.template import ROOT, TAG, git

PAGE = (ROOT / "docs" / "how-to" / "update.md").read_text(encoding="utf-8")


@pytest.fixture
def project(started, tmp_path):
    return user.copied(started(TAG), tmp_path / "project")


def answers(project, **changes):
    path = project / ".copier-answers.yml"
    content = yaml.safe_load(path.read_text(encoding="utf-8")) | changes
    path.write_text(yaml.safe_dump(content, allow_unicode=True), encoding="utf-8")
    user.commit(project)


def dirty(project):
    (project / "params.yaml").write_text("mine: 1\n", encoding="utf-8")


def no_answers(project):
    (project / ".copier-answers.yml").unlink()
    user.commit(project)


def no_git(project):
    (project / ".git").rename(project.parent / "git")


CASES = {
    "dirty": (dirty, [], "Destination repository is dirty"),
    "no git": (no_git, [], "Updating is only supported in git-tracked subprojects"),
    "no answers": (no_answers, [], "Template not found"),
    "unknown version": (lambda _: None, ["--vcs-ref", "v9.9.9"], "Unknown revision: 'v9.9.9'"),
    "from uncommitted": (
        lambda p: answers(p, _commit="v1.1.0-1-g87d38ad"),
        [],
        "Unknown revision: 'v1.1.0-1-g87d38ad'",
    ),
    "gone": (lambda p: answers(p, _src_path="/not/there"), [], "Local template must be a directory"),
    "relative": (lambda p: answers(p, _src_path="not-there"), [], "Local template must be a directory"),
    "unreachable": (lambda p: answers(p, _src_path="https://127.0.0.1:9/x.git"), [], "unable to access"),
    "newer": (lambda p: answers(p, _commit="v10000.0.0"), ["--vcs-ref", TAG], "You are downgrading"),
}


@pytest.mark.parametrize(("prepare", "arguments", "why"), CASES.values(), ids=CASES)
def test_refusal_says_why_and_changes_nothing(project, prepare, arguments, why):
    prepare(project)
    before = user.tree(project)
    command = [sys.executable, "-m", "copier", "update", "--defaults", *arguments]
    done = subprocess.run(
        command, cwd=project, capture_output=True, text=True, check=False, stdin=subprocess.DEVNULL, timeout=120
    )
    assert done.returncode == 1
    assert why in done.stderr.splitlines()[-1]
    assert user.tree(project) == before
    assert (project / ".git").exists() is (prepare is not no_git)
    if prepare not in {dirty, no_git}:
        assert git("status", "--porcelain", cwd=project) == ""
    told = re.sub("'v[^']*'", "'v9.9.9'", why)
    assert f"`{told}" in PAGE, "docs/how-to/update.md says what to do about it"
