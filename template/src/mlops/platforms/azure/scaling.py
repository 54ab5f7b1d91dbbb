# The template's: `copier update` renews this file.
"""How many instances a deployment has: as many as its requests need, between the least and the most."""

from typing import Any

from mlops.files import canonical_hash
from mlops.platforms.azure.hosting import CONTENT, SIZES, Sizes, put
from mlops.platforms.azure.place import Place

VERSION = "2022-10-01"
DOWN = 0.6
"""The share of the requests that call for another instance, below which one is taken away."""


def scale(place: Place, deployment: Any, sizes: Sizes) -> bool:
    """Bring a deployment's number of instances to what is wanted; False where it is so already."""
    setting, path = _setting(place, deployment, sizes), _path(place, deployment)
    there = place.resource("GET", path, VERSION)
    changed = False
    if setting is None and there is not None:
        place.resource("DELETE", path, VERSION)
        changed = True
    elif setting is not None and (there or {}).get("tags", {}).get(CONTENT) != setting["tags"][CONTENT]:
        place.resource("PUT", path, VERSION, setting)
        changed = True
    count = sizes.least if setting is None else max(deployment.instance_count, sizes.least)
    if (deployment.tags.get(SIZES), deployment.instance_count) != (sizes.text(), count):
        deployment.tags[SIZES], deployment.instance_count = sizes.text(), count
        put(place, deployment)
        changed = True
    return changed


def rest(place: Place, deployment: Any, count: int = 1) -> None:
    """Have so many instances and no rules: one for a deployment that only waits for a rollback."""
    place.resource("DELETE", _path(place, deployment), VERSION)
    if deployment.instance_count != count:
        deployment.instance_count = count
        put(place, deployment)


def _path(place: Place, deployment: Any) -> str:
    return f"{place.scope}/providers/Microsoft.Insights/autoscaleSettings/{place.endpoint}-{deployment.name}"


def _setting(place: Place, deployment: Any, sizes: Sizes) -> dict[str, Any] | None:
    """The autoscale setting; None where the number is fixed."""
    if sizes.most <= sizes.least:
        return None

    def rule(operator: str, threshold: float, direction: str) -> dict[str, Any]:
        return {
            "metricTrigger": {
                "metricName": "RequestsPerMinute",
                "metricResourceUri": place.endpoint_id,
                "dimensions": [{"DimensionName": "deployment", "Operator": "Equals", "Values": [deployment.name]}],
                "dividePerInstance": True,
                "operator": operator,
                "statistic": "Average",
                "threshold": threshold,
                "timeAggregation": "Average",
                "timeGrain": "PT1M",
                "timeWindow": "PT5M",
            },
            "scaleAction": {"direction": direction, "type": "ChangeCount", "value": "1", "cooldown": "PT5M"},
        }

    profile = {
        "name": "requests",
        "capacity": {"minimum": str(sizes.least), "maximum": str(sizes.most), "default": str(sizes.least)},
        "rules": [
            rule("GreaterThan", float(sizes.requests), "Increase"),
            rule("LessThan", DOWN * sizes.requests, "Decrease"),
        ],
    }
    properties = {
        "enabled": True,
        "targetResourceUri": f"{place.endpoint_id}/deployments/{deployment.name}",
        "profiles": [profile],
    }
    # Azure answers with more than it was given, so a digest tells whether anything has to be written.
    tags = {**place.tags, CONTENT: canonical_hash(properties)[:16]}
    return {"location": place.location, "tags": tags, "properties": properties}
