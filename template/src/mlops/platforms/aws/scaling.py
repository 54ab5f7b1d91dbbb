# The template's: `copier update` renews this file.
"""How many instances an endpoint has: as many as its requests need, between the least and the most."""

from collections.abc import Mapping
from typing import Any

from mlops.platforms.aws import modes
from mlops.platforms.aws.hosting import VARIANT, Config
from mlops.platforms.aws.place import Place
from mlops.platforms.base import Serving

POLICY = "requests"


def wanted(serving: Serving) -> bool:
    return serving.max_instances > serving.min_instances and not serving.serverless


def scale(place: Place, serving: Serving) -> bool:
    """Bring the endpoint's scaling to what is wanted; False where it is so already."""
    client, names = _client(place), _names(place)
    there = _target(place)
    if not wanted(serving):
        if there is None:
            return False
        client.deregister_scalable_target(**names)
        return True
    sizes = {"MinCapacity": serving.min_instances, "MaxCapacity": serving.max_instances}
    aim = {
        "TargetValue": float(serving.requests_per_minute),
        "PredefinedMetricSpecification": {"PredefinedMetricType": "SageMakerVariantInvocationsPerInstance"},
    }
    policies = client.describe_scaling_policies(PolicyNames=[POLICY], **names)["ScalingPolicies"] if there else []
    aims = [policy["TargetTrackingScalingPolicyConfiguration"]["TargetValue"] for policy in policies]
    if there is not None and {name: there[name] for name in sizes} == sizes and aims == [aim["TargetValue"]]:
        return False
    client.register_scalable_target(**names, **sizes)
    client.put_scaling_policy(
        PolicyName=POLICY,
        PolicyType="TargetTrackingScaling",
        TargetTrackingScalingPolicyConfiguration=aim,
        **names,
    )
    return True


def let_go(place: Place, before: Config, after: Serving | Mapping[str, Any] | None) -> None:
    """Take the scaling off before an update that changes the machine, which AWS refuses else."""
    if isinstance(after, Serving):
        kept = wanted(after) and before.variant.get("InstanceType") == modes.machine(after.needs)
    else:
        kept = after is not None and before.variant.get("InstanceType") == after.get("InstanceType")
    if not kept and _target(place) is not None:
        _client(place).deregister_scalable_target(**_names(place))


def _client(place: Place) -> Any:
    return place.session.client("application-autoscaling", place.region)


def _names(place: Place) -> dict[str, str]:
    return {
        "ServiceNamespace": "sagemaker",
        "ResourceId": f"endpoint/{place.endpoint}/variant/{VARIANT}",
        "ScalableDimension": "sagemaker:variant:DesiredInstanceCount",
    }


def _target(place: Place) -> Any:
    names = _names(place)
    said = _client(place).describe_scalable_targets(
        ServiceNamespace=names["ServiceNamespace"],
        ResourceIds=[names["ResourceId"]],
        ScalableDimension=names["ScalableDimension"],
    )
    return next(iter(said["ScalableTargets"]), None)
