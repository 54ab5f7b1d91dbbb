# The template's: `copier update` renews this file.
"""`mlops doctor`: what is wrong with this project and how to mend it."""

import json
import os
import shutil
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import NamedTuple

from rich.markup import escape
from rich.table import Table

from mlops.console import open_console
from mlops.errors import MlopsError
from mlops.lineage import git
from mlops.params import Params, load_params
from mlops.project import Project, load_project
from mlops.settings import Settings, load_settings


class Finding(NamedTuple):
    """The outcome of one look: `fix` is None where all is well, and empty where that is not known."""

    what: str
    found: str
    fix: str | None


def diagnose(*, template: bool = False, as_json: bool = False) -> bool:
    """Print a table of findings, or JSON; True where there is something to mend.

    `template` compares with the template as well, which takes copier and some seconds.
    """
    from mlops.template.findings import look, tell

    project = load_project()
    findings = list(_findings(project))
    sight = look(project.root, thorough=template)
    findings += [Finding(*row) for row in tell(sight)]
    if as_json:
        told = {
            "findings": [{**finding._asdict(), "fix": finding.fix or None} for finding in findings],
            "template": sight.to_json(),
        }
        print(json.dumps(told, indent=2))
    else:
        print_table(findings)
    return any(finding.fix for finding in findings)


def print_table(findings: list[Finding]) -> None:
    table = Table(box=None, padding=(0, 2, 0, 0))
    for heading in ("", "what", "found", "how to mend it"):
        table.add_column(heading, overflow="fold", no_wrap=heading == "what")
    for finding in findings:
        mark = {None: "[green]✓[/green]", "": "·"}.get(finding.fix, "[red]✗[/red]")
        table.add_row(mark, *(escape(text or "") for text in finding))
    open_console().print(table, soft_wrap=False)


def _findings(project: Project) -> Iterator[Finding]:
    yield from _tools()
    yield from _repository()
    yield _lock_file()
    params = None
    for what, look in (
        ("params.yaml", load_params),
        ("dataset.py", lambda: _use(project.dataset)),
        ("features.py", lambda: _use(project.build_features)),
        ("estimator.py", lambda: _use(project.build_estimator)),
        ("metrics.py", lambda: _use(project.metrics)),
    ):
        finding, value = _attempt(what, look)
        params = value or params
        yield finding
    finding, settings = _attempt("settings", load_settings)
    yield finding
    if isinstance(params, Params):
        yield from _lacking(params)
        yield _source(params)
    if isinstance(settings, Settings):
        yield look_at_remote(settings)
        yield look_at_store(settings)


def _use(value: object) -> None:
    """Looking at it was all: an import that fails has said so."""


def _attempt(what: str, look: Callable[[], object]) -> tuple[Finding, object]:
    try:
        value = look()
    except MlopsError as error:
        message, _, advice = str(error).partition("; ")
        return Finding(what, message, advice or "mend it as said"), None
    return Finding(what, "fits", None), value


def _tools() -> Iterator[Finding]:
    for tool, advice in (
        ("git", "install git"),
        ("uv", "pip install uv"),
        ("dvc", "uv sync"),
    ):
        found = shutil.which(tool)
        yield Finding(tool, found or "not on the PATH", None if found else advice)


def _repository() -> Iterator[Finding]:
    top = git("rev-parse", "--show-toplevel")
    yield Finding("repository", (top or "none").strip(), None if top else "mlops init")
    if top:
        head = git("rev-parse", "--short", "--verify", "--quiet", "HEAD")
        yield Finding("commit", (head or "none").strip(), None if head else "mlops init")
        hook = Path((git("rev-parse", "--git-path", "hooks/pre-commit") or "").strip())
        there = hook.is_file() or bool(git("config", "core.hooksPath"))
        yield Finding("hooks", "installed" if there else "not installed", None if there else "pre-commit install")


def _lock_file() -> Finding:
    if not Path("uv.lock").is_file():
        return Finding("uv.lock", "not there", "uv lock, and commit it")
    if shutil.which("uv") is None:
        return Finding("uv.lock", "there, not compared with pyproject.toml", None)
    done = subprocess.run(["uv", "lock", "--check", "--offline"], capture_output=True, check=False)
    stale = done.returncode != 0
    return Finding(
        "uv.lock",
        "lags behind pyproject.toml" if stale else "fits pyproject.toml",
        "uv lock" if stale else None,
    )


def _lacking(params: Params) -> Iterator[Finding]:
    """Keys that the machinery knows and an older `params.yaml` does not set: they have their defaults."""
    import yaml

    content = yaml.safe_load(Path("params.yaml").read_text(encoding="utf-8"))
    known = params.model_dump(exclude={"estimator"})
    lacking = [key for key in known if key not in content]
    lacking += [
        f"{section}.{key}"
        for section, values in known.items()
        if isinstance(values, dict) and isinstance(content.get(section), dict)
        for key in values
        if key not in content[section] and values[key] is not None
    ]
    if lacking:
        yield Finding("params.yaml", f"defaults are used for {', '.join(lacking)}", None)


def _source(params: Params) -> Finding:
    from mlops.source import open_source

    finding, _ = _attempt("data.source", lambda: open_source(params.data.source))
    return finding


def look_at_remote(settings: Settings) -> Finding:
    from dvc.exceptions import DvcException
    from dvc.repo import Repo

    from mlops import remote

    wanted = settings.data_remote
    try:
        with Repo() as repo:
            name = repo.config["core"].get("remote")
            if wanted and not remote.options(wanted).items() <= repo.config["remote"].get(name, {}).items():
                told = f"is not what MLOPS_DATA_REMOTE says: {name or 'none'}"
                return Finding("DVC remote", told, remote.commands(wanted))
            if not name:
                return Finding("DVC remote", "none is the default", "dvc remote add --default NAME URL")
            filesystem, path = repo.cloud.get_remote_odb(name).fs, repo.cloud.get_remote_odb(name).path
            if filesystem.protocol == "local":
                parent = Path(path)
                while not parent.exists():
                    parent = parent.parent
                if not os.access(parent, os.W_OK):
                    return Finding("DVC remote", f"{path} cannot be written to", "change its rights or the remote")
            else:
                filesystem.exists(path)
            return Finding("DVC remote", f"{name}: {path}", None)
    except DvcException as error:
        return Finding("DVC remote", " ".join(str(error).split()), "mend .dvc/config")
    except Exception as error:
        return Finding("DVC remote", f"does not answer: {type(error).__name__}: {error}", "check the credentials")


def look_at_store(settings: Settings) -> Finding:
    from mlops.tracking import database, open_client, shown_uri

    file = database(settings)
    if file is not None:
        return Finding("tracking store", str(file) if file.is_file() else "made by the first run", None)
    finding, _ = _attempt("tracking store", lambda: open_client(settings))
    return finding if finding.fix else finding._replace(found=shown_uri(settings))
