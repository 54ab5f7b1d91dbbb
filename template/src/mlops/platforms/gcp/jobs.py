# The template's: `copier update` renews this file.
"""Pipeline jobs of Vertex AI: started once for the same thing, and followed."""

import json
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import replace
from typing import Any

from mlops.errors import UsageError
from mlops.platforms import kfp
from mlops.platforms.base import Job, State, Status
from mlops.platforms.cloud import start_once
from mlops.platforms.gcp import pipeline
from mlops.platforms.gcp.clients import client, found
from mlops.platforms.gcp.session import Session, answering

ENDED: Mapping[str, State] = {
    "PIPELINE_STATE_SUCCEEDED": "succeeded",
    "PIPELINE_STATE_FAILED": "failed",
    "PIPELINE_STATE_CANCELLED": "stopped",
}
"""All else is on its way."""
TASKS: Mapping[str, State] = {
    "SUCCEEDED": "succeeded",
    "SKIPPED": "succeeded",  # what the cache gave
    "FAILED": "failed",
    "CANCELLED": "stopped",
    "NOT_TRIGGERED": "stopped",
}


def pipelines(session: Session) -> Any:
    return client(session, "PipelineService", session.regions[0])


def submit(session: Session, job: Job, token: str) -> str:
    """Start the pipeline, unless this token has started it; return the job's id.

    Raises:
        MlopsError: Google Cloud refused, or the same has failed too often.
    """
    content = pipeline.body(session, job)
    with answering(f"the pipeline {session.name} cannot be started"):
        _keep(session, job)
        return _start(session, content, token)


def _start(session: Session, content: Mapping[str, Any], token: str) -> str:
    from google.api_core.exceptions import Conflict
    from google.cloud.aiplatform_v1.types import PipelineJob

    service, where = pipelines(session), session.parent(session.regions[0])

    def start(digest: str) -> str | None:
        run = f"{session.name}-{digest[:16]}"
        there = found(service.get_pipeline_job, name=f"{where}/pipelineJobs/{run}")
        if there is None:
            asked = PipelineJob.from_json(json.dumps(content))
            with suppress(Conflict):  # somebody else's at the same time, or our own, whose answer was lost
                service.create_pipeline_job(parent=where, pipeline_job=asked, pipeline_job_id=run)
            return run
        return run if _state(there) not in ("failed", "stopped") else None

    return start_once(session.name, token, start)


def _keep(session: Session, job: Job) -> None:
    """Write what a retraining starts, which an alert of `infra/gcp/project` asks for: `pipelines/<name>.json`.

    Nobody knows yet which data there will be, so their version is none.
    """
    from google.cloud.storage import Client

    content = json.dumps(pipeline.body(session, replace(job, data_version=None)))
    bucket = Client(project=session.setting("project"), credentials=session.credentials).bucket(
        session.setting("bucket")
    )
    bucket.blob(f"pipelines/{session.name}.json").upload_from_string(content, content_type="application/json")


def status(session: Session, run: str) -> Status:
    """How a job stands, by its id.

    Raises:
        UsageError: there is none.
    """
    with answering(f"the run {run} cannot be looked at"):
        name = f"{session.parent(session.regions[0])}/pipelineJobs/{run}"
        job = found(pipelines(session).get_pipeline_job, name=name)
    if job is None:
        raise UsageError(f"'{run}' is no run of {session.name}; 'mlops submit' prints its id")
    tasks = {task.task_name: task for task in job.job_detail.task_details}  # a later try comes later
    its = {name: tasks[name] for name in kfp.steps(type(job).to_dict(job)["pipeline_spec"]) if name in tasks}
    states = {name: TASKS.get(task.state.name, "running") for name, task in its.items()}
    reasons = [f"{name}: {_reason(its[name])}" for name, state in states.items() if state == "failed"]
    if not reasons and _state(job) == "failed":
        reasons = [_reason(job)]
    return Status(run, _state(job), states, "; ".join(reasons) or None)


def _state(job: Any) -> State:
    return ENDED.get(job.state.name, "running")


def _reason(failed: Any) -> str:
    said = failed.error.message.strip()
    return said.splitlines()[0] if said else "Vertex AI gives no reason; its logs are in the console"
