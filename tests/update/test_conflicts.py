"""Where a user and the template changed the same lines, both texts stand between markers: never silence."""

import re

import pytest
from support import user, versions
from support.ownership import YOU, owner
from support.template import copy, git, update

NAME = "src/mlops/params.py"
BETWEEN = re.compile(
    r"^<<<<<<< before updating\n(?P<mine>.*?)^(?:\|{7}.*?)?=======\n(?P<theirs>.*?)^>>>>>>> after updating\n",
    re.M | re.S,
)


@pytest.fixture
def project(started, tmp_path):
    return user.copied(started(versions.OLDER), tmp_path / "project")


def old_line(project, name=NAME):
    """A line that the next version changes."""
    return re.search(r"^# As line \d+ was before\.$", (project / name).read_text(encoding="utf-8"), re.M)[0]


@pytest.mark.parametrize("how", ["same", "before", "after", "removed"])
def test_edits_of_the_same_lines_are_both_shown(project, fresh, how):
    line = old_line(project)
    mine = {"same": "mine", "before": f"mine\n{line}", "after": f"{line}\nmine", "removed": "mine"}[how]
    path = project / NAME
    if how == "removed":  # with the lines around it
        path.write_text(re.sub(f"(.*\n)?{re.escape(line)}\n(.*\n)?", "mine\n", path.read_text("utf-8")), "utf-8")
    else:
        user.replace(path, line, mine)
    user.commit(project)
    update(project)
    assert user.unmerged(project) == [NAME]
    text = path.read_text(encoding="utf-8")
    (conflict,) = BETWEEN.finditer(text)
    assert "mine" in conflict["mine"]
    theirs = (fresh() / NAME).read_text(encoding="utf-8")
    assert BETWEEN.sub(lambda match: match["theirs"], text) == theirs
    others = {name: content for name, content in user.tree(fresh()).items() if name != NAME and owner(name) != YOU}
    user.assert_same({name: user.tree(project)[name] for name in others}, others)


def test_git_tells_of_a_conflict_and_the_commit_hook_refuses_it(project):
    user.replace(project / NAME, old_line(project), "mine")
    user.commit(project)
    update(project)
    assert f"UU {NAME}" in git("status", "--porcelain", cwd=project).splitlines()
    assert "conflict" in git("diff", "--check", cwd=project, code=None)


def test_a_file_of_the_users_where_the_template_brings_one_is_shown_with_it(project, fresh):
    name = versions.NOT_YET[0]
    user.write(project / name, '"""Mine."""\n')
    user.commit(project)
    update(project)
    assert user.unmerged(project) == [name]
    (conflict,) = BETWEEN.finditer((project / name).read_text(encoding="utf-8"))
    assert conflict["mine"] == '"""Mine."""\n'
    assert conflict["theirs"] == (fresh() / name).read_text(encoding="utf-8")


def test_the_same_change_on_both_sides_is_none(project, fresh):
    """A user who took a fix over by hand before the update brings it."""
    (project / NAME).write_bytes((fresh() / NAME).read_bytes())
    user.commit(project)
    update(project)
    assert user.unmerged(project) == []
    assert (project / NAME).read_bytes() == (fresh() / NAME).read_bytes()


def test_a_file_that_the_user_deleted_stays_deleted(project):
    (project / NAME).unlink()
    user.commit(project)
    update(project)
    assert user.unmerged(project) == []
    assert not (project / NAME).exists()


def test_a_file_that_the_user_moved_stays_where_it_is(project):
    text = (project / NAME).read_text(encoding="utf-8")
    git("mv", NAME, "src/mlops/moved.py", cwd=project)
    user.commit(project)
    update(project)
    assert user.unmerged(project) == []
    assert not (project / NAME).exists()
    assert (project / "src/mlops/moved.py").read_text(encoding="utf-8") == text


def test_a_project_in_a_folder_of_a_larger_repository_updates_like_any_other(history, fresh, tmp_path):
    whole = tmp_path / "whole"
    project = copy(history, whole / "projects" / "flights", vcs_ref=versions.OLDER)
    user.write(whole / "README.md", "Of the whole.\n")
    beside = user.copied(project, whole / "projects" / "other")
    user.work(project, fresh(versions.OLDER), fresh())
    user.commit(whole)
    before = user.tree(beside)
    update(project)
    assert user.unmerged(whole) == []
    expected = user.copied(fresh(), tmp_path / "expected")
    user.work(expected, fresh(versions.OLDER), fresh())
    wanted = {name: content for name, content in user.tree(expected).items() if owner(name) != YOU}
    user.assert_same({name: content for name, content in user.tree(project).items() if owner(name) != YOU}, wanted)
    assert user.tree(beside) == before
    assert (whole / "README.md").read_text(encoding="utf-8") == "Of the whole.\n"
