"""A folder of clones as a fleet. Only git reads it, so nothing in it changes and work in progress does not count."""

import os
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from fleet import git
from fleet.errors import ProjectError, UsageError, one_line
from fleet.projects import Fleet, Pipeline, Project, Sight, identify
from fleet.renders import ANSWERS
from fleet.template import Template

_DEPTH = 4
_MACHINERY = "src/mlops/cli.py"


def look(source: str, template: Template, jobs: int, progress: Callable[[str, int, int], None]) -> Fleet:
    """Find the projects below a folder.

    Raises:
        UsageError: there is no such folder.
    """
    root = Path(source).expanduser()
    if not root.is_dir():
        raise UsageError(f"{source}: no such folder; give one with clones in it, or github:ORG")
    root = root.resolve()
    repositories = list(_repositories(root))
    fleet = Fleet(str(root))
    with ThreadPoolExecutor(jobs) as threads:
        found = threads.map(lambda folder: _look_at(folder, root, template), repositories)
        for done, (sights, others) in enumerate(found, start=1):
            progress("look", done, len(repositories))
            fleet.sights += sights
            fleet.others |= others
    return fleet


def _repositories(folder: Path, depth: int = _DEPTH) -> Iterator[Path]:
    """Git repositories from here down, without those inside another."""
    if (folder / ".git").exists() or ((folder / "HEAD").is_file() and (folder / "objects").is_dir()):
        yield folder
    elif depth:
        try:
            inner = sorted(entry.path for entry in os.scandir(folder) if entry.is_dir(follow_symlinks=False))
        except OSError:
            return
        for path in inner:
            if not Path(path).name.startswith("."):
                yield from _repositories(Path(path), depth - 1)


def _look_at(folder: Path, root: Path, template: Template) -> tuple[list[Sight], dict[str, str]]:
    name = folder.relative_to(root).as_posix() if folder != root else folder.name
    try:
        return _projects(folder, name, template)
    except ProjectError as error:
        return [_broken(name, folder, str(error))], {}
    except OSError as error:
        return [_broken(name, folder, one_line(error))], {}


def _broken(name: str, folder: Path, fault: str) -> Sight:
    return Sight(Project(name, str(folder), fault=fault), None, lambda _: b"", (folder, ""))


def _projects(folder: Path, name: str, template: Template) -> tuple[list[Sight], dict[str, str]]:
    bare, shallow = git.text(folder, "rev-parse", "--is-bare-repository", "--is-shallow-repository").split()
    try:
        commit = git.text(folder, "rev-parse", "--verify", "--quiet", "HEAD^{commit}")
    except ProjectError:
        return [], {name: "no commit yet"}
    tree = git.tree(git.output(folder, "ls-tree", "-r", "-z", "--full-tree", commit))
    prefixes = sorted(path.removesuffix(ANSWERS) for path in tree if f"/{path}".endswith(f"/{ANSWERS}"))
    if not prefixes:
        if _MACHINERY in tree:
            return [_broken(name, folder, f"no {ANSWERS}, but {_MACHINERY}: it was lost, or never committed")], {}
        return [], {name: f"no {ANSWERS}"}
    sights, others = [], {}
    contents = git.blobs(folder, [tree[prefix + ANSWERS][1] for prefix in prefixes])
    for prefix, content in zip(prefixes, contents, strict=True):
        path = prefix.rstrip("/")
        project = Project(f"{name}/{path}" if path else name, str(folder / path), commit)
        if content is None:
            project.fault = f"{ANSWERS} is not in this clone, which is a partial one"
            other = None
        else:
            other = identify(project, content, template)
        if other:
            others[project.name] = other
            continue
        mine = {name.removeprefix(prefix): entry for name, entry in tree.items() if name.startswith(prefix)}
        sights.append(Sight(project, mine, lambda blob: _read(folder, blob), (folder, path)))
        if shallow == "true":
            project.notes.append("shallow clone: its history is not here")
        else:
            project.updated = _last(folder, prefix + ANSWERS)
            if "dvc.lock" in mine and (at := _last(folder, f"{prefix}dvc.lock")):
                project.pipeline = Pipeline(at, "dvc.lock committed")
        if bare == "false" and git.output(folder, "status", "--porcelain", "-z", "--", path or ".").strip(b"\0"):
            project.notes.append("uncommitted changes")
    return sights, others


def _read(folder: Path, blob: str) -> bytes:
    (content,) = git.blobs(folder, [blob])
    if content is None:
        raise ProjectError("a file is not in this clone, which is a partial one")
    return content


def _last(folder: Path, path: str) -> str | None:
    """When a file was last changed by a commit."""
    return git.text(folder, "log", "-1", "--format=%cI", "HEAD", "--", f":(top,literal){path}") or None
