# The template's: `copier update` renews this file.
"""How many replicas a deployed model has: as many as its requests need, between the least and the most."""

from typing import Any

from mlops.platforms.base import Serving
from mlops.platforms.gcp.clients import done
from mlops.platforms.gcp.place import Place

REQUESTS = "aiplatform.googleapis.com/prediction/online/request_count"
"""The metric whose target is requests a minute of one replica."""


def sizes(serving: Serving) -> dict[str, Any]:
    """The part of a deployed model's resources that can be changed while it serves."""
    least, most = serving.min_instances, serving.max_instances
    rules = [{"metric_name": REQUESTS, "target": serving.requests_per_minute}] if most > least else []
    return {"min_replica_count": least, "max_replica_count": most, "autoscaling_metric_specs": rules}


def scale(place: Place, deployed: Any, serving: Serving) -> bool:
    """Bring a deployed model to the sizes that are wanted; False where it has them."""
    now, asked = deployed.dedicated_resources, sizes(serving)
    # Vertex AI may name metrics of its own choice besides, and without a rule of ours the numbers are the same anyway.
    targets = [each.target for each in now.autoscaling_metric_specs if each.metric_name == REQUESTS]
    has = (now.min_replica_count, now.max_replica_count)
    if has == (serving.min_instances, serving.max_instances) and (
        targets == [each["target"] for each in asked["autoscaling_metric_specs"]] or serving.max_instances == has[0]
    ):
        return False
    _mutate(place, deployed, asked)
    return True


def least(deployed: Any) -> int:
    return int(deployed.dedicated_resources.min_replica_count)


def keep(place: Place, deployed: Any, count: int = 1) -> None:
    """Have at least so many replicas: one of a deployed model that only waits for a rollback, and gets no requests."""
    if least(deployed) != count:
        _mutate(place, deployed, {"min_replica_count": count})


def _mutate(place: Place, deployed: Any, changed: dict[str, Any]) -> None:
    done(
        place.session,
        place.endpoints.mutate_deployed_model(
            endpoint=place.endpoint_name,
            deployed_model={"id": deployed.id, "dedicated_resources": changed},
            update_mask={"paths": [f"dedicated_resources.{name}" for name in changed]},
        ),
    )
