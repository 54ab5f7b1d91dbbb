"""What `mlops run` shows: a line a stage, and at the end a table of what came out."""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from rich.console import Console
from rich.table import Table

from mlops.params import Params, load_params
from mlops.pipeline.paths import REPORT
from mlops.project import Project, load_project
from mlops.repro import reproduce
from mlops.source import write_fingerprint

if TYPE_CHECKING:
    from mlops.registry.judge import Decision


def run_pipeline(targets: list[str] | None, *, force: bool) -> None:
    """Bring the pipeline up to date and print what came out.

    Raises:
        MlopsError: a stage failed or the gate refused.
        UsageError: a wrong parameter, path, URL or target; nothing was started.
    """
    console = Console(highlight=False)
    project, params = load_project(), load_params()
    write_fingerprint(params.data.source)
    ran: list[str] = []

    @contextmanager
    def watch(name: str) -> Iterator[None]:
        start = time.perf_counter()
        with console.status(f"{name} ..."):
            yield
        ran.append(name)
        if name != "register" or len(ran) > 1:
            console.print(f"[green]✓[/green] {name:<10} {time.perf_counter() - start:6.1f} s")

    changed = reproduce(watch, force=force, targets=targets)
    for name in changed:
        if name not in ran:
            console.print(f"[green]✓[/green] {name:<10} as it was when these inputs were last seen")
    if targets and "register" not in targets:
        return
    from mlops.registry.judge import known_decision

    decision = known_decision(project, params)
    if decision is not None:
        _summary(console, project, params, decision, nothing_new=changed in ([], ["register"]))


def _summary(console: Console, project: Project, params: Params, decision: "Decision", *, nothing_new: bool) -> None:
    if nothing_new:
        console.print(f"Nothing to do: {decision.model} version {decision.version} is what this code and data give.")
        return
    table = Table(show_header=False, box=None, padding=(0, 2, 0, 0))
    table.add_row("model", f"[bold]{decision.model} version {decision.version}[/bold]")
    for name, value in decision.metrics.items():
        shown = "-" if value is None else f"{value:.4f}"
        table.add_row(name, f"[bold]{shown}[/bold]  (decides)" if name == decision.metric else shown)
    for check in decision.checks:
        table.add_row(f"gate: {check['name']}", check["explanation"])
    table.add_row("report", str(REPORT))
    console.print(table)
