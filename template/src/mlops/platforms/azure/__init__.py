# The template's: `copier update` renews this file.
"""Azure: Azure Machine Learning, ADLS Gen2, Container Registry and Azure Monitor."""

from collections.abc import Mapping, Sequence

from mlops.platforms.azure import check, endpoint, images, jobs, machines, metrics, modes, pipeline, schedules
from mlops.platforms.azure.session import Session
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
from mlops.platforms.dag import read_dag
from mlops.platforms.resources import read_resources, serving, steps
from mlops.project import Project
from mlops.settings import Settings

SDK = "azure.ai.ml"


def connect(project: Project, settings: Settings) -> "Azure":
    """The adapter, for the settings of this project; nothing is asked of Azure yet."""
    return Azure(Session(project, settings))


class Azure:
    """`mlops.platforms.base.Platform` on Azure; each room of it is a module of this package."""

    name = "azure"
    can = Abilities(
        images=True, spot=True, several_nodes=True, gpu=True, schedules=True, endpoints=True, components=True
    )

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
        return jobs.register(self.session, job)

    def schedule(self, wanted: Sequence[Schedule], job: Job) -> None:
        schedules.schedule(self.session, wanted, job)

    def deploy(self, release: Release, serving: Serving, say: Say) -> Deployment:
        return endpoint.deploy(self.session, release, serving, say)

    def rollback(self, version: str, standing: Mapping[str, str], say: Say) -> Deployment:
        return endpoint.rollback(self.session, version, standing, say)

    def deployment(self) -> Deployment:
        return endpoint.deployment(self.session)

    def publish(self, metrics_: Mapping[str, float], dimensions: Mapping[str, str]) -> None:
        metrics.publish(self.session, metrics_, dimensions)

    def prices(self) -> Mapping[str, float]:
        resources = read_resources()
        there = machines.clusters(self.session.setting("clusters"))
        wanted = [machines.choose(there, step.needs, f"'{step.name}'") for step in steps(read_dag(), resources)]
        found = [*(cluster.machine for cluster in wanted), modes.machine(serving(resources).needs)]
        return {machine.name: machine.price for machine in found}
