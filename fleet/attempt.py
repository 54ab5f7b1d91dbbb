"""What an upgrade would do to each project: done for real, to a copy that is thrown away."""

import hashlib
import json
import shutil
import tempfile
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, field
from importlib.metadata import version
from pathlib import Path

from fleet import engine, git, pool
from fleet.errors import ProjectError, one_line
from fleet.projects import Sight
from fleet.renders import write
from fleet.template import Template

_FORM = "1"


@dataclass
class Attempt:
    """The outcome for one project: `current`, `clean`, `conflicts` or `failed`."""

    outcome: str
    conflicts: list[str] = field(default_factory=list)
    """Files with markers, which a person would have to settle."""
    changed: int = 0
    """How many files the upgrade touches."""
    reason: str | None = None


def attempt_all(
    sights: Sequence[Sight],
    template: Template,
    to: str,
    cache: Path,
    jobs: int,
    progress: Callable[[str, int, int], None],
) -> dict[str, Attempt]:
    """Try the upgrade of each project to a version; what was tried before, and is kept, is not tried again."""
    target = template.resolve(to)
    found: dict[str, Attempt] = {}
    keys, tasks = {}, {}
    for sight in sights:
        project = sight.project
        if project.version is None or project.commit is None or project.fault:
            found[project.name] = Attempt("failed", reason=project.fault or "its version is not known")
            continue
        recorded = template.resolve(project.version)
        if recorded == target:
            found[project.name] = Attempt("current")
            continue
        folder, path = sight.place
        keys[project.name] = key = cache / f"{_key(project.commit, path, recorded, target)}.json"
        kept = _load(key)
        if kept:
            found[project.name] = kept
        else:
            tasks[project.name] = (template, target, folder, path, project.commit)
    for done, (name, result) in enumerate(pool.run(attempt, tasks, jobs), start=1):
        progress("try", done, len(tasks))
        if isinstance(result, Attempt):
            found[name] = result
            write(keys[name], json.dumps(asdict(result)))
        else:
            # Not kept: the reason may be the machine's.
            found[name] = Attempt("failed", reason=result.reason)
    return {sight.project.name: found[sight.project.name] for sight in sights}


def _key(*what: str) -> str:
    return hashlib.sha256("\0".join([_FORM, version("copier"), *what]).encode()).hexdigest()[:40]


def _load(path: Path) -> Attempt | None:
    try:
        return Attempt(**json.loads(path.read_text(encoding="utf-8")))
    except (OSError, ValueError, TypeError):
        return None


def attempt(template: Template, target: str, clone: Path, path: str, commit: str) -> Attempt:
    """Update a copy of a project as it was committed.

    Raises:
        ProjectError: copier refuses, and says why.
    """
    work = Path(tempfile.mkdtemp(prefix="try-"))
    try:
        copy = work / (clone.name.removesuffix(".git") or "project")
        # Shared: the copy borrows the clone's objects and writes its own into itself.
        git.output(work, "clone", "-q", "--shared", "--no-checkout", "--no-tags", "--", str(clone), str(copy))
        git.output(copy, "checkout", "-q", "--force", "--detach", commit)
        engine.update(template, target, copy / path)
        unmerged = git.output(copy, "ls-files", "-u", "-z").split(b"\0")
        conflicts = {entry.partition(b"\t")[2].decode("utf-8", "replace") for entry in unmerged if entry}
        status = git.output(copy, "status", "--porcelain", "-z", "--no-renames", "--untracked-files=all").split(b"\0")
        touched = [entry[3:].decode("utf-8", "replace") for entry in status if entry]
        left = sorted(name for name in touched if name.endswith(".rej"))
        if left:
            raise ProjectError(f"copier left rejected hunks behind: {one_line(', '.join(left))}")
        prefix = f"{path}/" if path else ""
        return Attempt(
            "conflicts" if conflicts else "clean",
            sorted(name.removeprefix(prefix) for name in conflicts),
            len(touched),
        )
    finally:
        shutil.rmtree(work, ignore_errors=True)
