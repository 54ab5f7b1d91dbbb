# The template's: `copier update` renews this file.
"""The locations that an endpoint is in, and what belongs to it there."""

from dataclasses import dataclass
from functools import cached_property
from typing import Any

from mlops.errors import UsageError
from mlops.platforms.azure import manager
from mlops.platforms.azure.clients import client, found
from mlops.platforms.azure.session import Session
from mlops.platforms.cloud import shortened

LONGEST = 32
"""Letters of an endpoint's name, which is part of its address."""


@dataclass(frozen=True)
class Place:
    """A location that an endpoint is in, and what belongs to it there."""

    session: Session
    location: str
    group: str
    workspace: str
    account: str
    identity: str

    @cached_property
    def ml(self) -> Any:
        """The client of its workspace."""
        return client(self.session, self.group, self.workspace)

    @property
    def endpoint(self) -> str:
        return shortened(self.session.name, LONGEST)

    @property
    def scope(self) -> str:
        """The resource group."""
        return f"/subscriptions/{self.session.setting('subscription')}/resourceGroups/{self.group}"

    @property
    def endpoint_id(self) -> str:
        return (
            f"{self.scope}/providers/Microsoft.MachineLearningServices"
            f"/workspaces/{self.workspace}/onlineEndpoints/{self.endpoint}"
        )

    @property
    def tags(self) -> dict[str, str]:
        """For the bill."""
        return {**self.session.tags, "managed-by": "mlops"}

    @property
    def log_uri(self) -> str:
        """Where the endpoint logs its predictions: at home, for the other location may be away."""
        return f"abfs://{self.session.azure.container}@{self.account}.dfs.core.windows.net/logs/predictions"

    def resource(self, method: str, path: str, version: str, body: Any = None, **query: str) -> Any:
        """What Azure Resource Manager says of something that its machine learning package does not know.

        None where there is no such thing.
        """
        return found(manager.ask, self.session, path, version, method=method, body=body, **query)


def places(session: Session) -> list[Place]:
    """The main location, and the recovery location where MLOPS_AZURE_RECOVERY_WORKSPACE is set.

    Raises:
        UsageError: a setting is missing.
    """
    location, recovery = session.locations
    found = [(location, "")]
    if session.azure.recovery_workspace:
        if not recovery or recovery == location:
            raise UsageError(
                "MLOPS_AZURE_RECOVERY_WORKSPACE is set, and [tool.mlops.azure] in pyproject.toml names no other "
                "location; set recovery_location there"
            )
        found.append((recovery, "recovery_"))
    names = ("resource_group", "workspace", "storage_account", "endpoint_identity")
    return [Place(session, where, *(session.setting(f"{prefix}{name}") for name in names)) for where, prefix in found]
