"""The command `fleet`: looks at an organisation's projects, tries upgrades, and starts them."""

import os
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated, Any

import typer

from fleet import git
from fleet.errors import FleetError, UsageError, one_line
from fleet.template import ROOT, Template, load_template

DONE, FAILED, ACT = 0, 1, 3

app = typer.Typer(
    name="fleet",
    help="Look after the projects that an organisation has made from this template.",
    no_args_is_help=True,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
    add_completion=False,
)

Source = Annotated[str, typer.Argument(help="A folder with clones in it, or github:ORG.", metavar="SOURCE")]
Names = Annotated[
    list[str] | None,
    typer.Option("--template", metavar="URL", help="Another name of the template, as of a fork or mirror; repeatable."),
]
Repository = Annotated[
    Path, typer.Option(help="The clone of the template that versions come from.", show_default="this one")
]
Only = Annotated[
    list[str] | None,
    typer.Option("--only", metavar="NAME", help="Only projects of this name, * and ? allowed; repeatable."),
]
Cache = Annotated[
    Path | None, typer.Option(help="Where to keep renders and results.", show_default="your cache folder")
]
Jobs = Annotated[int, typer.Option(min=1, help="Processes to use.", show_default="one a core")]
Json = Annotated[bool, typer.Option("--json", help="Print JSON in place of the table.")]
Html = Annotated[Path | None, typer.Option(metavar="FILE", help="Write a page as well, in one file.")]
CORES = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


@app.command("list")
def list_projects(
    source: Source,
    template: Names = None,
    repository: Repository = ROOT,
    only: Only = None,
    as_json: Json = False,
    html: Html = None,
    check: Annotated[
        bool, typer.Option("--check", help="Exit with 3 if a project lags, and with 1 if one is broken.")
    ] = False,
    cache: Cache = None,
    jobs: Jobs = CORES,
) -> None:
    """Show each project: its version, how far it lags and has diverged, its last pipeline and update."""
    from fleet import show

    known = load_template(repository, template or ())
    _check_page(html)
    with _work(cache) as (place, progress):
        fleet = _look(source, known, only, place, jobs, progress)
    show.listed(fleet, known, as_json=as_json, page=html)
    if check and any(project.fault for project in fleet.projects):
        raise typer.Exit(FAILED)
    if check and any(project.lag for project in fleet.projects):
        raise typer.Exit(ACT)


@app.command("try")
def try_upgrade(
    source: Source,
    to: Annotated[str | None, typer.Option(metavar="VERSION", help="Default: the newest release.")] = None,
    template: Names = None,
    repository: Repository = ROOT,
    only: Only = None,
    as_json: Json = False,
    html: Html = None,
    cache: Cache = None,
    jobs: Jobs = CORES,
) -> None:
    """Say what an upgrade would conflict with: done to copies that are thrown away, in parallel.

    Exits with 3 if a project has conflicts, with 1 if one could not be tried. What was tried is kept:
    started again, it goes on.
    """
    from fleet import show
    from fleet.attempt import attempt_all

    known = load_template(repository, template or ())
    version = _version(known, to)
    _check_page(html)
    if source.startswith("github:"):
        raise UsageError("an upgrade is tried on clones: give the folder that they are in")
    with _work(cache) as (place, progress):
        fleet = _look(source, known, only, place, jobs, progress)
        attempts = attempt_all(fleet.sights, known, version, place / "tries", jobs, progress)
    show.tried(fleet, attempts, known, version, as_json=as_json, page=html)
    outcomes = {attempt.outcome for attempt in attempts.values()}
    if "failed" in outcomes:
        raise typer.Exit(FAILED)
    if "conflicts" in outcomes:
        raise typer.Exit(ACT)


@app.command()
def update(
    source: Source,
    first: Annotated[int, typer.Option(min=1, help="How many go before the others.")] = 3,
    to: Annotated[str | None, typer.Option(metavar="VERSION", help="Default: the newest release.")] = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only say who would be updated, and when.")] = False,
    detach: Annotated[bool, typer.Option("--detach", help="Start the rest without waiting for them.")] = False,
    timeout: Annotated[int, typer.Option(min=1, help="Minutes to wait for the runs of a wave.")] = 60,
    template: Names = None,
    repository: Repository = ROOT,
    only: Only = None,
    as_json: Json = False,
    cache: Cache = None,
    jobs: Jobs = CORES,
) -> None:
    """Start template-update.yml in the projects that lag: the first few, the rest only if those are green.

    Exits with 1 if a run was not green or not started.
    """
    from fleet import api, rollout, show

    known = load_template(repository, template or ())
    version = _version(known, to)
    client = None if dry_run and not source.startswith("github:") else api.connect(_say)
    with _work(cache) as (place, progress):
        fleet = _look(source, known, only, place, jobs, progress, diverged=False, client=client)
    lagging = [
        sight
        for sight in fleet.sights
        if sight.project.version and not sight.project.fault and known.lag(sight.project.version, version)
    ]
    steps = rollout.plan(lagging, first)
    if client is not None and not dry_run:
        pace = rollout.Pace(timeout=60 * timeout, **_pace())
        rollout.roll_out(steps, version, client, pace, detach=detach, say=lambda step: _say(show.step(step)))
    show.planned(fleet, steps, version, as_json=as_json)
    if any(step.failed for step in steps):
        raise typer.Exit(FAILED)


def _check_page(path: Path | None) -> None:
    if path and not path.absolute().parent.is_dir():
        raise UsageError(f"{path.parent}: no such folder to write the page into")
    if path and path.is_dir():
        raise UsageError(f"{path} is a folder; --html names a file")


def _pace() -> dict[str, float]:
    """Seconds between questions, which tests make short."""
    value = os.environ.get("FLEET_INTERVAL")
    return {"interval": float(value), "pause": float(value)} if value else {}


def _look(
    source: str,
    template: Template,
    only: list[str] | None,
    place: Path,
    jobs: int,
    progress: Callable[[str, int, int], None],
    *,
    diverged: bool = True,
    client: Any = None,
) -> Any:
    """The projects of a source, which must hold some."""
    from fleet import api, github, local, projects
    from fleet.renders import Renders

    kind, mark, org = source.partition(":")
    if mark and kind == "github":
        if not org or "/" in org:
            raise UsageError(f"{source} names no organisation; it is to look like github:ORG")
        fleet = github.look(org, template, client or api.connect(_say), only or [], progress)
    else:
        fleet = local.look(source, template, jobs, progress)
    fleet.sights = projects.chosen(fleet.sights, only or [])
    if not fleet.sights and only:
        raise UsageError(f"no project of this template in {source} is called {', '.join(only)}")
    if not fleet.sights:
        elsewhere = [why.removeprefix("made from ") for why in fleet.others.values() if why.startswith("made from ")]
        looked = f"; of {len(fleet.others)} repositories none is one" if fleet.others else ""
        hint = f"; if {elsewhere[0]} is the template too: --template {elsewhere[0]}" if elsewhere else ""
        raise UsageError(f"no project of this template in {source}{looked}{hint}")
    if diverged:
        projects.compare(fleet, Renders(template, place / "renders"), jobs, progress)
    return fleet


def _version(template: Template, to: str | None) -> str:
    from fleet.errors import ProjectError

    if to is None:
        return template.newest
    try:
        template.resolve(to)
    except ProjectError:
        known = ", ".join(template.releases[-5:])
        raise UsageError(f"there is no version {one_line(to, 60)}; the newest are {known}") from None
    return to


@contextmanager
def _work(cache: Path | None) -> Iterator[tuple[Path, Callable[[str, int, int], None]]]:
    """A folder for what is kept, another for what is not, and a way to show how far it is."""
    from platformdirs import user_cache_path
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

    from fleet import pool

    place = (cache or user_cache_path("copier-mlops-fleet", appauthor=False)).expanduser().absolute()
    try:
        place.mkdir(parents=True, exist_ok=True)
        folder = pool.temporary_folder(place)
        columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
        console = Console(stderr=True)
        with folder, Progress(*columns, console=console, transient=True, disable=not console.is_terminal) as bars:
            tasks: dict[str, Any] = {}

            def progress(what: str, done: int, of: int) -> None:
                if what not in tasks:
                    tasks[what] = bars.add_task(what, total=of)
                bars.update(tasks[what], completed=done)

            yield place, progress
    except PermissionError as error:
        raise FleetError(f"{one_line(error)}; --cache FOLDER takes another place") from None


def _say(text: str) -> None:
    print(text, file=sys.stderr, flush=True)


def main() -> None:
    """Run a command; what goes wrong is one line on standard error and an exit code, never a traceback."""
    for name in git.POINTERS:
        os.environ.pop(name, None)
    try:
        app()
    except FleetError as error:
        _say(f"fleet: {error}")
        sys.exit(error.exit_code)
    except OSError as error:
        _say(f"fleet: {one_line(error)}")
        sys.exit(FAILED)
    except KeyboardInterrupt:
        _say("fleet: interrupted; run the same command again to go on")
        sys.exit(130)
