# The template's: `copier update` renews this file.
"""Runs of Kubeflow Pipelines: the pipeline kept as versions of one, started once for the same thing, and followed."""

import json
import tempfile
import warnings
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, redirect_stdout
from functools import cached_property
from io import StringIO
from pathlib import Path
from typing import Any

from mlops.errors import MlopsError, UsageError
from mlops.files import canonical_hash, write_text
from mlops.platforms import kfp
from mlops.platforms.base import Job, State, Status
from mlops.platforms.cloud import start_once
from mlops.platforms.kubeflow import pipeline
from mlops.platforms.kubeflow.session import Session, answering, status_of

ENDED: Mapping[str, State] = {
    "SUCCEEDED": "succeeded",
    "SKIPPED": "succeeded",  # what the cache gave
    "CACHED": "succeeded",
    "FAILED": "failed",
    "CANCELED": "stopped",
}
"""All else is on its way."""
PAGE = 100


class Pipelines:
    """Kubeflow Pipelines as this environment has it; what its package prints goes nowhere."""

    def __init__(self, session: Session) -> None:
        with warnings.catch_warnings(), redirect_stdout(StringIO()):
            warnings.simplefilter("ignore", FutureWarning)
            from kfp.client import Client, ServiceAccountTokenVolumeCredentials

            file, host = session.kubeflow.token_file, session.setting("host")
            if file and not Path(file).is_file():
                raise UsageError(f"MLOPS_KUBEFLOW_TOKEN_FILE: there is no file {file}")
            self.session = session
            self._client = Client(
                host=host,
                namespace=session.setting("namespace"),
                credentials=ServiceAccountTokenVolumeCredentials(file) if file else None,
                ssl_ca_cert=session.kubeflow.ca_file,
            )
            if not self._client._healthz_api.healthz_service_get_healthz().multi_user:
                self._client._context_setting["namespace"] = ""  # it has one for all, and takes no name of another

    def __getattr__(self, name: str) -> Any:
        """A method of `kfp.Client`."""
        method = getattr(self._client, name)

        def quietly(*arguments: Any, **options: Any) -> Any:
            with redirect_stdout(StringIO()):
                return method(*arguments, **options)

        return quietly

    @cached_property
    def experiment(self) -> str:
        """The id of this environment's experiment, made unless it is there: what is in it is this project's."""
        return str(self.create_experiment(self.session.name).experiment_id)

    def version(self, name: str, text: str) -> tuple[str, str]:
        """The ids of a pipeline and of its version with this text, which are made unless they are there."""
        mark = canonical_hash(text)[:16]
        with tempfile.TemporaryDirectory() as folder:
            file = Path(folder, kfp.FILE)
            write_text(file, text)
            namespace = self.get_user_namespace() or None
            made = self.list_pipelines(namespace=namespace, filter=_named(name)).pipelines
            found = made[0] if made else self.upload_pipeline(str(file), pipeline_name=name, namespace=namespace)
            pipeline_id = found.pipeline_id
            there = self.list_pipeline_versions(pipeline_id, filter=_named(mark)).pipeline_versions or []
            found = there[0] if there else self.upload_pipeline_version(str(file), mark, pipeline_id=pipeline_id)
        return str(pipeline_id), str(found.pipeline_version_id)

    def runs(self, name: str) -> list[Any]:
        """The runs of this name."""
        return self.list_runs(experiment_id=self.experiment, filter=_named(name)).runs or []


def submit(session: Session, job: Job, token: str) -> str:
    """Start the pipeline, unless this token has started it; return the run's id.

    Raises:
        MlopsError: Kubeflow Pipelines refused, or the same has failed too often.
    """
    text = pipeline.package(session, job)
    with pipelines(session, f"the pipeline {session.name} cannot be started") as there:

        def start(digest: str) -> str | None:
            name = f"{session.name}-{digest[:16]}"
            found = there.runs(name)
            if not found:
                pipeline_id, version = there.version(session.name, text)
                started = there.run_pipeline(
                    there.experiment,
                    name,
                    pipeline_id=pipeline_id,
                    version_id=version,
                    service_account=session.setting("job_service_account"),
                )
                return str(started.run_id)
            return str(found[0].run_id) if _state(found[0]) not in ("failed", "stopped") else None

        return start_once(session.name, token, start)


def status(session: Session, run: str) -> Status:
    """How a run stands, by its id.

    Raises:
        UsageError: there is none.
    """
    with pipelines(session, f"the run {run} cannot be looked at") as there:
        try:
            found = there.get_run(run)
        except Exception as error:
            if status_of(error) in (400, 404):
                raise UsageError(f"'{run}' is no run of {session.name}; 'mlops submit' prints its id") from error
            raise
        reference = found.pipeline_version_reference
        version = there.get_pipeline_version(reference.pipeline_id, reference.pipeline_version_id)
    spec = version.pipeline_spec
    names = kfp.steps(spec.get("pipeline_spec", spec))
    details = (found.run_details and found.run_details.task_details) or []
    # A later try of a step comes later.
    tasks = {task.display_name: task for task in sorted(details, key=lambda task: str(task.create_time or ""))}
    its = {name: tasks[name] for name in names if name in tasks}
    states = {name: _state(task) for name, task in its.items()}
    reasons = [f"{name}: {_reason(its[name])}" for name, state in states.items() if state == "failed"]
    if not reasons and _state(found) == "failed":
        reasons = [_reason(found)]
    return Status(run, _state(found), states, "; ".join(reasons) or None)


@contextmanager
def pipelines(session: Session, doing: str) -> Iterator[Pipelines]:
    """Kubeflow Pipelines, whose errors become one line."""
    with answering(doing):
        try:
            yield Pipelines(session)
        except (ValueError, TimeoutError) as error:  # as its package tells of two of one name, and of no answer
            raise MlopsError(f"{doing}: {error}") from error


def _named(name: str) -> str:
    """What the API takes for: those of this name."""
    return json.dumps({"predicates": [{"operation": "EQUALS", "key": "display_name", "stringValue": name}]})


def _state(of: Any) -> State:
    return ENDED.get(str(of.state), "running")


def _reason(failed: Any) -> str:
    said = str((failed.error and failed.error.message) or "").strip()
    return said.splitlines()[0] if said else "Kubeflow gives no reason; its logs are with the pod of the step"
