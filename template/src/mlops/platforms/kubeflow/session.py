# The template's: `copier update` renews this file.
"""Where on Kubernetes this project is: its settings, and errors in one line."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cached_property

from pydantic_settings import BaseSettings, SettingsConfigDict

from mlops.errors import MlopsError, is_foreign, said
from mlops.platforms.base import Variable
from mlops.platforms.cloud import CloudSession
from mlops.platforms.kubeflow.pods import Pods, read_pods
from mlops.project import Project
from mlops.settings import Settings

PURPOSES = {
    "host": "the address of Kubeflow Pipelines, such as https://kubeflow.example.com/pipeline",
    "namespace": "the namespace of this environment",
    "bucket": "the bucket of this environment, in any store that speaks S3",
    "object_store": "the address of that store; default: that of AWS",
    "object_store_secret": "the Secret with AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY for it; default: none",
    "pipeline_repository": "the repository of the pipeline image, in any registry, without a tag",
    "serving_repository": "the repository of the serving image, without a tag",
    "job_service_account": "the ServiceAccount that jobs run as",
    "endpoint_service_account": "the ServiceAccount that the endpoint runs as",
    "tracking_uri": "MLflow's address as jobs reach it; default: that of MLOPS_TRACKING_URI",
    "pushgateway": "the address of Prometheus' Pushgateway as jobs reach it, for metrics of monitor and runs",
    "context": "the context of the kubeconfig file; default: its current one, or the pod's own login",
    "token_file": "a file with a token for Kubeflow Pipelines, read anew for each request; default: none",
    "ca_file": "a file with the authority that signs its certificate; default: those that everybody trusts",
}
REQUIRED = (
    "host",
    "namespace",
    "bucket",
    "pipeline_repository",
    "serving_repository",
    "job_service_account",
    "endpoint_service_account",
    "pushgateway",
)
LOGINS = {
    "api_server": "the address of the cluster's API, for workflows",
    "certificate_authority": "the certificate in PEM that signs the API's own, for workflows",
    "audience": "the audience that the cluster takes GitHub's tokens for",
}
HERE = ("context", "token_file", "ca_file")
"""Of one machine, which workflows set by themselves."""


class KubeflowSettings(BaseSettings):
    """Variables that start with `MLOPS_KUBEFLOW_`; `infra/kubeflow` says where they come from."""

    model_config = SettingsConfigDict(env_prefix="MLOPS_KUBEFLOW_", env_file=".env", extra="ignore")

    host: str | None = None
    namespace: str | None = None
    bucket: str | None = None
    object_store: str | None = None
    object_store_secret: str | None = None
    pipeline_repository: str | None = None
    serving_repository: str | None = None
    job_service_account: str | None = None
    endpoint_service_account: str | None = None
    tracking_uri: str | None = None
    pushgateway: str | None = None
    context: str | None = None
    token_file: str | None = None
    ca_file: str | None = None
    api_server: str | None = None
    certificate_authority: str | None = None
    audience: str | None = None


class Session(CloudSession):
    """The project's place on Kubernetes."""

    cloud, purposes = "kubeflow", PURPOSES

    def __init__(self, project: Project, settings: Settings) -> None:
        self.kubeflow = KubeflowSettings()
        super().__init__(project, settings, self.kubeflow)

    @property
    def data_remote(self) -> str:
        """Where DVC keeps data and models of this environment: MLOPS_DATA_REMOTE of what runs in it."""
        store = f"?endpointurl={self.kubeflow.object_store}" if self.kubeflow.object_store else ""
        return f"s3://{self.setting('bucket')}/dvc{store}"

    @cached_property
    def pods(self) -> Pods:
        """What pods get that only Kubernetes knows: `[tool.mlops.kubeflow]`."""
        return read_pods(self.table)

    def variables(self) -> list[Variable]:
        file = f"infra/kubeflow/overlays/{self.settings.environment}/settings.env"
        return [
            *(
                self.variable(name, purpose, required=name in REQUIRED, told=_told_by(file, name))
                for name, purpose in PURPOSES.items()
                if name not in HERE
            ),
            *(self.variable(name, purpose, told=_told_by(file, name)) for name, purpose in LOGINS.items()),
        ]


def _told_by(file: str, name: str) -> str:
    return f"sed -n 's/^MLOPS_KUBEFLOW_{name.upper()}=//p' {file}"


@contextmanager
def answering(doing: str) -> Iterator[None]:
    """Turn what clients of Kubernetes, Kubeflow and S3 raise in the block into a line that begins with what was done.

    Raises:
        MlopsError: they refused, failed or do not answer.
    """
    try:
        yield
    except MlopsError:
        raise
    except Exception as error:
        if not is_foreign(error):
            raise
        raise MlopsError(f"{doing}: {_told(error)}") from error


def status_of(error: BaseException | None) -> int | None:
    """The status of the answer that a client of Kubernetes, Kubeflow Pipelines or S3 made an error of."""
    answer = getattr(error, "response", None)
    by_s3 = answer["ResponseMetadata"]["HTTPStatusCode"] if isinstance(answer, dict) else None
    status = by_s3 or getattr(error, "status", None)
    return status if isinstance(status, int) else None


def _told(error: Exception) -> str:
    """What an API said, in a line: clients put it into `body` as JSON, under one of two names."""
    status = status_of(error)
    if not status or not hasattr(error, "body"):
        return said(error)
    body = getattr(error, "body", None) or ""
    text = body.decode(errors="replace") if isinstance(body, bytes) else str(body)
    try:
        told = json.loads(text)
        text = str(told.get("message") or told.get("error") or text)
    except (ValueError, AttributeError):
        pass
    advice = "; log in to the cluster, then try again" if status == 401 else ""
    return f"the cluster says {status} {text.strip() or getattr(error, 'reason', '')}{advice}"
