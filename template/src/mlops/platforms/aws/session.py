# The template's: `copier update` renews this file.
"""Where in AWS this project is: its settings, clients that are made when they are used, and errors in one line."""

from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache, cached_property
from typing import Any

from pydantic_settings import BaseSettings, SettingsConfigDict

from mlops.errors import MlopsError, UsageError
from mlops.platforms.base import Variable
from mlops.platforms.cloud import CloudSession
from mlops.project import Project
from mlops.settings import Settings

PURPOSES = {
    "bucket": "the S3 bucket of this environment, for data, artifacts, bundles and logs",
    "pipeline_repository": "the ECR repository of the pipeline image, without a tag",
    "serving_repository": "the ECR repository of the serving image, without a tag",
    "pipeline_role_arn": "the role that jobs run as",
    "endpoint_role_arn": "the role that the endpoint runs as",
    "scheduler_role_arn": "the role with which EventBridge Scheduler starts pipelines",
    "model_package_group": "the model package group that shows champions; default: the project's name",
    "kms_key_arn": "the key that jobs and endpoints encrypt with; default: the key of AWS",
    "subnets": "subnets of jobs and endpoint, with commas between them; default: none",
    "security_groups": "their security groups, with commas between them; default: none",
    "alarms": "CloudWatch alarms that turn a deployment back, with commas between them",
    "recovery_endpoint": "whether the model is served in the recovery region as well",
    "recovery_bucket": "the S3 bucket of this environment in the recovery region",
    "recovery_kms_key_arn": "the key there; default: the key of AWS",
    "recovery_subnets": "subnets of the endpoint there; default: none",
    "recovery_security_groups": "their security groups; default: none",
    "recovery_alarms": "CloudWatch alarms that turn a deployment back there",
}
LOGINS = {
    "plan": "the role that reads what there is, to plan a change of the infrastructure",
    "apply": "the role that changes the infrastructure",
    "train": "the role that pushes images, starts pipelines and watches the champion",
    "deploy": "the role that changes what the endpoint serves",
}
REQUIRED = ("bucket", "pipeline_repository", "serving_repository", "pipeline_role_arn", "endpoint_role_arn")


class AwsSettings(BaseSettings):
    """Variables that start with `MLOPS_AWS_`; outputs of `infra/aws/project` set them."""

    model_config = SettingsConfigDict(env_prefix="MLOPS_AWS_", env_file=".env", extra="ignore")

    bucket: str | None = None
    pipeline_repository: str | None = None
    serving_repository: str | None = None
    pipeline_role_arn: str | None = None
    endpoint_role_arn: str | None = None
    scheduler_role_arn: str | None = None
    model_package_group: str | None = None
    kms_key_arn: str | None = None
    subnets: str = ""
    security_groups: str = ""
    alarms: str = ""
    recovery_endpoint: bool = False
    recovery_bucket: str | None = None
    recovery_kms_key_arn: str | None = None
    recovery_subnets: str = ""
    recovery_security_groups: str = ""
    recovery_alarms: str = ""
    plan_role_arn: str | None = None
    apply_role_arn: str | None = None
    train_role_arn: str | None = None
    deploy_role_arn: str | None = None


class Session(CloudSession):
    """The project's place in AWS."""

    cloud, purposes = "aws", PURPOSES

    def __init__(self, project: Project, settings: Settings) -> None:
        self.aws = AwsSettings()
        super().__init__(project, settings, self.aws)

    @cached_property
    def regions(self) -> tuple[str, str | None]:
        """The region and the recovery region: AWS's own variables count before `[tool.mlops.aws]`."""
        import os

        region = os.environ.get("AWS_REGION") or os.environ.get("AWS_DEFAULT_REGION") or self.table.get("region")
        if not region:
            raise UsageError("no region of AWS is set; write region under [tool.mlops.aws] in pyproject.toml")
        return region, self.table.get("recovery_region")

    @property
    def region(self) -> str:
        return self.regions[0]

    def listed(self, name: str) -> list[str]:
        """The parts of a setting that has commas."""
        return [part.strip() for part in str(getattr(self.aws, name)).split(",") if part.strip()]

    @property
    def data_remote(self) -> str:
        """Where DVC keeps data and models of this environment: MLOPS_DATA_REMOTE of what runs in it."""
        return f"s3://{self.setting('bucket')}/dvc"

    def variables(self) -> list[Variable]:
        of_runs = [self.variable(name, purpose, required=name in REQUIRED) for name, purpose in PURPOSES.items()]
        return of_runs + [self.variable(f"{role}_role_arn", purpose, login=role) for role, purpose in LOGINS.items()]

    def client(self, service: str, region: str | None = None) -> Any:
        """A boto3 client, made once; endpoints of tests come from AWS_ENDPOINT_URL."""
        return _client(service, region or self.region)


@cache
def _client(service: str, region: str) -> Any:
    import boto3
    from botocore.config import Config

    retries = {"mode": "standard", "max_attempts": 5}
    return boto3.client(service, region_name=region, config=Config(retries=retries, connect_timeout=10))


@contextmanager
def answering(doing: str) -> Iterator[None]:
    """Turn what boto3 raises in the block into one line that begins with what was being done.

    Raises:
        MlopsError: AWS refused, failed or does not answer.
    """
    from botocore.exceptions import BotoCoreError, ClientError, NoCredentialsError

    try:
        yield
    except NoCredentialsError as error:
        raise MlopsError(
            f"{doing}: there are no credentials of AWS; log in ('aws sso login'), then try again"
        ) from error
    except ClientError as error:
        told = error.response.get("Error", {})
        code, message = told.get("Code", "Error"), told.get("Message", str(error))
        advice = "; log in again ('aws sso login')" if "Token" in code or "Signature" in code else ""
        raise MlopsError(f"{doing}: AWS says {code}: {message}{advice}") from error
    except BotoCoreError as error:
        raise MlopsError(f"{doing}: AWS does not answer: {error}") from error
