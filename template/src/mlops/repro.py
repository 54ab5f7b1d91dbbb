# The template's: `copier update` renews this file.
"""DVC decides what has to run and records it; stages of ours run in this process, which saves seconds."""

import shlex
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any, TypeVar

from mlops.ahead import STAGE as JUDGE
from mlops.ahead import Ahead
from mlops.errors import MlopsError, UsageError
from mlops.pipeline import STAGES, run_stage

LOCK_PATIENCE = 5.0
"""Seconds to wait for DVC's lock: one that a killed process held is freed a moment later."""

Result = TypeVar("Result")
Watch = Callable[[str], Any]
"""Called with a stage's name; gives a context that lasts while the stage runs."""


def reproduce(
    watch: Watch,
    *,
    force: bool = False,
    targets: list[str] | None = None,
    alone: bool = False,
    keep: bool = True,
) -> list[str]:
    """Bring the pipeline of `dvc.yaml` up to date.

    Args:
        watch: Lasts while a stage runs.
        force: Run stages even if nothing changed.
        targets: Stages to bring up to date; default all.
        alone: Take these stages in this order, and what they need as it is.
        keep: Put outputs into DVC's cache.

    Returns:
        The names of the stages that were not up to date, in the order in which they ran.

    Raises:
        MlopsError: a stage failed, or another run holds the lock.
        UsageError: DVC cannot read the pipeline, or there is no such target.
    """
    from dvc.exceptions import ReproductionError
    from dvc.repo import Repo
    from dvc.stage.exceptions import StageNotFound

    def work() -> list[str]:
        with Repo() as repo, _stages_in_process(watch, judged=not targets or JUDGE in targets):
            try:
                done = repo.reproduce(targets or None, force=force, single_item=alone, no_commit=not keep)
            except StageNotFound as error:
                known = ", ".join(stage.addressing for stage in repo.index.stages)
                raise UsageError(f"{_one_line(error)}; choose from {known}") from error
        return [stage.addressing for stage in done]

    try:
        return _with_lock(work)
    except ReproductionError as error:
        raise _cause(error, MlopsError) or MlopsError(_one_line(error)) from error


def up_to_date() -> bool:
    """Whether no stage but the judge has anything to do; quicker to tell than to reproduce nothing."""
    from dvc.repo import Repo

    def look() -> bool:
        with Repo() as repo:
            status = repo.status()
        return status in ({}, {JUDGE: ["always changed"]})

    return _with_lock(look)


def _with_lock(work: Callable[[], Result]) -> Result:
    import logging

    from dvc.exceptions import DvcException, ReproductionError
    from dvc.lock import LockError
    from dvc.rwlock import RWLockFileCorruptedError

    logging.getLogger("dvc").setLevel(logging.ERROR)
    deadline = time.monotonic() + LOCK_PATIENCE
    while True:
        try:
            return work()
        except DvcException as error:
            if _was_interrupted(error):
                raise KeyboardInterrupt from error
            if cut := _cause(error, RWLockFileCorruptedError):
                _remove_cut_rwlock()
            # Of the project, or of a file that a stage of another run reads or writes.
            if cut or _cause(error, LockError):
                if time.monotonic() > deadline:
                    raise MlopsError(
                        "another run of DVC is at work in this project; wait for it or end it, then run again"
                    ) from error
                time.sleep(0.2)
                continue
            if isinstance(error, ReproductionError):
                raise
            raise UsageError(_one_line(error)) from error


def _remove_cut_rwlock() -> None:
    """Remove DVC's list of who reads and writes which file if a kill cut it short: DVC never gets past such a one."""
    import json

    from dvc.lock import LockError, make_lock
    from dvc.rwlock import RWLOCK_FILE, RWLOCK_LOCK

    file = Path(".dvc/tmp", RWLOCK_FILE)
    with suppress(FileNotFoundError, LockError), make_lock(str(file.with_name(RWLOCK_LOCK)), tmp_dir=str(file.parent)):
        try:  # nobody who lives is writing it now
            json.loads(file.read_bytes())
        except ValueError:
            file.unlink()


Cause = TypeVar("Cause", bound=BaseException)


def _cause(error: BaseException | None, kind: type[Cause]) -> Cause | None:
    """The error itself or what it was raised from, if it is of a kind."""
    while error is not None and not isinstance(error, kind):
        error = error.__cause__
    return error


def _was_interrupted(error: BaseException | None) -> bool:
    """Whether Ctrl-C is behind an error: DVC may meet it between two locks, and then complains of those."""
    while error is not None:
        if isinstance(error, KeyboardInterrupt):
            return True
        error = error.__context__
    return False


def _one_line(error: BaseException) -> str:
    parts = [str(error)]
    while error.__cause__ is not None:
        error = error.__cause__
        parts.append(str(error))
    return ": ".join(" ".join(part.split()) for part in dict.fromkeys(parts) if part)


@contextmanager
def _stages_in_process(watch: Watch, *, judged: bool) -> Iterator[None]:
    """Make DVC call our stages instead of starting a process for each.

    This replaces a private function of DVC; where a version has none, its own way is taken, and a
    test sees to it that both leave the same `dvc.lock`.
    """
    from dvc.stage import run as dvc_run

    start_process = getattr(dvc_run, "_run", None)
    if start_process is None:
        yield
        return
    root, ahead = Path.cwd(), Ahead()

    def run(executable: Any, command: str, **options: Any) -> None:
        words = shlex.split(command)
        ours = words[:2] == ["mlops", "stage"] and len(words) == 3 and words[2] in STAGES
        ours = ours and Path(options["cwd"]).resolve() == root.resolve()
        is_judge = ours and words[2] == JUDGE
        if judged and not is_judge and "mlflow" not in sys.modules:
            # Something has changed, so there will be something to judge, which a process with MLflow does itself.
            ahead.start()
        with watch(words[2] if ours else command):
            if is_judge and ahead.started:
                ahead.run()
            elif ours:
                run_stage(words[2])
            else:
                start_process(executable, command, **options)

    dvc_run._run = run
    try:
        yield
    finally:
        dvc_run._run = start_process
        ahead.stop()
