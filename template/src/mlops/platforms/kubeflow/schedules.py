# The template's: `copier update` renews this file.
"""Recurring runs of Kubeflow Pipelines: the pipeline, or a verb as a pipeline of its own, started again and again."""

import re
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from mlops.files import canonical_hash
from mlops.platforms.base import Job, Schedule
from mlops.platforms.kubeflow import pipeline
from mlops.platforms.kubeflow.jobs import PAGE, Pipelines, pipelines
from mlops.platforms.kubeflow.session import Session


def schedule(session: Session, wanted: Sequence[Schedule], job: Job) -> None:
    """Bring the recurring runs of this environment's experiment to these; what is not among them is removed."""
    # A schedule cannot know which data there will be: nothing is reused that they may change.
    texts = {each: pipeline.package(session, replace(job, data_version=None), each) for each in wanted}
    account = session.setting("job_service_account")
    with pipelines(session, f"the schedules of {session.name} cannot be set") as there:
        going = {each.description: each for each in _all(there)}
        asked = set()
        for each, text in texts.items():
            mark = f"mlops {canonical_hash([each.name, each.cron, account, text])[:16]}"
            asked.add(mark)
            if mark in going:
                continue
            name = session.name if each.command is None else f"{session.name}-{each.name}"
            pipeline_id, version = there.version(name, text)
            there.create_recurring_run(
                there.experiment,
                f"{session.name}-{each.name}",
                description=mark,
                cron_expression=expression(each),
                max_concurrency=1,
                no_catchup=True,
                pipeline_id=pipeline_id,
                version_id=version,
                service_account=account,
            )
        for mark, kept in going.items():
            if mark not in asked:
                there.delete_recurring_run(kept.recurring_run_id)


def expression(schedule: Schedule) -> str:
    """Five fields of cron as Kubeflow takes them: six, the first one of seconds."""
    minute, hour, day, month, week = schedule.cron.split()
    return f"0 {minute} {hour} {day} {month} {_days(week)}"


def _days(week: str) -> str:
    """Days of the week as 0 to 6: cron's Sunday may be a 7, which Kubeflow does not know, at a range's end as well."""
    if not re.fullmatch(r"[\d,/-]+", week) or "7" not in week:
        return week
    days, _, step = week.partition("/")
    parts = [part.partition("-") for part in days.split(",")]
    found = [day % 7 for first, _, last in parts for day in range(int(first), int(last or first) + 1, int(step or 1))]
    return ",".join(map(str, dict.fromkeys(found)))


def _all(there: Pipelines) -> list[Any]:
    found: list[Any] = []
    token = ""
    while True:
        page = there.list_recurring_runs(page_token=token, page_size=PAGE, experiment_id=there.experiment)
        found += page.recurring_runs or []
        token = page.next_page_token or ""
        if not token:
            return found
