# The template's: `copier update` renews this file.
"""Pipeline jobs in the workspace: started once for the same thing, followed, and their steps kept as components."""

import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from mlops.errors import UsageError
from mlops.files import write_text
from mlops.platforms.azure import pipeline
from mlops.platforms.azure.clients import client, found, workspace
from mlops.platforms.azure.session import Session, answering
from mlops.platforms.base import Job, State, Status
from mlops.platforms.cloud import start_once

ENDED: Mapping[str, State] = {
    "Completed": "succeeded",
    "Failed": "failed",
    "NotResponding": "failed",
    "Canceled": "stopped",
}
"""All else is on its way."""


def submit(session: Session, job: Job, token: str) -> str:
    """Start the pipeline, unless this token has started it; return the job's name.

    Raises:
        MlopsError: Azure refused, or the same has failed too often.
    """
    ml = workspace(session)
    with answering(f"the pipeline {session.name} cannot be started"), loaded(session, job) as content:

        def start(digest: str) -> str | None:
            name = f"{session.name}-{digest[:16]}"
            there = found(ml.jobs.get, name)
            if there is None:
                content.name = name
                return str(ml.jobs.create_or_update(content).name)
            return name if _state(there) not in ("failed", "stopped") else None

        return start_once(session.name, token, start)


def status(session: Session, run: str) -> Status:
    """How a job stands, by its name.

    Raises:
        UsageError: there is none.
    """
    ml = workspace(session)
    with answering(f"the run {run} cannot be looked at"):
        job = found(ml.jobs.get, run)
        if job is None:
            raise UsageError(f"'{run}' is no run of {session.name}; 'mlops submit' prints its name")
        steps = list(ml.jobs.list(parent_job_name=run))
        failed = [step for step in steps if _state(step) == "failed"]
        reasons = [f"{_step(step)}: {_reason(ml, step)}" for step in failed]
        if not reasons and _state(job) == "failed":
            reasons = [_reason(ml, job)]
    return Status(run, _state(job), {_step(step): _state(step) for step in steps}, "; ".join(reasons) or None)


def register(session: Session, job: Job) -> Sequence[str]:
    """Keep the steps as components of the workspace, and of the registry if there is one."""
    from azure.ai.ml import load_component

    places = [workspace(session)]
    if session.azure.registry:
        places.append(client(session, registry=session.azure.registry))
    names = []
    with answering(f"the components of {session.name} cannot be kept"), _compiled(session, job) as folder:
        for file in sorted(folder.glob("components/*.yml")):
            for ml in places:
                each = load_component(file)
                if found(ml.components.get, each.name, each.version) is None:
                    ml.components.create_or_update(each)
            names.append(f"{each.name}:{each.version}")
    return names


@contextmanager
def loaded(session: Session, job: Job) -> Iterator[Any]:
    """The pipeline job as Azure's package knows it."""
    from azure.ai.ml import load_job

    with _compiled(session, job) as folder:
        yield load_job(folder / pipeline.FILE)


@contextmanager
def _compiled(session: Session, job: Job) -> Iterator[Path]:
    with tempfile.TemporaryDirectory() as folder:
        for name, text in pipeline.files(session, job).items():
            write_text(Path(folder, name), text)
        yield Path(folder)


def _state(job: Any) -> State:
    return ENDED.get(str(getattr(job.status, "value", job.status)), "running")


def _step(job: Any) -> str:
    """A step's own name, of a job that is called by it."""
    return str(job.display_name or job.name).replace("_", "-")


def _reason(ml: Any, job: Any) -> str:
    """Why a job failed; only the run history knows, which the package has no public way to."""
    error = ml.jobs._runs_operations.get_run_details(job.name).error
    said = error and error.error and error.error.message
    return str(said).strip().splitlines()[0] if said else "Azure gives no reason; its logs are in the studio"
