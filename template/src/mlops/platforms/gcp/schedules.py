# The template's: `copier update` renews this file.
"""Schedules of Vertex AI: the pipeline, or a verb as a pipeline of its own, started again and again."""

import json
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from mlops.files import canonical_hash
from mlops.platforms.base import Job, Schedule
from mlops.platforms.gcp import pipeline
from mlops.platforms.gcp.clients import client, done
from mlops.platforms.gcp.session import Session, answering

CONTENT = "mlops-content"
"""The label that says what a schedule was made from: Google names it, and keeps what it starts as it is."""


def schedule(session: Session, wanted: Sequence[Schedule], job: Job) -> None:
    """Bring the schedules of this environment to these; what is not among them is removed."""
    from google.cloud.aiplatform_v1.types import Schedule as Kept

    where = session.parent(session.regions[0])
    asked = {}
    for each in wanted:
        # A schedule cannot know which data there will be: nothing is reused that they may change.
        body = pipeline.body(session, replace(job, data_version=None), each)
        content = {
            "displayName": f"{session.name}-{each.name}",
            "cron": f"TZ=UTC {each.cron}",
            "maxConcurrentRunCount": "1",
            "createPipelineJobRequest": {"parent": where, "pipelineJob": body},
        }
        mark = canonical_hash(content)[:16]
        body["labels"] = {**body["labels"], CONTENT: mark}
        asked[mark] = content
    with answering(f"the schedules of {session.name} cannot be set"):
        service = client(session, "ScheduleService", session.regions[0])
        there = [each for each in service.list_schedules(parent=where) if session.tags.items() <= _labels(each).items()]
        going = {_mark(each): each.name for each in there if each.state.name == "ACTIVE"}
        for mark, content in asked.items():
            if mark not in going:
                service.create_schedule(parent=where, schedule=Kept.from_json(json.dumps(content)))
        kept = {name for mark, name in going.items() if mark in asked}
        for each in there:
            if each.name not in kept:
                done(session, service.delete_schedule(name=each.name))


def _mark(kept: Any) -> str | None:
    return _labels(kept).get(CONTENT)


def _labels(kept: Any) -> dict[str, str]:
    return dict(kept.create_pipeline_job_request.pipeline_job.labels)
