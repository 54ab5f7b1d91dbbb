# The template's: `copier update` renews this file.
"""What serves a model: a deployed model of the endpoint, whose id says what it was made from.

So one that was cut short is taken up where it ended, and what is there already is not made again.
"""

from typing import Any

from mlops.files import canonical_hash
from mlops.platforms.base import Release, Serving
from mlops.platforms.gcp import modes, scaling
from mlops.platforms.gcp.bundles import alias, upload
from mlops.platforms.gcp.clients import done
from mlops.platforms.gcp.place import Place

PORT = 8080
LEAST_ID, MOST_ID = 10**9, 10**10
"""A deployed model's id has at most ten digits."""


def wanted(place: Place, release: Release, serving: Serving) -> Any:
    """The deployed model of a release, not yet on the endpoint; its model is brought to Vertex AI unless there."""
    from google.cloud.aiplatform_v1.types import DeployedModel

    variables = {"MLOPS_LOG_URI": place.log_uri, **release.environment}
    container = {
        "image_uri": release.image,
        "env": [{"name": name, "value": value} for name, value in sorted(variables.items())],
        "ports": [{"container_port": PORT}],
        "predict_route": "/invocations",
        "health_route": "/ping",
    }
    machine, account = modes.machine(serving.needs).spec, place.session.setting("endpoint_service_account")
    content = canonical_hash([release.model, release.digest, container, machine, account])
    return DeployedModel(
        id=str(LEAST_ID + int(content[:16], 16) % (MOST_ID - LEAST_ID)),
        model=upload(place, release, container),
        display_name=alias(release.version),
        service_account=account,
        dedicated_resources={"machine_spec": machine, **scaling.sizes(serving)},
    )


def version(deployed: Any) -> str | None:
    """The version of MLflow's registry that a deployed model serves."""
    return deployed.display_name.removeprefix(alias("")) if deployed is not None else None


def put(place: Place, deployed: Any) -> None:
    """Have a deployed model on the endpoint, which gets no requests yet, and wait for it."""
    done(place.session, place.endpoints.deploy_model(endpoint=place.endpoint_name, deployed_model=deployed))


def delete(place: Place, deployed: str) -> None:
    done(place.session, place.endpoints.undeploy_model(endpoint=place.endpoint_name, deployed_model_id=deployed))
