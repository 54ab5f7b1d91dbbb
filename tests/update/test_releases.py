"""Releases: the list agrees with the changelog and with history, and none takes away what a project may have."""

import re
import shutil
import subprocess
import sys
from datetime import date, timedelta
from pathlib import Path

import pytest
from support.questions import everything
from support.releases import MONTHS_12, ROOT, Release, listed, supported, window
from support.template import TAG, copy, files, git, unreleased

CHANGELOG = """# Changelog

## [Unreleased]

### Added

- Something to notice.
{}"""


def sections(repository):
    """(version, date) of each section of the changelog, newest first."""
    text = Path(repository, "CHANGELOG.md").read_text(encoding="utf-8")
    return re.findall(r"^## \[(\d[^\]]*)\] - (\S+)$", text, re.MULTILINE)


def assert_listed(repository):
    """Every section of the changelog but the newest, whose commit cannot name itself, is in the list as it was."""
    releases = listed(Path(repository, "releases.toml").read_text(encoding="utf-8"))
    told = [(release.version, str(release.date)) for release in reversed(releases)]
    assert told in (sections(repository), sections(repository)[1:])
    assert [release.order for release in releases] == sorted({release.order for release in releases})
    for release in releases:
        assert re.fullmatch("[0-9a-f]{40}", release.commit)
        known = git("cat-file", "-t", release.commit, cwd=repository, code=None) == "commit"
        assert known, f"{release.tag} is not in this clone: git fetch --unshallow brings all history"
        git("merge-base", "--is-ancestor", release.commit, "HEAD", cwd=repository)
        assert f"## [{release.version}] - {release.date}" in git(
            "show", f"{release.commit}:CHANGELOG.md", cwd=repository
        )
        assert f'"{release.version}"' not in git("show", f"{release.commit}:releases.toml", cwd=repository)
        tagged = git("rev-parse", "-q", "--verify", f"{release.tag}^{{commit}}", cwd=repository, code=None)
        assert tagged in {"", release.commit}, f"the tag {release.tag} is elsewhere than releases.toml says"


def test_releases_are_listed_as_they_were():
    assert_listed(ROOT)


def test_changelog_starts_with_what_is_not_released():
    heads = re.findall(r"^## \[(.+?)\]", (ROOT / "CHANGELOG.md").read_text(encoding="utf-8"), re.MULTILINE)
    assert heads[0] == "Unreleased"


def test_window_is_twelve_months_and_at_least_two_releases():
    day = date(2026, 6, 30)
    ages = {"0.1.0": 900, "0.2.0": 700, "0.3.0": 380, "0.4.0": 366, "0.5.0": 10}
    releases = [Release(version, day - timedelta(days=age), "") for version, age in ages.items()]
    assert [release.version for release in window(releases, day)] == ["0.4.0", "0.5.0"]
    assert [release.version for release in window(releases[:3], day)] == ["0.2.0", "0.3.0"]
    assert [release.version for release in window(releases, day + timedelta(days=9999))] == ["0.4.0", "0.5.0"]
    assert window([], day) == []
    assert MONTHS_12.days == 366


@pytest.mark.parametrize("page", ["docs/how-to/update.md", "CONTRIBUTING.md"])
def test_pages_state_the_window(page):
    text = " ".join((ROOT / page).read_text(encoding="utf-8").split())
    assert "of the last 12 months, and from the newest two however old they are" in text


def dropped(old, new):
    """Paths of a project that an update would take away: copier does so without regard to edits."""
    return sorted(set(files(old)) - set(files(new)))


@pytest.mark.parametrize("release", supported(), ids=lambda release: release.tag)
def test_no_path_of_a_release_in_the_window_is_dropped_or_renamed(history, started, tmp_path, release):
    """Neither of those that all projects have, nor of those that can be chosen, nor any other of template/."""
    public = "A rendered path is public: keep it, with other content if need be."
    answers = everything(git("show", f"{release.commit}:copier.yml", cwd=history))
    for number, chosen in enumerate([{}, answers] if answers else [{}]):
        old = copy(history, tmp_path / f"old-{number}", vcs_ref=release.tag, **chosen)
        assert dropped(old, started(TAG, **chosen)) == [], public
    listings = (git("ls-tree", "-r", "--name-only", tag, "template", cwd=history) for tag in (release.tag, TAG))
    old, new = ({name.removesuffix(".jinja") for name in listing.splitlines()} for listing in listings)
    assert sorted(old - new) == [], public


def test_a_dropped_path_would_be_noticed(started, tmp_path):
    new = shutil.copytree(started(TAG), tmp_path / "new", ignore=shutil.ignore_patterns(".git"))
    (new / "noxfile.py").rename(new / "nox_file.py")
    assert dropped(started(TAG), new)[-1:] == ["noxfile.py"]


@pytest.fixture
def repository(template, tmp_path):
    """A clone with something to release and nothing released."""
    folder = unreleased(template, tmp_path / "repository")
    git("switch", "-q", "-C", "main", cwd=folder)
    for key, value in {"user.name": "Tests", "user.email": "tests@example.com"}.items():
        git("config", key, value, cwd=folder)
    (folder / "CHANGELOG.md").write_text(CHANGELOG.format(""), encoding="utf-8")
    (folder / "releases.toml").write_text("# Releases.\n", encoding="utf-8")
    git("commit", "-q", "-a", "-m", "Nothing released", cwd=folder)
    return folder


def release(repository, *arguments):
    command = [sys.executable, ".ci/release.py", *arguments]
    return subprocess.run(command, cwd=repository, capture_output=True, text=True, check=False)


def test_a_release_is_two_commits_a_tag_and_an_entry_of_the_list(repository):
    done = release(repository, "7.0.0", "--date", "2030-01-02")
    assert done.returncode == 0, done.stderr
    assert "git push --atomic origin main v7.0.0" in done.stdout
    assert git("status", "--porcelain", cwd=repository) == ""
    assert git("log", "-2", "--format=%s", cwd=repository).splitlines() == ["List release 7.0.0", "Release 7.0.0"]
    tagged = git("rev-parse", "v7.0.0^{commit}", cwd=repository)
    assert tagged == git("rev-parse", "HEAD~1", cwd=repository)
    text = (repository / "releases.toml").read_text(encoding="utf-8")
    assert listed(text) == [Release("7.0.0", date(2030, 1, 2), tagged)]
    changelog = (repository / "CHANGELOG.md").read_text(encoding="utf-8")
    assert "## [Unreleased]\n\n## [7.0.0] - 2030-01-02\n\n### Added\n\n- Something" in changelog
    assert_listed(repository)

    git("switch", "-q", "--detach", "HEAD~1", cwd=repository)  # between the two commits
    assert_listed(repository)
    git("switch", "-q", "main", cwd=repository)

    changelog = changelog.replace("## [Unreleased]\n", "## [Unreleased]\n\n- More.\n")
    (repository / "CHANGELOG.md").write_text(changelog, encoding="utf-8")
    git("commit", "-q", "-a", "-m", "More", cwd=repository)
    assert release(repository, "7.0.1").returncode == 0
    assert sections(repository)[0][0] == "7.0.1"
    assert_listed(repository)


@pytest.mark.parametrize(
    ("version", "prepare", "why"),
    [
        ("1.0", "", "'1.0' is no version"),
        ("v1.0.0", "", "'v1.0.0' is no version"),
        ("1.0.0", "echo mine > mine", "changes that are not committed"),
        ("1.0.0", "git switch -q -c side", "this is side"),
        ("1.0.0", "git tag v1.0.0", "the tag v1.0.0 is there already"),
        ("1.0.0", "sed -i /Something/d CHANGELOG.md && git commit -q -a -m x", "nothing under Unreleased"),
        ("1.0.0", "echo '## [0.9.0] - 2030-01-01' >> CHANGELOG.md && git commit -q -a -m x", "they have to agree"),
        ("1.0.0", "printf 'exit 1' > .git/hooks/pre-commit && chmod +x .git/hooks/pre-commit", "git commit failed"),
    ],
)
def test_what_stands_against_a_release_is_said_and_nothing_changed(repository, version, prepare, why):
    subprocess.run(["sh", "-c", prepare or "true"], cwd=repository, check=True)
    before = git("status", "--porcelain", cwd=repository), git("log", "-1", "--format=%H", cwd=repository)
    done = release(repository, version)
    assert done.returncode == 2
    assert why in done.stderr
    assert len(done.stderr.splitlines()) == 1
    assert (git("status", "--porcelain", cwd=repository), git("log", "-1", "--format=%H", cwd=repository)) == before


def test_releases_come_one_after_the_other(repository):
    assert release(repository, "1.2.0").returncode == 0
    for version in ("1.2.0", "1.1.9", "0.9.0"):
        done = release(repository, version)
        assert done.returncode == 2
        assert f"{version} does not come after 1.2.0" in done.stderr
