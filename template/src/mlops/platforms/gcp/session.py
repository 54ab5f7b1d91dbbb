# The template's: `copier update` renews this file.
"""Where in Google Cloud this project is: its settings, its login, and errors in one line."""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cached_property
from typing import Any

from pydantic_settings import BaseSettings, SettingsConfigDict

from mlops.errors import MlopsError, UsageError, said
from mlops.platforms.base import Variable
from mlops.platforms.cloud import CloudSession
from mlops.project import Project
from mlops.settings import Settings

PURPOSES = {
    "project": "the id of the project of this environment",
    "bucket": "the bucket of this environment, for data, artifacts, bundles and logs",
    "pipeline_repository": "the repository of the pipeline image in Artifact Registry, without a tag",
    "serving_repository": "the repository of the serving image, without a tag",
    "job_service_account": "the service account that jobs run as",
    "endpoint_service_account": "the service account that the endpoint runs as",
    "network": "the VPC network that jobs are peered with; default: none",
    "kms_key": "the key that encrypts what Vertex AI keeps; default: Google's own",
    "recovery_endpoint": "whether the model is served in the recovery region as well; default: false",
    "recovery_kms_key": "the key of the recovery region",
}
LOGINS = {
    "plan": "the service account that reads what there is, to plan a change of the infrastructure",
    "apply": "the service account that changes the infrastructure",
    "train": "the service account that pushes images, starts pipelines and watches the champion",
    "deploy": "the service account that changes what the endpoint serves",
}
REQUIRED = (
    "project",
    "bucket",
    "pipeline_repository",
    "serving_repository",
    "job_service_account",
    "endpoint_service_account",
)


class GcpSettings(BaseSettings):
    """Variables that start with `MLOPS_GCP_`; outputs of `infra/gcp/project` set them."""

    model_config = SettingsConfigDict(env_prefix="MLOPS_GCP_", env_file=".env", extra="ignore")

    project: str | None = None
    bucket: str | None = None
    pipeline_repository: str | None = None
    serving_repository: str | None = None
    job_service_account: str | None = None
    endpoint_service_account: str | None = None
    network: str | None = None
    kms_key: str | None = None
    recovery_endpoint: bool = False
    recovery_kms_key: str | None = None
    workload_identity_provider: str | None = None
    plan_service_account: str | None = None
    apply_service_account: str | None = None
    train_service_account: str | None = None
    deploy_service_account: str | None = None


class Session(CloudSession):
    """The project's place in Google Cloud."""

    cloud, purposes = "gcp", PURPOSES

    def __init__(self, project: Project, settings: Settings) -> None:
        self.gcp = GcpSettings()
        super().__init__(project, settings, self.gcp)

    @cached_property
    def regions(self) -> tuple[str, str | None]:
        """The region and the recovery region, of `[tool.mlops.gcp]`."""
        if not self.table.get("region"):
            raise UsageError("no region of Google Cloud is set; write region under [tool.mlops.gcp] in pyproject.toml")
        return self.table["region"], self.table.get("recovery_region")

    def parent(self, region: str) -> str:
        """Where things of Vertex AI are in a region."""
        return f"projects/{self.setting('project')}/locations/{region}"

    @property
    def data_remote(self) -> str:
        """Where DVC keeps data and models of this environment: MLOPS_DATA_REMOTE of what runs in it."""
        return f"gs://{self.setting('bucket')}/dvc"

    def variables(self) -> list[Variable]:
        provider = "the workload identity provider that workflows log in by"
        return [
            *(
                self.variable(name, purpose, required=name in REQUIRED, planned=name == "project")
                for name, purpose in PURPOSES.items()
            ),
            self.variable("workload_identity_provider", provider, login="plan"),  # one for all environments
            *(self.variable(f"{role}_service_account", purpose, login=role) for role, purpose in LOGINS.items()),
        ]

    @cached_property
    def credentials(self) -> Any:
        """Whoever is logged in: in a job its service account, in a workflow by OIDC, at a desk by `gcloud`.

        Raises:
            MlopsError: there is no login.
        """
        import google.auth

        with answering("who is logged in"):
            found, _ = google.auth.default(scopes=["https://www.googleapis.com/auth/cloud-platform"])
        return found

    @cached_property
    def http(self) -> Any:
        """`requests` with the login: what Google's packages send by, too."""
        from google.auth.transport.requests import AuthorizedSession

        return AuthorizedSession(self.credentials)

    def ask(self, method: str, url: str, **request: Any) -> Any:
        """What a service says that has no client here, read from JSON; raises what Google's packages do."""
        from google.api_core.exceptions import from_http_response

        answer = self.http.request(method, url, timeout=60, **request)
        if not answer.ok:
            raise from_http_response(answer)
        return answer.json()


@contextmanager
def answering(doing: str) -> Iterator[None]:
    """Turn what Google's packages raise in the block into one line that begins with what was being done.

    Raises:
        MlopsError: Google Cloud refused, failed or does not answer.
    """
    from google.api_core.exceptions import GoogleAPICallError, GoogleAPIError
    from google.auth.exceptions import GoogleAuthError, TransportError
    from requests.exceptions import RequestException

    try:
        yield
    except (RequestException, TransportError) as error:
        raise MlopsError(f"{doing}: Google Cloud does not answer: {said(error)}") from error
    except GoogleAuthError as error:
        raise MlopsError(
            f"{doing}: there are no credentials of Google Cloud that hold; "
            "log in ('gcloud auth application-default login'), then try again"
        ) from error
    except GoogleAPICallError as error:
        told = re.sub(r"^[A-Z]+ https://\S+: ", "", str(error.message or error).strip()).splitlines()[0]
        raise MlopsError(f"{doing}: Google Cloud says {error.code or 'Error'}: {told}") from error
    except GoogleAPIError as error:
        raise MlopsError(f"{doing}: Google Cloud does not answer: {said(error)}") from error
