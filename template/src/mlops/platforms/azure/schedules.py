# The template's: `copier update` renews this file.
"""Schedules of the workspace: the pipeline, or a verb as a job of its own, started again and again."""

import re
import tempfile
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from mlops.errors import UsageError
from mlops.files import write_text
from mlops.platforms.azure import pipeline
from mlops.platforms.azure.clients import done, workspace
from mlops.platforms.azure.jobs import loaded
from mlops.platforms.azure.session import Session, answering
from mlops.platforms.base import Job, Schedule


def schedule(session: Session, wanted: Sequence[Schedule], job: Job) -> None:
    """Bring the schedules of this environment to these; what is not among them is removed.

    Raises:
        UsageError: a time that Azure cannot express.
    """
    times = {f"{session.name}-{each.name}": expression(each) for each in wanted}
    ml = workspace(session)
    from azure.ai.ml.constants import TimeZone
    from azure.ai.ml.entities import CronTrigger, JobSchedule

    with answering(f"the schedules of {session.name} cannot be set"):
        there = [
            each
            for each in ml.schedules.list(list_view_type="All")
            if session.tags.items() <= (each.tags or {}).items()
        ]
        for each in wanted:
            name = f"{session.name}-{each.name}"
            trigger = CronTrigger(expression=times[name], time_zone=TimeZone.UTC)
            content = JobSchedule(name=name, trigger=trigger, create_job=_job(session, each, job), tags=session.tags)
            done(ml.schedules.begin_create_or_update, content)
        for each in there:
            if each.name not in times:
                if each.is_enabled:
                    done(ml.schedules.begin_disable, each.name)
                done(ml.schedules.begin_delete, each.name)


def _job(session: Session, each: Schedule, job: Job) -> Any:
    if each.command is None:
        # A schedule cannot know which data there will be: nothing is reused.
        with loaded(session, replace(job, data_version=None)) as content:
            return content
    from azure.ai.ml import load_job

    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder, "job.yml")
        write_text(file, pipeline.written(pipeline.single(session, job, each)))
        return load_job(file)


def expression(schedule: Schedule) -> str:
    """Five fields of cron as Azure takes them.

    Raises:
        UsageError: a day of the month or a month is given, which Azure ignores.
    """
    minute, hour, day, month, week = schedule.cron.split()
    if (day, month) != ("*", "*"):
        raise UsageError(
            f"resources.yaml: schedules.{schedule.name}.cron '{schedule.cron}' gives a day of the month or a month, "
            "which Azure takes no notice of; put '*' for both, and choose days of the week"
        )
    return f"{minute} {hour} * * {_days(week)}"


def _days(week: str) -> str:
    """Days of the week as 0 to 6, without ranges: cron's Sunday may be a 7 at a range's end."""
    if not re.fullmatch(r"[\d,/-]+", week):
        return week
    days, _, step = week.partition("/")
    parts = [part.partition("-") for part in days.split(",")]
    found = [day % 7 for first, _, last in parts for day in range(int(first), int(last or first) + 1, int(step or 1))]
    return ",".join(map(str, dict.fromkeys(found)))
