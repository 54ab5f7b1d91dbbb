# The template's: `copier update` renews this file.
"""Pipelines in SageMaker: made, started, followed, and started again and again by EventBridge Scheduler."""

import re
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from email.utils import parsedate_to_datetime
from typing import Any

from mlops.errors import UsageError
from mlops.platforms.aws import pipeline
from mlops.platforms.aws.place import found
from mlops.platforms.aws.session import Session, answering
from mlops.platforms.base import Job, Schedule, State, Status
from mlops.platforms.cloud import start_once

STATES: Mapping[str, State] = {
    "Starting": "running",
    "Executing": "running",
    "Stopping": "running",
    "Stopped": "stopped",
    "Failed": "failed",
    "Succeeded": "succeeded",
}
DAYS = ("SUN", "MON", "TUE", "WED", "THU", "FRI", "SAT", "SUN")


def submit(session: Session, job: Job, token: str) -> str:
    """Bring the pipeline up to date and start it, unless this token has started it; return the execution's ARN.

    Raises:
        MlopsError: AWS refused, or the same has failed too often.
    """
    client = session.client("sagemaker")
    with answering(f"the pipeline {session.name} cannot be started"):
        _upsert(session, session.name, pipeline.definition(session, job))
        given = {"DataSource": job.data_source, "DataVersion": job.data_version}

        def start(digest: str) -> str | None:
            said = client.start_pipeline_execution(
                PipelineName=session.name,
                ClientRequestToken=digest,
                PipelineParameters=[{"Name": name, "Value": value} for name, value in given.items() if value],
            )
            run = str(said["PipelineExecutionArn"])
            execution = client.describe_pipeline_execution(PipelineExecutionArn=run)
            ended_badly = STATES[execution["PipelineExecutionStatus"]] in ("failed", "stopped")
            return None if ended_badly and _is_older(execution, said) else run

        return start_once(session.name, token, start)


def _is_older(execution: Mapping[str, Any], said: Mapping[str, Any]) -> bool:
    """Whether an execution was there before it was asked for, by the clock of AWS."""
    date = said["ResponseMetadata"]["HTTPHeaders"].get("date")
    created: datetime | None = execution.get("CreationTime")
    return bool(date and created and created < parsedate_to_datetime(date) - timedelta(minutes=1))


def _upsert(session: Session, name: str, definition: str) -> str:
    """Create or update a pipeline; return its ARN."""
    client = session.client("sagemaker")
    content = {
        "PipelineName": name,
        "PipelineDefinition": definition,
        "RoleArn": session.setting("pipeline_role_arn"),
    }
    if found(client.describe_pipeline, PipelineName=name) is None:
        tags = [{"Key": key, "Value": value} for key, value in session.tags.items()]
        said = client.create_pipeline(**content, Tags=tags)
    else:
        said = client.update_pipeline(**content)
    return str(said["PipelineArn"])


def status(session: Session, run: str) -> Status:
    """How an execution stands, by its ARN or the last part of it.

    Raises:
        UsageError: there is none.
    """
    client = session.client("sagemaker")
    if not run.startswith("arn:"):
        run = _arn(session, run)
    with answering(f"the run {run} cannot be looked at"):
        execution = found(client.describe_pipeline_execution, PipelineExecutionArn=run)
        if execution is None:
            raise UsageError(f"'{run}' is no run of {session.name}; 'mlops submit' prints its name")
        pages = client.get_paginator("list_pipeline_execution_steps").paginate(
            PipelineExecutionArn=run, SortOrder="Ascending"
        )
        steps = [step for page in pages for step in page["PipelineExecutionSteps"]]
    reasons = [f"{step['StepName']}: {step['FailureReason']}" for step in steps if step.get("FailureReason")]
    return Status(
        run,
        STATES[execution["PipelineExecutionStatus"]],
        {step["StepName"]: STATES[step["StepStatus"]] for step in steps},
        "; ".join(reasons) or execution.get("FailureReason"),
    )


def _arn(session: Session, run: str) -> str:
    with answering(f"the runs of {session.name} cannot be listed"):
        pages = session.client("sagemaker").get_paginator("list_pipeline_executions")
        for page in pages.paginate(PipelineName=session.name):
            for each in page["PipelineExecutionSummaries"]:
                if each["PipelineExecutionArn"].endswith(f"/{run}"):
                    return str(each["PipelineExecutionArn"])
    raise UsageError(f"'{run}' is no run of {session.name}; 'mlops submit' prints its name")


def schedule(session: Session, schedules: Sequence[Schedule], job: Job) -> str | None:
    """Bring the schedules of this environment to these; what is not among them is removed with its pipeline.

    Returns:
        Why nothing is scheduled, where that is so.

    Raises:
        UsageError: a time that AWS cannot express.
    """
    if not session.aws.scheduler_role_arn:
        return "MLOPS_AWS_SCHEDULER_ROLE_ARN is not set" if schedules else None
    scheduler, sagemaker, group = session.client("scheduler"), session.client("sagemaker"), session.name
    times = {each.name: expression(each) for each in schedules}
    with answering(f"the schedules of {group} cannot be set"):
        if found(scheduler.get_schedule_group, Name=group) is None:
            scheduler.create_schedule_group(Name=group)
        pages = scheduler.get_paginator("list_schedules").paginate(GroupName=group)
        there = {each["Name"] for page in pages for each in page["Schedules"]}
        for each in schedules:
            name = f"{group}-{each.name}"[:64]
            arn = _upsert(session, name, pipeline.single(session, job, each)) if each.command else _own(session)
            target = {
                "Arn": arn,
                "RoleArn": session.aws.scheduler_role_arn,
                "SageMakerPipelineParameters": {"PipelineParameterList": []},
                "RetryPolicy": {"MaximumEventAgeInSeconds": 21600, "MaximumRetryAttempts": 10},
            }
            change = scheduler.update_schedule if each.name in there else scheduler.create_schedule
            change(
                Name=each.name,
                GroupName=group,
                ScheduleExpression=times[each.name],
                ScheduleExpressionTimezone="UTC",
                FlexibleTimeWindow={"Mode": "OFF"},
                State="ENABLED",
                Target=target,
            )
        for name in sorted(there - set(times)):
            scheduler.delete_schedule(Name=name, GroupName=group)
            found(sagemaker.delete_pipeline, PipelineName=f"{group}-{name}"[:64])  # none where it started the whole one
    return None


def _own(session: Session) -> str:
    return str(session.client("sagemaker").describe_pipeline(PipelineName=session.name)["PipelineArn"])


def expression(schedule: Schedule) -> str:
    """Five fields of cron as EventBridge writes them: days of the week by name, and one of the two days a `?`.

    Raises:
        UsageError: both the day of the month and that of the week are given, which EventBridge cannot.
    """
    minute, hour, day, month, week = schedule.cron.split()
    if day != "*" and week != "*":
        raise UsageError(
            f"resources.yaml: schedules.{schedule.name}.cron '{schedule.cron}' gives a day of the month and one of the "
            "week, and AWS takes one of the two; put '*' for the other"
        )
    if week == "*":
        week = "?"
    else:
        day = "?"
        parts = week.split("/")
        week = "/".join([re.sub(r"\d", lambda found: DAYS[int(found[0]) % 8], parts[0]), *parts[1:]])
    return f"cron({minute} {hour} {day} {month} {week} *)"
