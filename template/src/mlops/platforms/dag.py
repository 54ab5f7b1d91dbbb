# The template's: `copier update` renews this file.
"""`dvc.yaml` as stages and edges, for platforms that run it without DVC's help.

DVC's own parser fills in vars, foreach and matrix; what goes where is found here, by matching what stages read with
what others write. What a platform cannot do is refused by its name.
"""

import posixpath
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from types import SimpleNamespace
from typing import Any

from mlops.errors import UsageError

FILE = "dvc.yaml"
PARAMS = "params.yaml"
UNDERSTOOD = {"cmd", "wdir", "deps", "outs", "params", "metrics", "plots", "always_changed", "vars", "desc", "meta"}


@dataclass(frozen=True)
class Stage:
    """A stage as it will run: no variable is left in it, and its paths begin at the project's folder."""

    name: str
    commands: tuple[str, ...]
    deps: tuple[str, ...]
    outs: tuple[str, ...]
    """Metrics and plots among them."""
    params: Mapping[str, tuple[str, ...]]
    """Keys by file; none means all of them."""
    always_changed: bool

    @property
    def reads(self) -> tuple[str, ...]:
        """All files and folders that it reads: a file of parameters may be another stage's output."""
        return (*self.deps, *self.params)


@dataclass(frozen=True)
class Edge:
    """One stage needs what another writes."""

    source: str
    target: str
    path: str
    """The output, as dvc.yaml names it."""


@dataclass(frozen=True)
class Dag:
    """The stages in the order of dvc.yaml, and what goes from one to another."""

    stages: Mapping[str, Stage]
    edges: tuple[Edge, ...]

    @cached_property
    def order(self) -> tuple[str, ...]:
        """The names in an order in which they can run.

        Raises:
            UsageError: there is none.
        """
        needs: dict[str, list[str]] = defaultdict(list)
        for edge in self.edges:
            needs[edge.target].append(edge.source)
        return sort(self.stages, needs, f"{FILE} has a cycle")


def sort(names: Iterable[str], needs: Mapping[str, Iterable[str]], fault: str) -> tuple[str, ...]:
    """Put names behind those that they need, and keep their order otherwise.

    Raises:
        UsageError: they need each other in a circle, which the message shows after `fault`.
    """
    done: dict[str, None] = {}
    for first in names:
        path: dict[str, Iterator[str]] = {}
        waiting = [first]
        while waiting:
            name = waiting[-1]
            if name in done:
                waiting.pop()
                continue
            open_ = path.setdefault(name, iter(dict.fromkeys(needs.get(name, ()))))
            missing = next((other for other in open_ if other not in done), None)
            if missing is None:
                done[name] = None
                del path[name]
            elif missing in path:
                circle = [*list(path)[list(path).index(missing) :], missing]
                raise UsageError(f"{fault}: {' needs '.join(circle)}")
            else:
                waiting.append(missing)
    return tuple(done)


def read_dag(file: Path = Path(FILE)) -> Dag:
    """Read the pipeline around the current folder.

    Raises:
        UsageError: it cannot be read, or holds what no platform but DVC can do.
    """
    stages = {name: _stage(name, content) for name, content in _resolved(file).items()}
    if not stages:
        raise UsageError(f"{file} has no stages; there is nothing to run")
    dag = Dag(stages, tuple(_edges(stages)))
    _ = dag.order
    return dag


def _resolved(file: Path) -> dict[str, dict[str, Any]]:
    """The stages by name, such as `train@large`, with all variables filled in."""
    import yaml

    try:
        text = file.read_text(encoding="utf-8")
        content = yaml.load(text, Loader=getattr(yaml, "CSafeLoader", yaml.SafeLoader))  # noqa: S506 - as quick as can be
    except (OSError, UnicodeDecodeError, yaml.YAMLError) as error:
        raise UsageError(f"{file} cannot be read: {' '.join(str(error).split())}") from error
    if not isinstance(content, dict) or not isinstance(content.get("stages"), dict):
        raise UsageError(f"{file} has no stages; there is nothing to run")
    for name, stage in content["stages"].items():
        if not isinstance(stage, dict):
            raise UsageError(f"{file}: the stage '{name}' is {stage!r}; it needs at least 'cmd'")
    filled = any({"foreach", "matrix", "vars"} & set(part) for part in (content, *content["stages"].values()))
    plain = "${" not in text and not filled
    return dict(content["stages"]) if plain else _filled_in(file, content)


def _filled_in(file: Path, content: dict[str, Any]) -> dict[str, dict[str, Any]]:
    from dvc.exceptions import DvcException
    from dvc.parsing import DataResolver
    from dvc_objects.fs.local import LocalFileSystem

    # The parser asks of DVC's repository for its files and a setting alone; to open one would take a second.
    files = LocalFileSystem()  # type: ignore[no-untyped-call]
    repository = SimpleNamespace(fs=files, config={})
    try:
        return dict(DataResolver(repository, "", content).resolve()["stages"])
    except DvcException as error:
        raise UsageError(f"{file} cannot be read: {' '.join(str(error).split())}") from error


def _stage(name: str, content: dict[str, Any]) -> Stage:
    def refuse(what: str) -> UsageError:
        return UsageError(f"{FILE}: the stage '{name}' {what}")

    if content.get("frozen"):
        raise refuse("is frozen, so its outputs are on this machine alone; unfreeze it ('dvc unfreeze')")
    if unknown := sorted(set(content) - UNDERSTOOD - {"frozen"}):
        raise refuse(f"has '{unknown[0]}', which only DVC itself can do; take it out")
    commands = content.get("cmd")
    commands = (commands,) if isinstance(commands, str) else tuple(map(str, commands or ()))
    if not commands:
        raise refuse("has no cmd; say what it runs")
    folder = str(content.get("wdir") or ".")

    def inside(kind: str, path: str) -> str:
        whole = posixpath.normpath(posixpath.join(folder, path))
        if "://" in path or posixpath.isabs(whole) or whole.split("/")[0] == "..":
            raise refuse(f"has {kind} outside the project, '{path}', which a container lacks; bring it in by a stage")
        return whole

    inside("its wdir", ".")
    deps = [inside("a dependency", _one(entry)[0]) for entry in content.get("deps") or ()]
    for path in deps:
        if pointer := _pointer(path):
            raise refuse(f"reads '{path}', which is in DVC by {pointer}; put the file in git, or read it in a stage")
    outs = []
    for kind in ("outs", "metrics", "plots"):
        for entry in content.get(kind) or ():
            path, options = _one(entry)
            if isinstance(options, dict) and options.get("persist"):
                raise refuse(f"keeps '{path}' from run to run (persist), which a container cannot; take that out")
            outs.append(inside("an output", path))
    params: dict[str, tuple[str, ...]] = {}
    for entry in content.get("params") or ():
        path, keys = (PARAMS, [entry]) if isinstance(entry, str) else _one(entry)
        path = inside("a file of parameters", path)
        params[path] = (*params.get(path, ()), *map(str, keys or ()))
    return Stage(name, commands, tuple(deps), tuple(outs), params, bool(content.get("always_changed")))


def _one(entry: Any) -> tuple[str, Any]:
    """A path and what is said of it."""
    if isinstance(entry, dict):
        ((path, options),) = entry.items()
        return str(path), options
    return str(entry), None


def _pointer(path: str) -> Path | None:
    """The `.dvc` file that stands for a path, for a folder around it or for something in it."""
    place = Path(path)
    for part in (place, *place.parents[:-1]):
        pointer = part.with_name(f"{part.name}.dvc")
        if pointer.is_file():
            return pointer
    return next(iter(sorted(place.rglob("*.dvc"))), None) if place.is_dir() else None


def _edges(stages: Mapping[str, Stage]) -> Iterator[Edge]:
    """Match what is read with what is written: the same path, a folder around it, or something in it.

    Raises:
        UsageError: two stages write the same.
    """
    writer: dict[str, str] = {}
    for stage in stages.values():
        for out in stage.outs:
            if out in writer:
                raise UsageError(f"{FILE}: the stages '{writer[out]}' and '{stage.name}' both write '{out}'")
            writer[out] = stage.name
    below: dict[str, list[str]] = defaultdict(list)
    for out, name in writer.items():
        for folder in _folders(out):
            below[folder].append(out)
            if folder in writer:
                raise UsageError(f"{FILE}: '{name}' writes '{out}' into '{folder}', which '{writer[folder]}' writes")
    for stage in stages.values():
        found: dict[str, None] = {}
        for path in stage.reads:
            around = [place for place in (path, *_folders(path)) if place in writer]
            found |= dict.fromkeys([*around, *below.get(path, ())])
        for out in found:
            yield Edge(writer[out], stage.name, out)


def _folders(path: str) -> list[str]:
    parts = path.split("/")
    return ["/".join(parts[:length]) for length in range(len(parts) - 1, 0, -1)]
