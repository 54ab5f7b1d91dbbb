# The template's: `copier update` renews this file.
"""What `mlops run` shows: a line a stage, and at the end a table of what came out."""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from mlops.params import load_params
from mlops.pipeline.paths import REPORT
from mlops.project import load_project
from mlops.report import is_reported
from mlops.repro import reproduce, up_to_date
from mlops.settings import load_settings
from mlops.source import write_fingerprint

if TYPE_CHECKING:
    from rich.console import Console

    from mlops.registry.judge import Decision


def run_pipeline(targets: list[str] | None, *, force: bool) -> None:
    """Bring the pipeline up to date and print what came out.

    Raises:
        MlopsError: a stage failed or the gate refused.
        UsageError: a wrong parameter, path, URL or target; nothing was started.
    """
    from mlops.registry.judge import known_decision, receipt

    project, params = load_project(), load_params()
    load_settings()  # what is wrong with them is said before anything is started
    write_fingerprint(params.data.source)
    if not force and not targets and up_to_date():
        known = known_decision(project, params)
        if known is not None and is_reported(known):
            known.require_passed()
            print(f"Nothing to do: {known.model} version {known.version} is what this code and these data give.")
            if known.waits:
                print(f"It is not the champion: {known.waits}")
            return

    from mlops.console import open_console

    console = open_console()
    ran: list[str] = []

    @contextmanager
    def watch(name: str) -> Iterator[None]:
        start = time.perf_counter()
        with console.status(f"{name} ..."):
            yield
        ran.append(name)
        console.print(f"[green]✓[/green] {name:<10} {time.perf_counter() - start:6.1f} s")

    for name in reproduce(watch, force=force, targets=targets):
        if name not in ran:
            console.print(f"[green]✓[/green] {name:<10} as it was when these inputs were last seen")
    decision = receipt(project) if not targets or "register" in targets else None
    if decision is not None:
        _summary(console, decision)


def _summary(console: "Console", decision: "Decision") -> None:
    from rich.markup import escape
    from rich.table import Table

    table = Table(show_header=False, box=None, padding=(0, 2, 0, 0))
    table.add_row("model", f"[bold]{decision.model} version {decision.version}[/bold]")
    for name, value in sorted(decision.metrics.items(), key=lambda item: item[0] != decision.metric):
        shown = "-" if value is None else f"{value:.4f}"
        table.add_row(name, f"[bold]{shown}[/bold]  (decides)" if name == decision.metric else shown)
    for check in decision.checks:
        table.add_row(f"gate: {check['name']}", check["explanation"])
    if decision.waits:
        table.add_row("champion", f"[bold]not yet[/bold]: {escape(decision.waits)}")
    table.add_row("report", str(REPORT))
    console.print()
    console.print(table, soft_wrap=False)
