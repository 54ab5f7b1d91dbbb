# The template's: `copier update` renews this file.
"""The regions that an endpoint is in, and what belongs to it there."""

from dataclasses import dataclass
from functools import cached_property
from typing import Any

from mlops.errors import UsageError
from mlops.platforms.cloud import shortened
from mlops.platforms.gcp.clients import client
from mlops.platforms.gcp.session import Session
from mlops.platforms.resources import legal

LONGEST = 63
"""Letters of an endpoint's id."""


@dataclass(frozen=True)
class Place:
    """A region that an endpoint is in; the bucket is the same for all of them."""

    session: Session
    region: str
    kms_key: str | None

    @cached_property
    def endpoints(self) -> Any:
        return client(self.session, "EndpointService", self.region)

    @cached_property
    def models(self) -> Any:
        return client(self.session, "ModelService", self.region)

    @property
    def parent(self) -> str:
        return self.session.parent(self.region)

    @property
    def endpoint(self) -> str:
        """The endpoint's id."""
        return shortened(self.session.name, LONGEST)

    @property
    def endpoint_name(self) -> str:
        return f"{self.parent}/endpoints/{self.endpoint}"

    def model_name(self, model: str) -> str:
        """What Vertex AI calls a model of MLflow's registry."""
        return f"{self.parent}/models/{legal(model)}"

    @property
    def labels(self) -> dict[str, str]:
        """For the bill."""
        return {**self.session.tags, "managed-by": "mlops"}

    @property
    def encryption(self) -> dict[str, str] | None:
        return {"kms_key_name": self.kms_key} if self.kms_key else None

    @property
    def log_uri(self) -> str:
        """Where the endpoint logs its predictions."""
        return f"gs://{self.session.setting('bucket')}/logs/predictions"


def places(session: Session) -> list[Place]:
    """The main region, and the recovery region where MLOPS_GCP_RECOVERY_ENDPOINT is true.

    Raises:
        UsageError: a setting is missing.
    """
    region, recovery = session.regions
    for name in ("project", "bucket", "endpoint_service_account"):
        session.setting(name)
    found = [Place(session, region, session.gcp.kms_key)]
    if session.gcp.recovery_endpoint:
        if not recovery or recovery == region:
            raise UsageError(
                "MLOPS_GCP_RECOVERY_ENDPOINT is true, and [tool.mlops.gcp] in pyproject.toml names no other region; "
                "set recovery_region there"
            )
        # A key encrypts in its own region alone, so what is encrypted here must not be left to Google's there.
        key = session.setting("recovery_kms_key") if session.gcp.kms_key else session.gcp.recovery_kms_key
        found.append(Place(session, recovery, key))
    return found
