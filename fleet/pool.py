"""Work in parallel processes, of which one that ends badly takes nothing with it.

Copier changes its process's folder and variables, so threads would not do.
"""

import multiprocessing
import os
import shutil
import tempfile
import threading
import uuid
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ProcessPoolExecutor, as_completed
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from filelock import FileLock, Timeout

from fleet.errors import reason

_ATTEMPTS = 3
_PREFIX = "copier-mlops-fleet-"


@dataclass(frozen=True)
class Failure:
    """What a task ended with instead of a result."""

    reason: str


def run(function: Callable[..., Any], tasks: Mapping[str, tuple[Any, ...]], jobs: int) -> Iterator[tuple[str, Any]]:
    """Call `function(*arguments)` for each task; yields (name, result or Failure) as they are done."""
    if len(tasks) <= 1:
        for name, arguments in tasks.items():
            yield name, _call(function, arguments)
        return
    left = dict(tasks)
    for _ in range(_ATTEMPTS):
        # A process that is ended takes its pool with it, and what was not done goes into the next one.
        try:
            for name, result in _pooled(function, left, min(jobs, len(left))):
                del left[name]
                yield name, result
        except BrokenProcessPool:
            continue
        return
    for name, arguments in left.items():
        try:
            yield from _pooled(function, {name: arguments}, 1)
        except BrokenProcessPool:
            yield name, Failure("its process was ended from outside, perhaps for want of memory")


def _pooled(
    function: Callable[..., Any], tasks: Mapping[str, tuple[Any, ...]], workers: int
) -> Iterator[tuple[str, Any]]:
    context = multiprocessing.get_context("spawn")
    executor = ProcessPoolExecutor(workers, context, _start, (tempfile.gettempdir(),))
    try:
        futures = {executor.submit(_call, function, arguments): name for name, arguments in tasks.items()}
        for future in as_completed(futures):
            yield futures[future], future.result()
    finally:
        executor.shutdown(wait=True, cancel_futures=True)


def _call(function: Callable[..., Any], arguments: tuple[Any, ...]) -> Any:
    try:
        return function(*arguments)
    except Exception as error:
        return Failure(reason(error))


def _start(folder: str) -> None:
    """In each process: its temporary files go where the next start looks, and it ends with its parent."""
    use_folder(Path(folder))
    threading.Thread(target=_end_with_parent, daemon=True).start()


def _end_with_parent() -> None:
    parent = multiprocessing.parent_process()
    if parent is not None:
        parent.join()
        os._exit(1)


def use_folder(folder: Path) -> None:
    """Have this process, and the programs that it starts, put temporary files there."""
    tempfile.tempdir = str(folder)
    for name in ("TMPDIR", "TEMP", "TMP"):
        os.environ[name] = str(folder)


@contextmanager
def temporary_folder(cache: Path) -> Iterator[Path]:
    """A folder for all temporary files, gone at the end; what a killed run has left goes first."""
    runs = cache / "runs"
    runs.mkdir(parents=True, exist_ok=True)
    for note in runs.glob("*.folder"):
        _sweep(note)
    name = uuid.uuid4().hex
    note, folder = runs / f"{name}.folder", Path(tempfile.gettempdir(), f"{_PREFIX}{name}").resolve()
    with FileLock(note.with_suffix(".lock")):
        before = tempfile.tempdir, {name: os.environ.get(name) for name in ("TMPDIR", "TEMP", "TMP")}
        note.write_text(str(folder), encoding="utf-8")
        folder.mkdir(mode=0o700)
        try:
            use_folder(folder)
            yield folder
        finally:
            tempfile.tempdir = before[0]
            for name, value in before[1].items():
                os.environ.pop(name, None)
                if value is not None:
                    os.environ[name] = value
            shutil.rmtree(folder, ignore_errors=True)
            note.unlink(missing_ok=True)
    note.with_suffix(".lock").unlink(missing_ok=True)


def _sweep(note: Path) -> None:
    """Remove what a run has left that no longer holds its lock."""
    lock = FileLock(note.with_suffix(".lock"))
    try:
        with lock.acquire(timeout=0):
            folder = Path(note.read_text(encoding="utf-8").strip() or "/nowhere")
            if folder.name.startswith(_PREFIX):
                shutil.rmtree(folder, ignore_errors=True)
            note.unlink(missing_ok=True)
    except (Timeout, OSError):
        return
    note.with_suffix(".lock").unlink(missing_ok=True)
