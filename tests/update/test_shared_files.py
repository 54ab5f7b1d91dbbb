"""Users' additions to shared files and the template's changes there never touch, with the tools that write them."""

import os
import re
import tomllib

import pytest
from support import user, versions
from support.environment import UV, changed, run
from support.ownership import shared
from support.template import TAG, update

ADDITIONS = [
    ["add", "httpx"],
    ["add", "httpx", "aiohttp>=3", "zstandard; python_version < '3.14'"],
    ["add", "--dev", "ipython", "aiohttp"],
    ["add", "--group", "docs", "mkdocs"],
    ["add", "--optional", "gpu", "cupy"],
    ["add", "mine @ https://example.com/mine-1.0-py3-none-any.whl"],
    ["add", "--index", "inside=https://example.com/simple", "mine"],
    ["version", "--bump", "minor"],
]


@pytest.fixture(scope="module")
def env():
    """Variables with which uv writes down a dependency and looks for it nowhere."""
    return changed(dict(os.environ), {"UV_OFFLINE": "1", "UV_NO_SYNC": None})


def pyproject(project):
    return tomllib.loads((project / "pyproject.toml").read_text(encoding="utf-8"))


@pytest.mark.parametrize("framework", ["scikit-learn", "xgboost", "lightgbm"])
def test_uv_adds_below_ours(started, tmp_path, env, framework):
    """Were our lists sorted, uv would sort a user's dependency among them."""
    project = user.copied(started(TAG, framework=framework), tmp_path / "project")
    ours = (project / "pyproject.toml").read_text(encoding="utf-8").splitlines()
    for option in ([], ["--dev"]):
        for name in ("aaa", "nnn", "zzz"):
            assert run(UV, "add", "-q", "--frozen", *option, name, cwd=project, env=env).code == 0
    lines = (project / "pyproject.toml").read_text(encoding="utf-8").splitlines()
    added = ['    "aaa",', '    "nnn",', '    "zzz",']
    for mark in ("    # Yours: `uv add NAME` writes below.", "    # Yours: `uv add --dev NAME` writes below."):
        at = lines.index(mark)
        assert lines[at + 1 : at + 5] == [*added, "]"]
    assert [line for line in lines if line not in added] == ours
    for name in ("aaa", "nnn", "zzz"):
        assert run(UV, "remove", "-q", "--frozen", name, cwd=project, env=env).code == 0
        assert run(UV, "remove", "-q", "--frozen", "--dev", name, cwd=project, env=env).code == 0
    assert (project / "pyproject.toml").read_text(encoding="utf-8").splitlines() == ours


@pytest.mark.parametrize("arguments", ADDITIONS, ids=" ".join)
def test_what_uv_writes_meets_no_change_of_the_template(started, tmp_path, env, arguments):
    """The template changes all it may, and the result is what uv makes of the new version."""
    project, expected = (user.copied(started(tag), tmp_path / tag) for tag in (TAG, versions.NEWER))
    for folder in (project, expected):
        done = run(UV, arguments[0], "-q", "--frozen", *arguments[1:], cwd=folder, env=env)
        assert done.code == 0, done
    user.commit(project)
    update(project, versions.NEWER)
    assert user.unmerged(project) == []
    assert pyproject(project) == pyproject(expected)


def test_several_users_edits_meet_no_change_of_the_template(started, tmp_path, env):
    project, expected = (user.copied(started(tag), tmp_path / tag) for tag in (TAG, versions.NEWER))
    for folder in (project, expected):
        user.shared_files(folder, uv=env)
    user.commit(project)
    update(project, versions.NEWER)
    assert user.unmerged(project) == []
    found, wanted = (user.tree(folder) for folder in (project, expected))
    names = shared() | {"LICENSE", *versions.COMING[:1]}
    user.assert_same({name: found[name] for name in names}, {name: wanted[name] for name in names})


def test_a_framework_chosen_later_brings_its_dependency_beside_the_users(started, tmp_path, env):
    project = user.copied(started(TAG), tmp_path / "project")
    user.shared_files(project, uv=env)
    user.commit(project)
    for framework in ("lightgbm", "xgboost", "scikit-learn"):
        update(project, framework=framework)
        assert user.unmerged(project) == []
        names = [re.match("[a-z-]+", line)[0] for line in pyproject(project)["project"]["dependencies"]]
        assert {"httpx", "scikit-learn", framework} <= set(names)
        assert len(names) == len(set(names))
        assert {"xgboost", "lightgbm"} & set(names) == {framework} - {"scikit-learn"}
        user.commit(project)


def test_dvc_writes_its_remotes_where_the_template_does_not(project):
    mine = project()
    written = mine.path / ".dvc" / "config"
    before = written.read_text(encoding="utf-8")
    mine.run("git", "init", "-q")
    mine.run("dvc", "remote", "add", "-q", "--default", "mine", "s3://mine/data")
    user.replace(mine.path / ".dvc" / "config", "remote = mine", "remote = local")
    assert written.read_text(encoding="utf-8").startswith(before)
