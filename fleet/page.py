"""The fleet as a page: one file, which needs nothing else."""

import json
from collections import Counter
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import jinja2
from packaging.version import InvalidVersion, Version

from fleet.attempt import Attempt
from fleet.projects import Fleet, Project, told, varying, worded
from fleet.renders import write
from fleet.template import Template


def write_page(
    path: Path,
    fleet: Fleet,
    template: Template,
    attempts: Mapping[str, Attempt] | None = None,
    version: str | None = None,
) -> None:
    """Write a page that needs nothing but itself."""
    environment = jinja2.Environment(
        loader=jinja2.FileSystemLoader(Path(__file__).parent),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    projects = fleet.projects
    varied = varying(projects)
    versions = Counter(project.version for project in projects if project.version)
    ordered = sorted(versions, key=_order, reverse=True)
    facets = {name: sorted({choice for project in projects for choice in _choices(project, name)}) for name in varied}
    content = environment.get_template("page.html").render(
        fleet=fleet,
        projects=projects,
        newest=template.newest,
        attempts=attempts,
        to=version,
        made=datetime.now(UTC).strftime("%Y-%m-%d %H:%M UTC"),
        versions=[(name, versions[name], ordered.index(name)) for name in ordered],
        ranks={name: len(ordered) - number for number, name in enumerate(ordered)},
        facets=facets,
        counts=_counts(projects, attempts),
        told=told,
        brief=worded,
        states=states,
        facets_of=lambda project: json.dumps(
            {"version": [project.version], **{name: _choices(project, name) for name in facets}}
        ),
    )
    write(path, content)


def _choices(project: Project, name: str) -> list[str]:
    """What a project is found by in an answer: each of several choices is one."""
    if name not in project.answers:
        return []
    answer = project.answers[name]
    return [worded(choice) for choice in answer] if answer and isinstance(answer, list) else [worded(answer)]


def _counts(projects: Sequence[Project], attempts: Mapping[str, Attempt] | None) -> dict[str, int]:
    counts = {"all": len(projects), **dict.fromkeys(("current", "lags", "diverged"), 0)}
    counts |= dict.fromkeys(("clean", "conflicts"), 0) if attempts is not None else {}
    counts["broken"] = 0
    for project in projects:
        for name in states(project, attempts):
            if name in counts:
                counts[name] += 1
    return counts


def states(project: Project, attempts: Mapping[str, Attempt] | None) -> list[str]:
    """What a project can be filtered by."""
    found = [project.status]
    found += ["diverged"] if project.diverged else []
    if attempts is not None and attempts[project.name].outcome in {"clean", "conflicts"}:
        found.append(attempts[project.name].outcome)
    return found


def _order(version: str) -> tuple[int, Any]:
    base, _, rest = version.partition("-")
    try:
        return (1, (Version(base), rest))
    except InvalidVersion:
        return (0, (version, ""))
