# The template's: `copier update` renews this file.
"""`mlops exec`: stages of dvc.yaml in a platform's container, from the artifacts that came to those that go.

An artifact is a folder that holds a file or folder by its own name; one may come packed, as the folder in a tar.gz that
a path goes through. DVC runs the stages, so that their entries in dvc.lock are its own; the lock travels as an artifact
too, and the last step has all of it.
"""

import json
import os
import shutil
import subprocess
import sys
import tarfile
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from mlops.errors import MlopsError, UsageError
from mlops.files import copy_whole
from mlops.params import load_params
from mlops.platforms.dag import PARAMS, Dag, read_dag
from mlops.platforms.resources import LOCK
from mlops.project import load_project
from mlops.source import FINGERPRINT, write_fingerprint

Places = list[tuple[str, Path]]
"""What dvc.yaml calls a file or folder, and the folder of its artifact."""


def run(
    stages: list[str],
    inputs: list[str],
    outputs: list[str],
    *,
    data: str | None,
    hosts: Path | None,
    failure: Path | None,
) -> None:
    """Run stages one after another.

    Args:
        stages: Their names in dvc.yaml, in an order in which they can run.
        inputs: `DEP=PATH` each.
        outputs: `OUT=PATH` each.
        data: In place of `data.source` in params.yaml.
        hosts: A JSON file where several machines run this, with `hosts` and `current_host`, or as Google's CLUSTER_SPEC
            is: the first machine gives.
        failure: A file for the reason if it fails.

    Raises:
        UsageError: no such stage, or no such form of an option.
        MlopsError: an artifact did not come, a stage failed, or did not write what it declares.
    """
    try:
        _run(stages, _places("--input", inputs), _places("--output", outputs), data, hosts)
    except MlopsError as error:
        if failure is not None:
            failure.parent.mkdir(parents=True, exist_ok=True)
            failure.write_text(f"{error}\n", encoding="utf-8")
        raise


def _run(stages: list[str], inputs: Places, outputs: Places, data: str | None, hosts: Path | None) -> None:
    load_project()
    dag = read_dag()
    if unknown := [name for name in stages if name not in dag.stages]:
        raise UsageError(f"'{unknown[0]}' is no stage of dvc.yaml; choose from {', '.join(dag.stages)}")
    _fetch(inputs)
    if data is not None and data != load_params().data.source:
        _set_source(data)
    if any(FINGERPRINT.as_posix() in dag.stages[name].deps for name in stages):
        write_fingerprint(load_params().data.source)
    rank = _rank(hosts)
    if rank:
        _help(dag, stages)
        return
    _reproduce(stages)
    _give(outputs)


def _places(option: str, values: list[str]) -> Places:
    pairs = [value.rpartition("=") for value in values]
    for value, (name, _, place) in zip(values, pairs, strict=True):
        if not name or not place:
            raise UsageError(f"{option} '{value}': write NAME=PATH")
    return [(name, Path(place)) for name, _, place in pairs]


def _fetch(inputs: Places) -> None:
    """Copy what came to the places that dvc.yaml names; what lay there is replaced."""
    locks = []
    with _unpacked() as unpack:
        for name, place in inputs:
            found = unpack(place) / Path(name).name
            if not found.exists():
                raise MlopsError(f"'{name}' did not come: there is no {found.name} in {place}")
            if name == LOCK:
                locks.append(found.read_text(encoding="utf-8"))
                fingerprint = found.with_name(FINGERPRINT.name)
                if fingerprint.is_file():
                    copy_whole(fingerprint, FINGERPRINT)
            else:
                copy_whole(found, Path(name))
    _merge(locks)


@contextmanager
def _unpacked() -> "Iterator[_Unpack]":
    Path(".mlops").mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory(prefix="unpacked-", dir=".mlops") as folder:
        yield _Unpack(Path(folder))


class _Unpack:
    """Finds the folder of an artifact, in an archive if the path goes through one."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.done = folder, dict[Path, Path]()

    def __call__(self, place: Path) -> Path:
        archive = next((part for part in place.parents if part.name.endswith(".tar.gz") and part.is_file()), None)
        if archive is None:
            return place
        if archive not in self.done:
            self.done[archive] = self.folder / str(len(self.done))
            try:
                _extract(archive, self.done[archive])
            except (OSError, tarfile.TarError) as error:
                raise MlopsError(f"{archive} cannot be unpacked: {error}") from error
        return self.done[archive] / place.relative_to(archive)


def _extract(archive: Path, folder: Path) -> None:
    """Unpack files and folders that stay within the folder."""
    with tarfile.open(archive) as stream:
        if hasattr(tarfile, "data_filter"):
            stream.extractall(folder, filter="data")
            return
        for member in stream.getmembers():  # Python before 3.11.4 does not look
            within = (folder / member.name).resolve().is_relative_to(folder.resolve())
            if not (within and (member.isfile() or member.isdir())):
                raise tarfile.ReadError(f"'{member.name}' is no file or folder within it")
        stream.extractall(folder)  # noqa: S202 - each member was looked at


def _merge(locks: list[str]) -> None:
    """Write dvc.lock with the stages of all that came."""
    import yaml

    Path(LOCK).unlink(missing_ok=True)
    if not locks:
        return
    merged = {"schema": "2.0", "stages": {}}
    for text in locks:
        merged["stages"] |= (yaml.safe_load(text) or {}).get("stages", {})
    Path(LOCK).write_text(yaml.safe_dump(merged, sort_keys=False), encoding="utf-8")


def _set_source(location: str) -> None:
    """Write `data.source` into params.yaml: DVC and the run record what was used from there."""
    from dvc.utils.serialize import modify_yaml

    with modify_yaml(PARAMS) as content:
        content.setdefault("data", {})["source"] = location


def _rank(hosts: Path | None) -> int:
    """The number of this machine among those that run the same stages; the stages get it as a variable."""
    if hosts is None:
        return 0
    try:
        told = json.loads(hosts.read_text(encoding="utf-8"))
        if "cluster" in told:
            names = [name.partition(":")[0] for pool in sorted(told["cluster"]) for name in told["cluster"][pool]]
            rank = names.index(told["cluster"][told["task"]["type"]][told["task"]["index"]].partition(":")[0])
        else:
            names = sorted(told["hosts"], key=lambda name: (len(name), name))
            rank = names.index(told["current_host"])
    except (OSError, LookupError, TypeError, ValueError) as error:
        raise MlopsError(f"{hosts} does not say which machine this is: {error}") from error
    os.environ |= {"MLOPS_HOSTS": ",".join(names), "MLOPS_RANK": str(rank)}
    return rank


def _help(dag: Dag, stages: list[str]) -> None:
    """Run the commands beside the first machine, which has DVC write the lock and gives what was made."""
    for name in stages:
        for command in dag.stages[name].commands:
            done = subprocess.run(command, shell=True, check=False)  # noqa: S602 - as DVC does
            if done.returncode:
                raise MlopsError(f"the stage {name} ended with exit code {done.returncode} on another machine")


def _reproduce(stages: list[str]) -> None:
    from dvc.config import Config

    from mlops import remote
    from mlops.repro import reproduce
    from mlops.settings import load_settings

    if not Path(".git").exists():
        with Config(".dvc").edit("local") as config:
            config.setdefault("core", {})["no_scm"] = True
    url = load_settings().data_remote

    @contextmanager
    def watch(name: str) -> Iterator[None]:
        print(f"{name} ...", file=sys.stderr, flush=True)
        yield

    reproduce(watch, force=True, targets=stages, alone=True, keep=url is not None)
    if url is not None:
        remote.use(url)
        remote.push(stages)


def _give(outputs: Places) -> None:
    """Copy what was made to the platform's places, without links and without renaming: they may be mounted buckets."""
    for name, place in outputs:
        made = Path(name)
        if not made.exists():
            raise MlopsError(f"'{name}' was not made, though dvc.yaml declares it as an output")
        if made.is_dir() and not any(file.is_file() for file in made.rglob("*")):
            raise MlopsError(f"'{name}' is an empty folder, which no platform keeps; write a file into it")
        place.mkdir(parents=True, exist_ok=True)
        target = place / made.name
        shutil.copytree(made, target, dirs_exist_ok=True) if made.is_dir() else shutil.copyfile(made, target)
        if name == LOCK and FINGERPRINT.is_file():
            shutil.copyfile(FINGERPRINT, place / FINGERPRINT.name)
