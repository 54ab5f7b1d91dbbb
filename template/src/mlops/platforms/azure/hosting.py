# The template's: `copier update` renews this file.
"""What serves a model: a deployment of the endpoint, which says in its tags what it was made from.

So one that was cut short is taken up where it ended, and what is there already is not made again.
"""

import json
from dataclasses import dataclass
from typing import Any

from mlops.files import canonical_hash
from mlops.platforms.azure import modes
from mlops.platforms.azure.bundles import upload
from mlops.platforms.azure.clients import done, found
from mlops.platforms.azure.place import Place
from mlops.platforms.azure.session import answering
from mlops.platforms.base import Release, Serving

CONTENT = "mlops.content"
"""A digest of all that makes a deployment another one."""
VERSION = "mlops.version"
SIZES = "mlops.sizes"
"""How many instances it has where it serves all requests, as JSON."""
PORT = 8080
ROUTES = {
    "liveness_route": {"port": PORT, "path": "/ping"},
    "readiness_route": {"port": PORT, "path": "/ping"},
    "scoring_route": {"port": PORT, "path": "/invocations"},
}
SETTLED = ("Succeeded", "Failed", "Canceled")


@dataclass(frozen=True)
class Sizes:
    """How many instances a deployment has, and when it gets another."""

    least: int
    most: int
    requests: int

    @classmethod
    def of(cls, serving: Serving) -> "Sizes":
        return cls(serving.min_instances, serving.max_instances, serving.requests_per_minute)

    @classmethod
    def read(cls, deployment: Any) -> "Sizes":
        return cls(**json.loads(deployment.tags[SIZES]))

    def text(self) -> str:
        return json.dumps(vars(self))


def wanted(place: Place, release: Release, serving: Serving, client_id: str | None) -> Any:
    """The deployment of a release, not yet with a name; its model and its environment are made unless there."""
    from azure.ai.ml.entities import (
        DefaultScaleSettings,
        ManagedOnlineDeployment,
        OnlineRequestSettings,
        ProbeSettings,
    )

    said = dict(release.environment)
    main = place.session.setting("storage_account")
    log = said.get("MLOPS_LOG_URI")
    said["MLOPS_LOG_URI"] = log.replace(f"@{main}.", f"@{place.account}.") if log else place.log_uri
    said["AZURE_STORAGE_ACCOUNT_NAME"] = place.account
    if client_id:  # without it the container would not know which of its identities is meant
        said["AZURE_CLIENT_ID"] = client_id
    content: dict[str, Any] = {
        "model": upload(place, release),
        "environment": _environment(place, release),
        "environment_variables": said,
        "instance_type": modes.machine(serving.needs).name,
        "app_insights_enabled": place.session.azure.application_insights is not None,
    }
    return ManagedOnlineDeployment(
        name="unnamed",
        endpoint_name=place.endpoint,
        **content,
        instance_count=serving.min_instances,
        scale_settings=DefaultScaleSettings(),
        request_settings=OnlineRequestSettings(request_timeout_ms=60_000, max_concurrent_requests_per_instance=32),
        liveness_probe=ProbeSettings(initial_delay=10, period=10, timeout=5, failure_threshold=30),
        readiness_probe=ProbeSettings(initial_delay=10, period=10, timeout=5, failure_threshold=30),
        tags={
            **place.tags,
            CONTENT: canonical_hash(content)[:16],
            VERSION: release.version,
            SIZES: Sizes.of(serving).text(),
        },
    )


def _environment(place: Place, release: Release) -> str:
    """The environment asset of the serving image, made unless it is there; returns its name and version."""
    from azure.ai.ml.entities import Environment

    name = f"{place.session.project.name}-serving"
    version = canonical_hash([release.image, ROUTES])[:16]
    with answering(f"the environment {name} cannot be made in {place.workspace}"):
        if found(place.ml.environments.get, name, version) is None:
            place.ml.environments.create_or_update(
                Environment(name=name, version=version, image=release.image, inference_config=ROUTES, tags=place.tags)
            )
    return f"{name}:{version}"


def put(place: Place, deployment: Any) -> Any:
    """Have a deployment be there as it is given, and wait for it."""
    return done(place.ml.online_deployments.begin_create_or_update, deployment)


def delete(place: Place, name: str) -> None:
    done(place.ml.online_deployments.begin_delete, name, place.endpoint)
