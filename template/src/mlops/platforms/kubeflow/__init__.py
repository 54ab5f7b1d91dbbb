# The template's: `copier update` renews this file.
"""Kubeflow Pipelines and KServe, on any cluster of Kubernetes."""

from collections.abc import Mapping, Sequence

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
from mlops.platforms.kubeflow import check, endpoint, images, jobs, machines, metrics, pipeline, schedules
from mlops.platforms.kubeflow.session import Session
from mlops.project import Project
from mlops.settings import Settings

SDK = "kubernetes"


def connect(project: Project, settings: Settings) -> "Kubeflow":
    """The adapter, for the settings of this project; nothing is asked of it yet."""
    return Kubeflow(Session(project, settings))


class Kubeflow:
    """`mlops.platforms.base.Platform` on Kubernetes; each room of it is a module of this package."""

    name = "kubeflow"
    can = Abilities(images=True, spot=True, gpu=True, schedules=True, endpoints=True, serverless=True)

    def __init__(self, session: Session) -> None:
        self.session = session

    def variables(self) -> Sequence[Variable]:
        return self.session.variables()

    def check(self) -> Sequence[tuple[str, str, str | None]]:
        return check.check(self.session)

    def repository(self, target: str) -> str:
        return self.session.setting(f"{target}_repository")

    def image(self, target: str, tag: str) -> str:
        return images.digest(self.session, self.repository(target), tag)

    def compile(self, job: Job) -> Mapping[str, str]:
        return pipeline.files(self.session, job)

    def submit(self, job: Job, *, token: str) -> str:
        return jobs.submit(self.session, job, token)

    def status(self, run: str) -> Status:
        return jobs.status(self.session, run)

    def register(self, job: Job) -> Sequence[str]:
        raise NotImplementedError  # `can.components` is off

    def schedule(self, wanted: Sequence[Schedule], job: Job) -> str | None:
        schedules.schedule(self.session, wanted, job)
        return None

    def deploy(self, release: Release, serving: Serving, say: Say) -> Deployment:
        return endpoint.deploy(self.session, release, serving, say)

    def rollback(self, version: str, standing: Mapping[str, str], say: Say) -> Deployment:
        return endpoint.rollback(self.session, version, standing, say)

    def deployment(self) -> Deployment:
        return endpoint.deployment(self.session)

    def publish(self, metrics_: Mapping[str, float], dimensions: Mapping[str, str]) -> None:
        metrics.publish(self.session, metrics_, dimensions)

    def prices(self) -> Mapping[str, float]:
        return machines.prices(self.session)
