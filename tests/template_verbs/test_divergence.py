"""`mlops doctor --template` and `mlops template diff`: what lags, diverged and would conflict, and nothing changes."""

import json
import shutil
import sys

import pytest
from support.environment import run
from support.successor import ADDED, CHANGED, DELETED, LINE, NEW, OLD, commit, replace
from support.template import files, git

MINE = '"""`mlops ui`: what I say."""'


def work_like_a_user(path):
    """Edits of a user; the files of the template that these change or take away."""
    replace(path / CHANGED, LINE, MINE)
    replace(path / DELETED, "import ", "import this\nimport ")
    (path / "src/mlops/setup.py").unlink()
    # No divergence: what is the user's, and the user's blocks in files of both.
    (path / "params.yaml").write_text("task: classification\n", encoding="utf-8")
    shutil.rmtree(path / "data/sample")
    (path / "src/mlops/own.py").write_text("OWN = 1\n", encoding="utf-8")
    replace(path / "pyproject.toml", 'version = "0.1.0"', 'version = "3.0.0"')
    replace(path / "pyproject.toml", "    # Yours: `uv add NAME`", '    "tomli-w",\n    # Yours: `uv add NAME`')
    replace(path / ".gitignore", "# Yours, to the end.", "# Yours, to the end.\n/mine/")
    replace(path / ".dvc/config", "remote = local", "remote = mine")
    return {CHANGED: "changed", DELETED: "changed", "src/mlops/setup.py": "deleted"}


def state(path):
    """Everything of a project that a look at it must leave alone."""
    listed = git("ls-files", "-z", "--cached", "--others", "--exclude-standard", cwd=path).split("\0")
    own = {name: (path / name).read_bytes() for name in listed if (path / name).is_file()}
    return own, git("status", "--porcelain", cwd=path), git("rev-parse", "HEAD", cwd=path), files(path / ".git/refs")


def look(project, **env):
    """What `mlops doctor --template --json` says of the template."""
    done = project.run("mlops", "doctor", "--template", "--json", code=None, **env)
    assert done.code in {0, 3}, done
    told = json.loads(done.out)
    assert (done.code == 3) == any(finding["fix"] for finding in told["findings"])
    return told["template"]


def test_doctor_says_what_lags_diverged_and_would_conflict_and_changes_nothing(started):
    project = started()
    edited = work_like_a_user(project.path)
    git("add", CHANGED, cwd=project.path)  # some committed, some staged, some neither
    before = state(project.path)

    seen = look(project)

    assert (seen["version"], seen["newest"], seen["missed"]) == (OLD, NEW, [NEW])
    assert {entry["path"]: entry["how"] for entry in seen["diverged"]} == edited
    assert seen["update"]["conflicts"] == [CHANGED]
    assert seen["update"]["lost"] == [DELETED]
    assert {ADDED, CHANGED, DELETED, "pyproject.toml"} <= set(seen["update"]["changed"])
    assert state(project.path) == before

    done = project.run("mlops", "doctor", "--template", code=3)
    for path in edited:
        assert f"mlops template diff {path}" in done.out
    assert f"1 release behind {NEW}" in done.out
    assert state(project.path) == before

    quick = project.run("mlops", "doctor", "--json", code=3)
    seen = json.loads(quick.out)["template"]
    assert (seen["missed"], seen["diverged"], seen["update"]) == ([NEW], None, None)


def test_diff_is_a_patch_that_takes_the_edits_back(started):
    project = started()
    edited = work_like_a_user(project.path)

    one = project.run("mlops", "template", "diff", "ui.py", cwd=project.path / "src/mlops").out
    assert f"-{LINE}\n+{MINE}\n" in one
    assert one.count("diff --git") == 1
    patch = project.run("mlops", "template", "diff").out
    assert patch.count("diff --git") == len(edited)

    (project.path / "edits.patch").write_text(patch, encoding="utf-8")
    git("apply", "--reverse", "edits.patch", cwd=project.path)
    assert project.run("mlops", "template", "diff").out == ""
    assert git("diff", "--name-only", "HEAD", "--", *edited, cwd=project.path) == ""
    assert "+/mine/" in project.run("mlops", "template", "diff", ".gitignore").out

    assert "yours" in project.run("mlops", "template", "diff", "params.yaml", code=2).err
    assert "not there" in project.run("mlops", "template", "diff", "nothing.py", code=2).err


def test_a_new_project_neither_lags_nor_diverges_as_copier_sees_it(started, tmp_path):
    for version, behind in ((NEW, False), (OLD, True)):
        project = started(version=version)
        seen = look(project)
        assert seen["diverged"] == []
        assert bool(seen["missed"]) == behind
        copier = run(sys.executable, "-m", "copier", "check-update", "--quiet", cwd=project.path, env=project.env)
        assert copier.code == (2 if behind else 0)
        if behind:
            assert (seen["update"]["conflicts"], seen["update"]["lost"]) == ([], [])


def test_a_project_in_a_folder_of_a_repository(started, tmp_path):
    outer = tmp_path / "monorepo"
    outer.mkdir()
    (outer / "theirs.txt").touch()
    project = started(into=outer / "models" / "flights")
    replace(project.path / CHANGED, LINE, MINE)
    commit(outer)

    assert look(project)["update"]["conflicts"] == [CHANGED]


@pytest.fixture
def elsewhere(releases, tmp_path):
    """The template as a repository that can go offline, and its URL."""
    bare = tmp_path / "remote" / "template.git"
    git("clone", "-q", "--bare", str(releases), str(bare), cwd=tmp_path.parent)
    return bare, f"file://{bare}"


def test_a_template_elsewhere_is_fetched_once_and_then_needs_no_network(started, elsewhere, tmp_path):
    remote, url = elsewhere
    cache = {"COPIER_CACHE_DIR": tmp_path / "cache"}
    project = started()
    replace(
        project.path / ".copier-answers.yml",
        next(line for line in answers(project) if "_src_path" in line),
        f"_src_path: {url}",
    )
    replace(project.path / CHANGED, LINE, MINE)
    commit(project.path)

    assert [entry["path"] for entry in look(project, **cache)["diverged"]] == [CHANGED]

    remote.rename(remote.with_name("gone"))
    replace(project.path / CHANGED, MINE, MINE + " #")  # so that it is tried anew
    seen = look(project, **cache)
    assert "not the newest state" in seen["unknown"]
    assert [entry["path"] for entry in seen["diverged"]] == [CHANGED]
    assert seen["update"]["conflicts"] == [CHANGED]

    done = project.run("mlops", "doctor", "--template", "--json", code=None, COPIER_CACHE_DIR=tmp_path / "empty")
    told = json.loads(done.out)
    assert told["template"]["diverged"] is None
    assert "cannot be fetched" in told["template"]["unknown"]
    assert "clone on this machine" in told["template"]["unknown"]
    assert all(finding["fix"] is None for finding in told["findings"] if finding["what"] == "template")


def answers(project):
    return (project.path / ".copier-answers.yml").read_text(encoding="utf-8").splitlines()
