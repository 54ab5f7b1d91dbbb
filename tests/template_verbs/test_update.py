"""`mlops template update`: the update with its lock file and its words; one that cannot be changes nothing."""

import filecmp
import json
import shutil

import pytest
from support.successor import ADDED, CHANGED, DELETED, LINE, NEW, NEW_LINE, OLD, commit, release, replace
from support.template import copy, files, git


def differing(one, other):
    names = {*files(one, without=(".git", ".venv", ".mlops", "__pycache__")), *files(other)}
    _, different, missing = filecmp.cmpfiles(one, other, names, shallow=False)
    return {*different, *missing}


def test_an_update_is_a_fresh_copy_but_for_what_is_the_user_s(started, releases, tmp_path):
    project = started()
    project.run("uv", "lock", "-q")
    commit(project.path)

    told = json.loads(project.run("mlops", "template", "update", "--json").out)

    fresh = copy(releases, tmp_path / "fresh", vcs_ref=NEW)
    assert differing(project.path, fresh) == {"params.yaml", "uv.lock"}
    assert (told["from"], told["to"], told["update"], told["settle"]) == (OLD, NEW, True, False)
    assert (told["conflicts"], told["lost"], told["notes"]) == ([], [], [])
    assert {ADDED, CHANGED, DELETED, "pyproject.toml"} <= set(told["changed"])
    assert OLD in told["title"]
    assert NEW in told["title"]
    assert "A module, by" in told["body"]
    assert "@somebody" not in told["body"]  # or each project's pull request would call that person
    assert "Everything." not in told["body"]
    assert "Not yet there." not in told["body"]
    project.run("uv", "lock", "--check", "--offline")

    commit(project.path)
    assert "nothing to do" in project.run("mlops", "template", "update").out
    again = json.loads(project.run("mlops", "template", "update", "--json").out)
    assert (again["update"], again["changed"]) == (False, [])
    assert git("status", "--porcelain", cwd=project.path) == ""


def test_conflicts_are_told_and_both_texts_are_kept(started):
    project = started()
    replace(project.path / CHANGED, LINE, '"""Mine."""')
    replace(project.path / DELETED, "import ", "import this\nimport ")
    commit(project.path)

    done = project.run("mlops", "template", "update", code=3)

    assert f"conflict: {CHANGED}" in done.out
    assert f"had edited it: {DELETED}" in done.out
    text = (project.path / CHANGED).read_text(encoding="utf-8")
    assert "<<<<<<<" in text
    assert NEW_LINE in text
    assert '"""Mine."""' in text
    assert git("ls-files", "-u", cwd=project.path)


def rename_template(path, to):
    answers = path / ".copier-answers.yml"
    lines = answers.read_text(encoding="utf-8").splitlines()
    lines = [f"_src_path: {to}" if line.startswith("_src_path:") else line for line in lines]
    answers.write_text("\n".join(lines) + "\n", encoding="utf-8")
    commit(path)


@pytest.fixture
def other_template(tmp_path):
    folder = tmp_path / "other"
    folder.mkdir()
    (folder / "copier.yml").write_text("_subdirectory: template\n", encoding="utf-8")
    git("init", "-q", cwd=folder)
    release(folder, OLD)
    return folder


def test_what_cannot_be_updated_is_refused_in_one_line_and_nothing_changes(started, releases, other_template, tmp_path):
    project = started()
    path = project.path
    cases = {
        "uncommitted changes": (lambda: (path / "params.yaml").write_text("x: 1\n"), [], "commit or stash"),
        "no answers file": (lambda: ((path / ".copier-answers.yml").unlink(), commit(path)), [], ".copier-answers.yml"),
        "unknown version": (
            lambda: None,
            ["--to", "v7.0.0"],
            f"'v7.0.0' is not in the template {releases}; the newest is {NEW}",
        ),
        "no version but an option": (lambda: None, ["--to=--force"], "--force"),
        "a version of no repository": (lambda: unknown_commit(path), [], "'v0.0.1-9-gabcdef0'"),
        "no template there": (lambda: rename_template(path, "/nowhere/template"), [], "/nowhere/template is not there"),
        "a path that copier cannot follow": (lambda: rename_template(path, "src"), [], "whole path"),
        "no repository": (lambda: rename_template(path, tmp_path / "plain"), [], "no git repository"),
        "another template": (lambda: rename_template(path, other_template), [], "not the template of this project"),
        "an answers file of nothing": (
            lambda: ((path / ".copier-answers.yml").write_text("[]\n"), commit(path)),
            [],
            "_src_path",
        ),
        "no project's repository": (lambda: shutil.rmtree(path / ".git"), [], "no git repository"),
    }
    (tmp_path / "plain").mkdir()
    start = git("rev-parse", "HEAD", cwd=path)
    for name, (damage, options, says) in cases.items():
        damage()
        before = contents(path)
        done = project.run("mlops", "template", "update", *options, code=2)
        assert says in done.err, f"{name}: {done}"
        assert done.err.count("\n") == 1, f"{name}: {done}"
        assert done.out == "", name
        assert contents(path) == before, name
        if name == "no project's repository":
            break
        git("reset", "-q", "--hard", start, cwd=path)
    rename_template(path, other_template)
    assert "not the template of this project" in project.run("mlops", "template", "diff", code=2).err
    told = project.run("mlops", "doctor", "--template", code=3).out
    assert "not the template of this project" in " ".join(told.split())


def unknown_commit(path):
    replace(path / ".copier-answers.yml", f"_commit: {OLD}", "_commit: v0.0.1-9-gabcdef0")
    commit(path)


def contents(path):
    return {
        name: (path / name).read_bytes() for name in files(path, without=(".git", ".venv", ".mlops", "__pycache__"))
    }


def test_an_update_that_fails_or_goes_back_changes_nothing(started, releases, tmp_path):
    folder = tmp_path / "releases"
    git("clone", "-q", str(releases), str(folder), cwd=tmp_path)
    settings = folder / "copier.yml"
    replace(settings, "# Settings", "_tasks: [touch it-ran]\n# Settings")
    release(folder, "v2.0.0")
    project = started(template=folder, version=NEW)
    before = contents(project.path)

    done = project.run("mlops", "template", "update", code=1)
    assert done.err.count("\n") == 1, done
    assert "tasks" in done.err
    assert "--trust" not in done.err
    done = project.run("mlops", "template", "update", "--to", OLD, code=2)
    assert f"{OLD} is older than {NEW}" in done.err
    assert contents(project.path) == before
    assert git("status", "--porcelain", cwd=project.path) == ""
