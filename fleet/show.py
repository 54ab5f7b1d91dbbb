"""What a person sees: a table, JSON, or a page."""

import json
import sys
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table
from rich.text import Text

from fleet.attempt import Attempt
from fleet.errors import one_line
from fleet.page import write_page
from fleet.projects import Fleet, told, varying, worded
from fleet.rollout import Step
from fleet.template import Template

_STYLES = {
    "broken": "red",
    "failed": "red",
    "conflicts": "yellow",
    "lags": "yellow",
    "current": "green",
    "clean": "green",
}


def listed(fleet: Fleet, template: Template, *, as_json: bool, page: Path | None) -> None:
    """Show a fleet."""
    if page:
        write_page(page, fleet, template)
    if as_json:
        _print_json(fleet.as_data(template))
        return
    facets = varying(fleet.projects)
    table = _table("project", "version", "behind", "diverged", "pipeline", "updated", "answers", "notes")
    for project in fleet.projects:
        table.add_row(
            one_line(project.name),
            Text(project.version or "-", style=_STYLES[project.status]),
            _number(project.lag),
            _number(None if project.diverged is None else len(project.diverged)),
            f"{_day(project.pipeline.at)} {project.pipeline.outcome}" if project.pipeline else "-",
            _day(project.updated),
            ", ".join(worded(project.answers.get(name, "-"), 40) for name in facets),
            told(project),
        )
    _print(table, summary(fleet, template), _aside(fleet), page)


def tried(
    fleet: Fleet,
    attempts: Mapping[str, Attempt],
    template: Template,
    version: str,
    *,
    as_json: bool,
    page: Path | None,
) -> None:
    """Show what an upgrade would do."""
    if page:
        write_page(page, fleet, template, attempts, version)
    if as_json:
        data = fleet.as_data(template)
        for project in data["projects"]:
            project["upgrade"] = asdict(attempts[project["name"]])
        _print_json({**data, "to": version})
        return
    table = _table("project", "version", f"to {version}", "files", "conflicts or reason")
    for project in fleet.projects:
        attempt = attempts[project.name]
        table.add_row(
            one_line(project.name),
            project.version or "-",
            Text(attempt.outcome, style=_STYLES[attempt.outcome]),
            str(attempt.changed or "-"),
            one_line(attempt.reason) if attempt.reason else "\n".join(one_line(name) for name in attempt.conflicts),
        )
    counts = Counter(attempt.outcome for attempt in attempts.values())
    words = {"clean": "upgrade cleanly", "conflicts": "conflict", "current": "are there already", "failed": "failed"}
    outcomes = ", ".join(f"{counts[outcome]} {word}" for outcome, word in words.items() if counts[outcome])
    _print(table, f"{len(attempts)} projects to {version}: {outcomes}", _aside(fleet), page)


def planned(fleet: Fleet, steps: Sequence[Step], version: str, *, as_json: bool) -> None:
    """Show who was updated, or would be."""
    if as_json:
        _print_json({"source": fleet.source, "to": version, "steps": [asdict(step) for step in steps]})
        return
    if not steps:
        _print(None, f"nothing to update: none of {len(fleet.projects)} projects lags behind {version}", "", None)
        return
    table = _table("", "project", f"to {version}", "run")
    for one in sorted(steps, key=lambda step: not step.first):
        style = "red" if one.failed else "green"
        table.add_row(
            "first" if one.first else "then", one_line(one.name), Text(one_line(one.outcome), style=style), one.url
        )
    _print(table, f"{len(steps)} of {len(fleet.projects)} projects lag behind {version}", "", None)


def step(one: Step) -> str:
    """A line of progress."""
    return f"{one_line(one.name)}: {one_line(one.outcome)} {one.url}".rstrip()


def summary(fleet: Fleet, template: Template) -> str:
    counts = Counter(project.status for project in fleet.projects)
    diverged = sum(1 for project in fleet.projects if project.diverged)
    parts = [f"{counts['current']} current", f"{counts['lags']} behind", f"{diverged} diverged"]
    parts += [f"{counts['broken']} broken"] if counts["broken"] else []
    return f"{len(fleet.projects)} projects, newest version {template.newest}: {', '.join(parts)}"


def _table(*heads: str) -> Table:
    table = Table(box=None, padding=(0, 2, 0, 0), header_style="bold")
    for head in heads:
        right = head in {"behind", "diverged", "files"}
        table.add_column(head, justify="right" if right else "left", overflow="fold", no_wrap=head == "version")
    return table


def _print(table: Table | None, total: str, aside: str, page: Path | None) -> None:
    # Names are others' text: nothing in them is markup.
    console = Console(highlight=False, markup=False, width=None if sys.stdout.isatty() else 160)
    if table is not None:
        console.print(table)
        console.print()
    for line in filter(None, (total, aside, f"the page is {page}" if page else "")):
        console.print(line, soft_wrap=True)


def _print_json(data: Any) -> None:
    print(json.dumps(data, indent=2, default=str))


def _aside(fleet: Fleet) -> str:
    parts = []
    if fleet.others:
        parts.append(_several(len(fleet.others), "repository is something else", "repositories are something else"))
    for why, number in Counter(fleet.skipped.values()).items():
        parts.append(_several(number, f"{why} one was passed over", f"{why} ones were passed over"))
    return ", ".join(parts)


def _several(number: int, one: str, more: str) -> str:
    return f"{number} {one if number == 1 else more}"


def _number(value: int | None) -> str:
    return "-" if value is None else str(value)


def _day(moment: str | None) -> str:
    return moment[:10] if moment else "-"
