"""The template's names and versions, as `fleet` understands them."""

import re

import pytest
from fleet.renders import keeps
from fleet.template import canonical, load_template
from support import fleet as fleets
from support.template import ROOT, git

OURS = "github.com/copier-mlops/copier-mlops"


@pytest.mark.parametrize(
    "name",
    [
        *fleets.NAMES,
        "https://github.com/copier-mlops/copier-mlops/",
        "https://github.com/copier-mlops/copier-mlops.git",
        "https://x-access-token:secret@github.com/copier-mlops/copier-mlops",
        "git+https://github.com/copier-mlops/copier-mlops.git",
        "git+ssh://git@github.com/copier-mlops/copier-mlops.git",
        "ssh://git@github.com:22/copier-mlops/copier-mlops",
        "git@github.com:/copier-mlops/copier-mlops",
        "github.com:copier-mlops/copier-mlops",
        "gh:/copier-mlops/copier-mlops.git",
        " https://github.com/copier-mlops/copier-mlops\n",
    ],
)
def test_all_ways_to_name_it_are_one(name):
    assert canonical(name) == OURS


@pytest.mark.parametrize(
    "name",
    [
        "https://github.com/copier-mlops/copier-mlops-fork",
        "https://github.com/someone/copier-mlops",
        "https://github.com.example.com/copier-mlops/copier-mlops",
        "https://example.com/github.com/copier-mlops/copier-mlops",
        "http://github.com:8080/copier-mlops/copier-mlops",
        "gl:copier-mlops/copier-mlops",
        "/github.com/copier-mlops/copier-mlops",
        "C:\\copier-mlops\\copier-mlops",
        "",
        "https://[",
    ],
)
def test_others_are_others(name):
    assert canonical(name) != OURS


def test_paths_are_one_whatever_leads_there(tmp_path):
    (tmp_path / "template").mkdir()
    (tmp_path / "link").symlink_to(tmp_path / "template")
    wanted = (tmp_path / "template").resolve().as_posix()
    for name in ("template", "template/", "template/.git", "link", "link/../template"):
        assert canonical(f"{tmp_path}/{name}") == wanted
    assert canonical(f"file://{tmp_path}/template") == wanted


@pytest.fixture
def released(tmp_path):
    """A repository with tags in another order than their versions'."""
    git("init", "-q", cwd=tmp_path)
    (tmp_path / "copier.yml").write_text("{}\n", encoding="utf-8")
    git("add", "-A", cwd=tmp_path)
    who = ["-c", "user.name=Tests", "-c", "user.email=tests@example.com"]
    for tags in (["v0.9.0"], [], ["v0.10.0", "latest"], ["v1.0.0rc1"], ["v1.0.0"], []):
        git(*who, "commit", "-q", "--allow-empty", "-m", "Next", cwd=tmp_path)
        for tag in tags:
            git(*who, "tag", "-m", "Release", tag, cwd=tmp_path)
    return tmp_path


def test_versions_are_ordered_as_versions_and_candidates_do_not_count(released):
    template = load_template(released)
    assert template.releases == ("v0.9.0", "v0.10.0", "v1.0.0")
    described = git("describe", "--tags", "HEAD~4", cwd=released)
    assert re.fullmatch(r"v0\.9\.0-1-g[0-9a-f]+", described)
    commit = git("rev-parse", "HEAD~4", cwd=released)
    lags = {
        version: template.lag(version) for version in ("v0.9.0", described, commit, "v0.10.0", "v1.0.0rc1", "v1.0.0")
    }
    assert lags == {"v0.9.0": 2, described: 2, commit: 2, "v0.10.0": 1, "v1.0.0rc1": 1, "v1.0.0": 0}
    assert template.lag(git("describe", "--tags", "HEAD", cwd=released)) == 0
    assert template.lag("v0.9.0", "v0.10.0") == 1
    assert template.lag("v1.0.0", "v0.10.0") == 0


def test_lines_of_the_template_are_kept_in_order():
    assert keeps(["a", "b"], ["mine", "a", "mine", "b"])
    assert not keeps(["a", "b"], ["b", "a"])
    assert not keeps(["a", "a"], ["a"])


def test_shared_files_are_judged_as_by_a_project_itself():
    """`mlops doctor` and `fleet` must say the same of a file: the marks that they look for are the same."""
    marks = re.compile(r"^_(?:YOURS|TEMPLATES|BLOCKS) = .*$", re.MULTILINE)
    ours, theirs = (
        marks.findall((ROOT / path).read_text(encoding="utf-8"))
        for path in ("fleet/renders.py", "template/src/mlops/template/render.py")
    )
    assert len(ours) == 3 and ours == theirs
