"""The template under test as release v1.0.0, and a v1.1.0 that changes a little of everything."""

from support.template import git, unreleased, without_clouds

OLD, NEW = "v1.0.0", "v1.1.0"
WHO = ["-c", "user.name=Tests", "-c", "user.email=tests@example.com"]
CHANGED, DELETED, ADDED = "src/mlops/ui.py", "src/mlops/reproduce.py", "src/mlops/added.py"
LINE = '"""`mlops ui`: MLflow\'s own pages on this project\'s tracking store."""'
NEW_LINE = '"""`mlops ui`: what the newer release says."""'
CHANGELOG = """# Changelog

## [1.2.0]

- Not yet there.

## [1.1.0] - 2026-12-01

### Added

- A module, by @somebody.

## [1.0.0] - 2026-11-01

- Everything.
"""


def two_releases(template, folder):
    """A clone of the template under test, for projects without a cloud, that has the releases OLD and NEW."""
    unreleased(template, folder)
    without_clouds(folder)
    release(folder, OLD)
    inner = folder / "template"
    replace(inner / CHANGED, LINE, NEW_LINE)
    replace(inner / "pyproject.toml.jinja", '"packaging>=24"', '"packaging>=24.1"')
    replace(inner / "params.yaml.jinja", "\n", "\n# A seed of the newer release.\n")
    (inner / DELETED).unlink()
    (inner / ADDED).write_text('# The template\'s: `copier update` renews this file.\n"""New."""\n', encoding="utf-8")
    (folder / "CHANGELOG.md").write_text(CHANGELOG, encoding="utf-8")
    release(folder, NEW)
    return folder


def release(folder, tag):
    git("add", "-A", cwd=folder)
    git(*WHO, "commit", "-q", "--no-verify", "-m", tag, cwd=folder)
    git("tag", tag, cwd=folder)


def replace(path, old, new):
    text = path.read_text(encoding="utf-8")
    assert old in text, f"{path} lacks {old}"
    path.write_text(text.replace(old, new, 1), encoding="utf-8")


def commit(project, message="As it is"):
    """Commits all that is in a folder, in a repository that is made if there is none."""
    if not (project / ".git").exists():
        git("init", "-q", cwd=project)
    git("add", "-A", cwd=project)
    git(*WHO, "commit", "-q", "--no-verify", "--allow-empty", "-m", message, cwd=project)
