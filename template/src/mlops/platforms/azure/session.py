# The template's: `copier update` renews this file.
"""Where in Azure this project is: its settings, clients that are made when they are used, and errors in one line."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cached_property
from typing import Any

from pydantic_settings import BaseSettings, SettingsConfigDict

from mlops.errors import MlopsError, UsageError
from mlops.platforms.base import Variable
from mlops.platforms.cloud import CloudSession
from mlops.project import Project
from mlops.settings import Settings

PURPOSES = {
    "subscription": "the subscription of this environment",
    "resource_group": "its resource group",
    "workspace": "its Azure Machine Learning workspace",
    "storage_account": "the storage account of this environment, for data, artifacts, bundles and logs",
    "container": "the container in it",
    "pipeline_repository": "the repository of the pipeline image in the container registry, without a tag",
    "serving_repository": "the repository of the serving image, without a tag",
    "clusters": "compute clusters as NAME=SIZE, or NAME=SIZE:low_priority, with commas between them",
    "job_identity": "the client id of the identity that jobs run as",
    "endpoint_identity": "the resource id of the identity that the endpoint runs as",
    "registry": "the Azure Machine Learning registry that shows components and champions; default: none",
    "application_insights": "the connection string of Application Insights, for metrics and logs; default: none",
    "recovery_workspace": "the workspace in the recovery location; set, the model is served there as well",
    "recovery_resource_group": "its resource group",
    "recovery_storage_account": "the storage account there",
    "recovery_endpoint_identity": "the resource id of the identity that the endpoint there runs as",
}
LOGINS = {
    "plan": "the identity that reads what there is, to plan a change of the infrastructure",
    "apply": "the identity that changes the infrastructure",
    "train": "the identity that pushes images, starts pipelines and watches the champion",
    "deploy": "the identity that changes what the endpoint serves",
}
REQUIRED = (
    "subscription",
    "resource_group",
    "workspace",
    "storage_account",
    "pipeline_repository",
    "serving_repository",
    "clusters",
    "job_identity",
    "endpoint_identity",
)


class AzureSettings(BaseSettings):
    """Variables that start with `MLOPS_AZURE_`; outputs of `infra/azure/project` set them."""

    model_config = SettingsConfigDict(env_prefix="MLOPS_AZURE_", env_file=".env", extra="ignore")

    subscription: str | None = None
    resource_group: str | None = None
    workspace: str | None = None
    storage_account: str | None = None
    container: str = "mlops"
    pipeline_repository: str | None = None
    serving_repository: str | None = None
    clusters: str = ""
    job_identity: str | None = None
    endpoint_identity: str | None = None
    registry: str | None = None
    application_insights: str | None = None
    recovery_workspace: str | None = None
    recovery_resource_group: str | None = None
    recovery_storage_account: str | None = None
    recovery_endpoint_identity: str | None = None
    tenant: str | None = None
    plan_client_id: str | None = None
    apply_client_id: str | None = None
    train_client_id: str | None = None
    deploy_client_id: str | None = None


class Session(CloudSession):
    """The project's place in Azure."""

    cloud, purposes = "azure", PURPOSES

    def __init__(self, project: Project, settings: Settings) -> None:
        self.azure = AzureSettings()
        super().__init__(project, settings, self.azure)

    @cached_property
    def locations(self) -> tuple[str, str | None]:
        """The location and the recovery location, of `[tool.mlops.azure]`."""
        if not self.table.get("location"):
            raise UsageError("no location of Azure is set; write location under [tool.mlops.azure] in pyproject.toml")
        return self.table["location"], self.table.get("recovery_location")

    @property
    def data_remote(self) -> str:
        """Where DVC keeps data and models of this environment: MLOPS_DATA_REMOTE of what runs in it."""
        return f"azure://{self.azure.container}/dvc?account_name={self.setting('storage_account')}"

    def variables(self) -> list[Variable]:
        return [
            *(
                self.variable(name, purpose, required=name in REQUIRED, planned=name == "subscription")
                for name, purpose in PURPOSES.items()
            ),
            self.variable("tenant", "the tenant that workflows log in to", login="plan"),  # one for all environments
            *(self.variable(f"{role}_client_id", purpose, login=role) for role, purpose in LOGINS.items()),
        ]

    @cached_property
    def credential(self) -> "Login":
        return Login()


class Login:
    """Whoever is logged in: in a job its identity, in a workflow by OIDC, at a desk by `az login`.

    A credential for each scope: it reads the workflow's file of tokens when it is first asked, and what it reads there
    holds for minutes.
    """

    def __init__(self) -> None:
        self._credentials: dict[tuple[str, ...], Any] = {}

    def _credential(self, scopes: tuple[str, ...]) -> Any:
        from azure.identity import DefaultAzureCredential

        if scopes not in self._credentials:
            self._credentials[scopes] = DefaultAzureCredential(exclude_interactive_browser_credential=True)
        return self._credentials[scopes]

    def get_token(self, *scopes: str, **options: Any) -> Any:
        return self._credential(scopes).get_token(*scopes, **options)

    def get_token_info(self, *scopes: str, **options: Any) -> Any:
        return self._credential(scopes).get_token_info(*scopes, **options)


@contextmanager
def answering(doing: str) -> Iterator[None]:
    """Turn what Azure's packages raise in the block into one line that begins with what was being done.

    Raises:
        MlopsError: Azure refused, failed or does not answer.
    """
    from azure.core.exceptions import AzureError, ClientAuthenticationError, HttpResponseError

    try:
        yield
    except ClientAuthenticationError as error:
        raise MlopsError(
            f"{doing}: there are no credentials of Azure that hold; log in ('az login'), then try again"
        ) from error
    except HttpResponseError as error:
        code = getattr(error.error, "code", None) or error.status_code or "Error"
        message = (getattr(error.error, "message", None) or error.message or str(error)).splitlines()[0]
        raise MlopsError(f"{doing}: Azure says {code}: {message}") from error
    except AzureError as error:
        raise MlopsError(f"{doing}: {_told(error)}") from error


def _told(error: Exception) -> str:
    """The first thing that is wrong: what Azure's package finds before it asks for anything comes as JSON."""
    try:
        first = json.loads(str(error))["errors"][0]
        return f"{first['path']}: {first['message'].splitlines()[0]}"
    except (ValueError, LookupError, TypeError):
        return f"Azure does not answer: {str(error).strip().splitlines()[0]}"
