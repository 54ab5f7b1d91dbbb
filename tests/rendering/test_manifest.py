"""The manifest: seeds are the user's after the first copy, all else stays the template's."""

import copier
import pytest
from support.template import copy, files, git

SEEDS = ["dvc.yaml", "params.yaml", "src/flight_delays/features.py", "apt.txt", ".github/actions/setup/action.yml"]


@pytest.fixture
def repository(render):
    """A rendered project in git, as its user would have it."""
    project = render()
    git("init", "-q", cwd=project)
    commit(project)
    return project


def commit(project):
    who = ["-c", "user.name=User", "-c", "user.email=user@example.com"]
    git("add", "-A", cwd=project)
    git(*who, "commit", "-q", "-m", "Change", cwd=project)


def update(template, project, **answers):
    copy(template, project, operation=copier.run_update, overwrite=True, **answers)
    assert git("ls-files", "-u", cwd=project) == ""


def test_update_with_other_answers_leaves_seeds_alone(template, repository, render):
    for name in SEEDS:
        with (repository / name).open("a", encoding="utf-8") as file:
            file.write("# mine\n")
    (repository / "src/flight_delays/metrics.py").unlink()
    mine = {name: (repository / name).read_bytes() for name in SEEDS}
    commit(repository)
    update(template, repository, license="MIT", framework="xgboost", owner_name="Others")
    assert {name: (repository / name).read_bytes() for name in SEEDS} == mine
    assert not (repository / "src/flight_delays/metrics.py").exists()
    fresh = render(license="MIT", framework="xgboost", owner_name="Others")
    for name in ("LICENSE", "pyproject.toml", ".copier-answers.yml"):
        assert (repository / name).read_bytes() == (fresh / name).read_bytes()


def test_update_to_the_same_version_changes_nothing(template, repository):
    update(template, repository)
    assert git("status", "--porcelain", cwd=repository) == ""


def test_lines_added_to_ignored_files_survive(template, repository):
    with (repository / ".gitignore").open("a", encoding="utf-8") as file:
        file.write("/mine/\n")
    commit(repository)
    update(template, repository, license="MIT")
    assert (repository / ".gitignore").read_text(encoding="utf-8").endswith("/mine/\n")


def test_what_tools_leave_in_the_template_is_not_copied(render, template):
    """As when a dirty clone is the template: bytecode beside modules, say."""
    assert [name for name in files(render(), without=(".git",)) if "__pycache__" in name or name.endswith("~")] == []
