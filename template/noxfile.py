# The template's: `copier update` renews this file.
"""What this project checks and runs: `uv run nox` checks, `uv run nox -s run` runs the pipeline.

The tools come from the project's environment, at the versions in uv.lock, so a laptop, the commit
hooks and CI agree.
"""

import shutil
from pathlib import Path

import nox

nox.needs_version = ">=2025.2.9"
nox.options.default_venv_backend = "none"
nox.options.sessions = ["lint", "typecheck", "tests"]


@nox.session
def lint(session: nox.Session) -> None:
    """Find faults of style in code and of security in workflows; change nothing."""
    session.run("ruff", "check")
    session.run("ruff", "format", "--check")
    workflows = sorted(str(path) for path in Path(".github", "workflows").glob("*.y*ml"))
    if workflows:
        session.run("actionlint", *workflows)
        session.run("zizmor", "--offline", "--pedantic", "--quiet", ".")


@nox.session
def typecheck(session: nox.Session) -> None:
    """Check the types of code and tests, strictly."""
    session.run("mypy", *session.posargs)


@nox.session
def tests(session: nox.Session) -> None:
    """Run the tests; arguments after `--` go to pytest."""
    session.run("pytest", *session.posargs)


@nox.session
def run(session: nox.Session) -> None:
    """Run the pipeline; arguments after `--` go to `mlops run`."""
    session.run("mlops", "run", *session.posargs)


@nox.session
def infra(session: nox.Session) -> None:
    """Check the infrastructure as code and run its tests, with `terraform` or `tofu`, where the project has any."""
    layers = sorted({path.parent for path in Path("infra").glob("*/*/*.tf")})
    if not layers:
        session.skip("This project has nothing for Terraform: add a cloud by copier update")
    program = shutil.which("terraform") or shutil.which("tofu")
    if program is None:
        session.error("Neither terraform nor tofu is on PATH: install one of them")
    session.run(program, "fmt", "-check", "-diff", "-recursive", "infra", external=True)
    for folder in layers:
        for command in (["init", "-backend=false"], ["validate"], ["test"]):
            session.run(program, f"-chdir={folder}", *command, external=True)
