"""What is told of a project, wherever it lies, and how far it has gone from the template."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from fnmatch import fnmatchcase
from typing import Any

import yaml

from fleet import pool
from fleet.errors import ProjectError, one_line
from fleet.renders import ANSWERS, Rendered, Renders, keeps
from fleet.template import Template

_LARGEST = 1_000_000
_MOST_VALUES = 8


@dataclass(frozen=True)
class Pipeline:
    """The last run of the pipeline: when, with what outcome, and where to look."""

    at: str
    outcome: str
    url: str | None = None


@dataclass
class Project:
    """A line of the fleet. None means that it could not be told, and `notes` or `fault` why."""

    name: str
    where: str
    commit: str | None = None
    version: str | None = None
    lag: int | None = None
    diverged: list[str] | None = None
    answers: dict[str, Any] = field(default_factory=dict)
    pipeline: Pipeline | None = None
    updated: str | None = None
    notes: list[str] = field(default_factory=list)
    fault: str | None = None

    @property
    def status(self) -> str:
        if self.fault:
            return "broken"
        return "lags" if self.lag else "current"


@dataclass
class Sight:
    """A project with what the looking needs: its files by content, and a way to read one of them."""

    project: Project
    tree: Mapping[str, tuple[str, str]] | None
    read: Callable[[str], bytes]
    place: Any = None
    """Where it is, as its source knows it: a folder and a path in it, or a repository of GitHub."""


@dataclass
class Fleet:
    """All that a source holds."""

    source: str
    sights: list[Sight] = field(default_factory=list)
    others: dict[str, str] = field(default_factory=dict)
    """Repositories that are no projects of this template, and what they are."""
    skipped: dict[str, str] = field(default_factory=dict)
    """Repositories that were not looked at, and why."""

    @property
    def projects(self) -> list[Project]:
        return [sight.project for sight in self.sights]

    def as_data(self, template: Template) -> dict[str, Any]:
        return {
            "source": self.source,
            "newest": template.newest,
            "projects": [{**asdict(project), "status": project.status} for project in self.projects],
            "others": self.others,
            "skipped": self.skipped,
        }


def read_answers(content: bytes) -> dict[str, Any]:
    """The answers of a project, as copier keeps them.

    Raises:
        ProjectError: the file holds no answers.
    """
    if len(content) > _LARGEST:
        raise ProjectError(f"{ANSWERS} is too large to be one")
    try:
        answers = yaml.load(content, Loader=getattr(yaml, "CSafeLoader", yaml.SafeLoader))  # noqa: S506 - it is safe
    except (yaml.YAMLError, UnicodeDecodeError, ValueError, RecursionError) as error:
        mark = getattr(error, "problem_mark", None)
        where = f", line {mark.line + 1}" if mark else ""
        raise ProjectError(f"{ANSWERS} is no YAML{where}: {one_line(getattr(error, 'problem', error), 80)}") from None
    if not isinstance(answers, dict) or not all(isinstance(name, str) for name in answers):
        raise ProjectError(f"{ANSWERS} holds no answers")
    return answers


def identify(project: Project, content: bytes, template: Template) -> str | None:
    """Take version and answers from the answers file; returns whose project it is where it is not ours.

    What is wrong with it becomes the project's fault.
    """
    try:
        answers = read_answers(content)
    except ProjectError as error:
        project.fault = str(error)
        return None
    source, version = answers.get("_src_path"), answers.get("_commit")
    if source is None:
        project.fault = f"{ANSWERS} has no _src_path"
        return None
    if not template.is_named(source):
        return f"made from {one_line(without_secrets(str(source)), 120)}"
    project.answers = {name: value for name, value in answers.items() if not name.startswith("_")}
    if not isinstance(version, str):
        project.fault = f"{ANSWERS} has no _commit"
        return None
    project.version = one_line(version, 80)
    try:
        template.resolve(version)
        project.lag = template.lag(version)
    except ProjectError as error:
        project.fault = str(error)
    return None


def without_secrets(url: str) -> str:
    """A URL without the user and password that it may carry."""
    scheme, mark, rest = url.partition("://")
    host, slash, path = rest.partition("/")
    return f"{scheme}{mark}{host.rpartition('@')[2]}{slash}{path}" if mark else url


def compare(fleet: Fleet, renders: Renders, jobs: int, progress: Callable[[str, int, int], None]) -> None:
    """Say for each project which files of the template differ from a render of its version."""
    template = renders.template
    wanted: dict[str, list[Sight]] = {}
    keys: dict[str, tuple[str, Mapping[str, Any]]] = {}
    for sight in fleet.sights:
        project = sight.project
        if project.version is None or project.fault or sight.tree is None:
            continue
        commit = template.resolve(project.version)
        key = renders.key(commit, project.answers)
        wanted.setdefault(key, []).append(sight)
        keys[key] = (commit, project.answers)
    rendered: dict[str, Rendered] = {}
    missing = []
    for key in wanted:
        kept = renders.load(key)
        if kept is None:
            missing.append(key)
        else:
            rendered[key] = kept
    tasks = {key: (renders, *keys[key]) for key in missing}
    for done, (key, result) in enumerate(pool.run(_make, tasks, jobs), start=1):
        progress("render", done, len(missing))
        if isinstance(result, Rendered):
            rendered[key] = result
        else:
            for sight in wanted[key]:
                sight.project.fault = result.reason
    for key, content in rendered.items():
        for sight in wanted[key]:
            try:
                sight.project.diverged = _diverged(content, sight)
            except ProjectError as error:
                sight.project.notes.append(f"divergence unknown: {error}")


def _make(renders: Renders, commit: str, answers: Mapping[str, Any]) -> Rendered:
    return renders.make(commit, answers)


def _diverged(rendered: Rendered, sight: Sight) -> list[str]:
    tree = sight.tree or {}
    if any(len(blob) != 40 for _, blob in tree.values()):
        raise ProjectError("it is a SHA-256 repository")
    found = []
    for path, blob in rendered.files.items():
        mine = tree.get(path)
        if mine is not None and mine[1] == blob:
            continue
        if mine is not None and path in rendered.shared:
            content = sight.read(mine[1]).decode("utf-8", "replace")
            if keeps(rendered.shared[path], content.splitlines()):
                continue
        found.append(path)
    return found


def chosen(sights: Iterable[Sight], patterns: Sequence[str]) -> list[Sight]:
    """The projects whose name fits one of the patterns; all where there is none."""
    return [sight for sight in sights if fits(sight.project.name, patterns)]


def fits(name: str, patterns: Sequence[str]) -> bool:
    return not patterns or any(fnmatchcase(name, pattern) for pattern in patterns)


def varying(projects: Sequence[Project]) -> list[str]:
    """The answers that tell projects apart in few words: those of choices, mostly."""
    values: dict[str, set[str]] = {}
    for project in projects:
        for name, answer in project.answers.items():
            values.setdefault(name, set()).add(worded(answer))
    return [name for name, found in values.items() if 1 < len(found) <= min(_MOST_VALUES, len(projects) // 2 + 1)]


def worded(answer: Any, limit: int = 60) -> str:
    """An answer as people read it, one of several choices as they were chosen."""
    return one_line(", ".join(map(str, answer)) or "none" if isinstance(answer, list) else answer, limit)


def told(project: Project) -> str:
    """What is to be said of a project beyond its figures."""
    return "; ".join(filter(None, [project.fault, *project.notes]))
