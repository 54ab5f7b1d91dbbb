# The template's: `copier update` renews this file.
"""This machine as a platform: DVC runs the pipeline here, in the environment that is here."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from typing import NoReturn

from mlops.errors import UsageError
from mlops.platforms.base import (
    Abilities,
    Deployment,
    Job,
    Release,
    Say,
    Schedule,
    Serving,
    Status,
    Variable,
)
from mlops.project import Project
from mlops.settings import Settings

RUN = "local"


def connect(project: Project, settings: Settings) -> "Local":
    return Local()


class Local:
    """`mlops.platforms.base.Platform` without a platform: what needs one is refused."""

    name = "local"
    # Nothing is taken away here, and what accelerators there are can be used.
    can = Abilities(spot=True, gpu=True)

    def variables(self) -> Sequence[Variable]:
        return ()

    def check(self) -> Sequence[tuple[str, str, str | None]]:
        return ()

    def repository(self, target: str) -> str:
        _refuse("keeps no images", f"docker build --target {target} --tag NAME .")

    def image(self, target: str, tag: str) -> str:
        return self.repository(target)

    def compile(self, job: Job) -> Mapping[str, str]:
        return {"steps.json": json.dumps([asdict(step) for step in job.steps], indent=2) + "\n"}

    def submit(self, job: Job, *, token: str) -> str:
        """Run what has changed, and wait: DVC itself knows what was run already."""
        from mlops.run import run_pipeline

        if job.data_source is not None:
            _refuse("takes its data from params.yaml", "set data.source there")
        run_pipeline(None, force=False)
        return RUN

    def status(self, run: str) -> Status:
        if run != RUN:
            raise UsageError(f"'{run}' is no run on local; 'dvc status' tells what is up to date here")
        return Status(run, "succeeded")

    def register(self, job: Job) -> Sequence[str]:
        _refuse("keeps no components", "mlops submit --on local")

    def schedule(self, schedules: Sequence[Schedule], job: Job) -> None:
        _refuse("starts nothing by itself", "use the machine's own scheduler, such as cron")

    def deploy(self, release: Release, serving: Serving, say: Say) -> Deployment:
        _refuse("has no endpoint", "mlops serve")

    def rollback(self, version: str, standing: Mapping[str, str], say: Say) -> Deployment:
        _refuse("has no endpoint", "mlops rollback")

    def deployment(self) -> Deployment:
        _refuse("has no endpoint", "mlops serve")

    def publish(self, metrics: Mapping[str, float], dimensions: Mapping[str, str]) -> None:
        _refuse("has no alarms", "mlops monitor")

    def prices(self) -> Mapping[str, float]:
        return {}


def _refuse(what: str, instead: str) -> NoReturn:
    raise UsageError(f"local {what}: {instead}")
