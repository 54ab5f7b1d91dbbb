# The template's: `copier update` renews this file.
"""`mlops init`: what a new copy needs before its first run, each step skipped where it is done."""

import shutil
import subprocess
from pathlib import Path

from rich.markup import escape

from mlops.console import open_console
from mlops.errors import MlopsError
from mlops.lineage import git
from mlops.project import load_project


def initialise() -> None:
    """Make the lock file, the git repository, its hooks and its first commit.

    Inside another repository (a monorepo) nothing of git is touched: that is its owner's. A folder that the other
    one ignores is no part of it and gets a repository of its own.

    Raises:
        MlopsError: a tool is missing or failed.
    """
    console = open_console()
    project = load_project()

    def say(what: str, how: str) -> None:
        console.print(f"[green]✓[/green] {what:<14} {escape(how)}")

    top = git("rev-parse", "--show-toplevel")
    inside = top is not None and Path(top.strip()).resolve() != project.root.resolve()
    if inside and git("check-ignore", "--quiet", str(project.root)) is not None:
        top, inside = None, False
    if inside:
        say("repository", f"this folder belongs to {top and top.strip()}: commit it there")
    elif top is None:
        _run("git", "init", "--quiet", "--initial-branch", "main")
        say("repository", "made")
    else:
        say("repository", "was there")

    if Path("uv.lock").is_file():
        say("lock file", "was there")
    else:
        _run("uv", "lock", "--quiet")
        say("lock file", "uv.lock made")
    if inside:
        return

    hook = Path((git("rev-parse", "--git-path", "hooks/pre-commit") or ".git/hooks/pre-commit").strip())
    if hook.is_file():
        say("hooks", "were there")
    elif git("config", "core.hooksPath"):
        say("hooks", "left to core.hooksPath, which git is set to use")
    else:
        _run("pre-commit", "install")
        say("hooks", "pre-commit runs before each commit")

    if git("rev-parse", "--verify", "--quiet", "HEAD"):
        say("first commit", "was there")
    else:
        _run("git", "add", "--all")
        _run("git", *_identity(), "commit", "--quiet", "--no-verify", "--message", "Start from the template")
        say("first commit", "made")


def _run(*command: str) -> None:
    if shutil.which(command[0]) is None:
        raise MlopsError(f"'{command[0]}' is not on the PATH; install it, then run 'mlops init' again")
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        raise MlopsError(f"'{' '.join(command)}' failed: {' '.join((done.stderr or done.stdout).split())}")


def _identity() -> list[str]:
    """The owner of `pyproject.toml` as the author, where git knows none."""
    import tomllib

    if git("config", "user.email") and git("config", "user.name"):
        return []
    pyproject = tomllib.loads(Path("pyproject.toml").read_text(encoding="utf-8"))
    author = (pyproject["project"].get("authors") or [{}])[0]
    name, email = author.get("name", "nobody"), author.get("email", "nobody@localhost")
    return ["-c", f"user.name={name}", "-c", f"user.email={email}"]
