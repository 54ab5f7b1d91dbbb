# The template's: `copier update` renews this file.
"""AWS: SageMaker Pipelines and endpoints, S3, ECR, EventBridge Scheduler and CloudWatch, all through boto3."""

from collections.abc import Mapping, Sequence

from mlops.errors import UsageError
from mlops.platforms.aws import check, endpoint, jobs, machines, metrics, modes, pipeline
from mlops.platforms.aws.session import Session, answering
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
from mlops.platforms.cloud import no_image
from mlops.platforms.dag import read_dag
from mlops.platforms.resources import read_resources, serving, steps
from mlops.project import Project
from mlops.settings import Settings

SDK = "boto3"


def connect(project: Project, settings: Settings) -> "Aws":
    """The adapter, for the region and the settings of this project; nothing is asked of AWS yet."""
    return Aws(Session(project, settings))


class Aws:
    """`mlops.platforms.base.Platform` on AWS; each room of it is a module of this package."""

    name = "aws"
    can = Abilities(
        images=True, spot=True, several_nodes=True, gpu=True, schedules=True, endpoints=True, serverless=True
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
        repository = self.repository(target)
        from mlops.platforms.aws.place import found

        with answering(f"the image {repository}:{tag} cannot be looked up"):
            name = repository.partition("/")[2]
            said = found(self.session.client("ecr").describe_images, repositoryName=name, imageIds=[{"imageTag": tag}])
        if said is None:
            raise no_image(repository, tag)
        return f"{repository}@{said['imageDetails'][0]['imageDigest']}"

    def compile(self, job: Job) -> Mapping[str, str]:
        return {"pipeline.json": pipeline.definition(self.session, job)}

    def submit(self, job: Job, *, token: str) -> str:
        return jobs.submit(self.session, job, token)

    def status(self, run: str) -> Status:
        return jobs.status(self.session, run)

    def register(self, job: Job) -> Sequence[str]:
        raise UsageError("SageMaker keeps no components; 'mlops submit --on aws' without --register-components")

    def schedule(self, schedules: Sequence[Schedule], job: Job) -> str | None:
        return jobs.schedule(self.session, schedules, job)

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
        wanted = [machines.choose(step.needs, f"'{step.name}'").name for step in steps(read_dag(), resources)]
        endpoint_ = serving(resources)
        if not endpoint_.serverless:
            wanted.append(modes.machine(endpoint_.needs))
        return {machine.name: machine.price for machine in machines.MACHINES if machine.name in wanted}
