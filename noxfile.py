"""What people and CI run here, with nothing but Python, git and pip: `nox -s demo`, for one."""

import os
import shlex
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import nox

ROOT = Path(__file__).resolve().parent
MEMORY = 12 * 2**30
"""Bytes that have to be free in memory for the tests' files to be kept there."""

if sys.version_info < (3, 11):  # noqa: UP036 - nox itself runs on older ones
    sys.exit(f"Python 3.11 or newer is needed; nox runs on {sys.version.split()[0]}.")

# As pip does, uv trusts the certificates of the system: those of a company's proxy, say.
os.environ.setdefault("UV_SYSTEM_CERTS", "1")

nox.needs_version = ">=2025.2.9"
nox.options.default_venv_backend = "uv|virtualenv"
nox.options.reuse_venv = "yes"
nox.options.sessions = ["lint", "tests"]


def install(session: nox.Session, group: str) -> None:
    """Install a dependency group of pyproject.toml, which is where versions are said."""
    groups = nox.project.load_toml(ROOT / "pyproject.toml")
    session.install("--quiet", *nox.project.dependency_groups(groups, group))


def copy(session: nox.Session, folder: Path, *arguments: str) -> None:
    """Copy the template as it is at HEAD, without trust, as a user would."""
    source = ["--vcs-ref", "HEAD", str(ROOT), str(folder)]
    session.run("copier", "copy", "--defaults", *arguments, *source)


def in_project(session: nox.Session, folder: Path, *command: str) -> None:
    """Run a command of a rendered project in its own environment, which uv makes beside it."""
    # nox would have uv install the project into the session's environment, where its user never looks.
    own = {"VIRTUAL_ENV": None, "UV_PROJECT_ENVIRONMENT": None, "UV_PYTHON": sys.executable}
    with session.chdir(folder):
        session.run("uv", "run", *command, env=own)


@contextmanager
def quick_folder() -> Iterator[Path | None]:
    """A folder in memory, if there is room: a fifth of the tests' time goes into files that they make and remove."""
    memory = Path("/dev/shm")  # noqa: S108 - a folder of our own in it
    roomy = memory.is_dir() and os.access(memory, os.W_OK) and shutil.disk_usage(memory).free > MEMORY
    if not roomy or os.statvfs(memory).f_flag & os.ST_NOEXEC:
        yield None
        return
    with tempfile.TemporaryDirectory(prefix="copier-mlops-", dir=memory, ignore_cleanup_errors=True) as folder:
        yield Path(folder)


@nox.session
def demo(session: nox.Session) -> None:
    """Make a project in demo/, or in the folder given after `--`, and run it to its first model."""
    name, *others = session.posargs or ["demo"]
    if others or name.startswith("-"):
        session.error("Name one folder or none: nox -s demo -- FOLDER")
    folder = Path(session.invoked_from, name).resolve()
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        session.error(f"{folder} is there already. Remove it, or name another: nox -s demo -- FOLDER")
    install(session, "copy")
    copy(session, folder, "--quiet")
    in_project(session, folder, "mlops", "init")
    in_project(session, folder, "mlops", "run")
    session.log("The model is registered. Go on from here:")
    session.log(f"  cd {shlex.quote(os.path.relpath(folder, session.invoked_from))}")
    if not shutil.which("uv"):
        session.log(f"  {Path(sys.executable).name} -m pip install uv")
    session.log("  uv run mlops ui       its runs and models, in a browser")
    session.log("  uv run mlops doctor   what is set up, and what is not")
    session.log("README.md there tells the rest; reports/ has the report of this run.")


@nox.session
def tests(session: nox.Session) -> None:
    """Run the tests on two cores; arguments after `--` go to pytest."""
    install(session, "tests")
    with quick_folder() as folder:
        surroundings = {"TMPDIR": str(folder), "UV_LINK_MODE": "copy"} if folder else {}
        session.run("pytest", "-n", "2", "--dist", "worksteal", *session.posargs, env=surroundings)


@nox.session
def lint(session: nox.Session) -> None:
    """Find faults of style, of types and, in workflows, of security; change nothing."""
    install(session, "lint")
    session.run("ruff", "check", ".")
    session.run("ruff", "format", "--check", ".")
    session.run("yamllint", "--strict", ".")
    session.run("shellcheck", ".ci/run")
    folders = [Path(".github"), Path("template", ".github")]
    workflows = [str(path) for folder in folders for path in sorted(folder.glob("workflows/*.yml"))]
    session.run("actionlint", *workflows)
    session.run("zizmor", "--offline", "--pedantic", "--quiet", *map(str, folders))
    # Types need the packages that a project installs, and its settings: so they are checked in one.
    project = Path(session.create_tmp(), "types")
    shutil.rmtree(project, ignore_errors=True)
    copy(session, project, "--quiet")
    in_project(session, project, "--quiet", "mypy")


@nox.session
def docs(session: nox.Session) -> None:
    """Build the site into site/, strictly; `nox -s docs -- serve` shows it while it is written."""
    install(session, "docs")
    session.run("mkdocs", *(session.posargs or ["build", "--strict"]))


@nox.session
def release(session: nox.Session) -> None:
    """Cut the release given after `--`, if it takes nothing away that a project may have: nox -s release -- 0.2.0"""
    install(session, "tests")
    session.run("pytest", "--quiet", "tests/update/test_releases.py")
    session.run("python", ".ci/release.py", *session.posargs)


@nox.session
def bench(session: nox.Session) -> None:
    """Measure the template against what people would use instead, and print a table."""
    install(session, "bench")
    session.run("python", "tests/bench", *session.posargs)


@nox.session
def fleet(session: nox.Session) -> None:
    """Look after the projects made from this template: `nox -s fleet -- --help` says how."""
    install(session, "fleet")
    program = [str(Path(session.bin, "python")), str(ROOT / "fleet")]
    # Not by `session.run`, which knows only 0 and 1: here 3 means that there is something to do.
    done = subprocess.run([*program, *session.posargs], cwd=session.invoked_from, check=False)
    if done.returncode:
        sys.exit(done.returncode)
