"""Which ways of serving go together: the project's table says the same as SageMaker would, of each combination."""

import itertools
import json

import pytest
from clouds.aws.deploy.conftest import ALARM
from support.aws import ACCOUNT, REGION
from support.aws_endpoints import Refused
from support.aws_front import problems

CHOICES = {
    "serverless": (False, True),
    "canary_percent": (0, 10, 50),
    "min_instances": (1, 2, 4),
    "max_instances": (1, 4, 300),
    "gpu": (0, 1),
    "memory_gb": (4, 6, 16),
    "vpc": (False, True),
}
# What the project would ask of AWS for each combination, or why it does not ask.
ASK = """
import json, sys
from types import SimpleNamespace
from mlops.errors import UsageError
from mlops.platforms.aws import endpoint, hosting, modes
from mlops.platforms.base import Needs, Serving

made = []
keys = json.loads(sys.argv[1])
for values in json.loads(sys.argv[2]):
    asked = dict(zip(keys, values))
    needs = Needs(gpu=asked.pop("gpu"), memory_gb=asked.pop("memory_gb"))
    subnets = ("subnet-1",) if asked.pop("vpc") else ()
    wish = modes.Wish(Serving(needs=needs, **asked), subnets, (sys.argv[3],))
    try:
        modes.check(wish)
        made.append([None, hosting.variant_of("model", wish.serving), endpoint.guardrails(wish)])
    except UsageError as error:
        made.append([str(error), None, None])
print(json.dumps(made))
"""


def why_not(asked):
    """Why AWS does not serve so, by what it documents; None where it does. Not what the project's table says."""
    if asked["serverless"]:
        if asked["gpu"] or asked["vpc"]:
            return "unsupported by serverless"
        if asked["memory_gb"] > 6 or asked["max_instances"] > 200:
            return "more than a serverless endpoint has"
        if asked["min_instances"] > 1:
            return "a serverless endpoint has no instances"
    return None


def test_each_combination_is_refused_if_and_only_if_aws_refuses_it(project, front, sagemaker):
    combinations = [
        values
        for values in itertools.product(*CHOICES.values())
        if values[2] <= values[3]  # else resources.yaml itself is refused, on any platform
    ]
    made = project.script(ASK, json.dumps(list(CHOICES)), json.dumps(combinations), ALARM)
    role = f"arn:aws:iam::{ACCOUNT}:role/endpoint"
    for name, more in (
        ("model", {}),
        ("model-vpc", {"VpcConfig": {"Subnets": ["subnet-1"], "SecurityGroupIds": ["sg-1"]}}),
    ):
        container = {"Image": "image", "ModelDataUrl": "s3://bucket/model.tar.gz"}
        sagemaker.create_model(ModelName=name, PrimaryContainer=container, ExecutionRoleArn=role, **more)
    canaries = 0
    for values, (refused, variant, guardrails) in zip(combinations, made, strict=True):
        asked = dict(zip(CHOICES, values, strict=True))
        assert bool(refused) == bool(why_not(asked)), (asked, refused)
        if refused:
            continue
        variant["ModelName"] = "model-vpc" if asked["vpc"] else "model"
        config = {"EndpointConfigName": "config", "ProductionVariants": [variant]}
        update = {"EndpointName": "name", "EndpointConfigName": "config", **guardrails}
        assert problems("sagemaker", "CreateEndpointConfig", config) == []
        assert problems("sagemaker", "UpdateEndpoint", update) == []
        front.sagemaker.check_config(REGION, config)
        canary = front.sagemaker.check_rules(REGION, guardrails.get("DeploymentConfig", {}), variant)
        canaries += canary
        assert canary == (asked["canary_percent"] > 0 and asked["min_instances"] > 1), asked
    assert canaries > 20
    refused = sum(bool(each[0]) for each in made)
    assert 50 < refused < len(made) - 50


@pytest.mark.parametrize(
    ("serving", "told"),
    [
        ({"spot": True}, "unknown key 'serving.spot'"),
        ({"cpu": 400}, "no machine of AWS has what serving asks for: cpu 400"),
        ({"canary_percent": 60}, "canary_percent: at most 50"),
        ({"canary_minutes": 90}, "canary_minutes: at most 60"),
        ({"serverless": True, "gpu": 1, "min_instances": 1}, "a serverless endpoint has no GPU"),
    ],
    ids=lambda each: "-".join(each) if isinstance(each, dict) else "",
)
def test_what_cannot_be_had_is_refused_before_anything_is_done(project, front, serving, told):
    project.serving(**serving)
    assert told in project.refuses("deploy", "--on", "aws", code=2)
    assert front.operations() == []


def test_the_front_refuses_what_aws_documents(front):
    """The other side of the table: were it to take anything, the tests above would prove nothing."""
    check, variant = front.sagemaker.check_rules, {"InstanceType": "ml.m5.large", "InitialInstanceCount": 1}
    routing = {"Type": "CANARY", "WaitIntervalInSeconds": 60, "CanarySize": {"Type": "CAPACITY_PERCENT", "Value": 10}}
    rules = {"BlueGreenUpdatePolicy": {"TrafficRoutingConfiguration": routing}}
    with pytest.raises(Refused, match="50%"):
        check(REGION, rules, variant)
    assert check(REGION, rules, variant | {"InitialInstanceCount": 2})
    with pytest.raises(Refused, match="real-time"):
        check(REGION, rules, {"ServerlessConfig": {}})
    alarmed = {**rules, "AutoRollbackConfiguration": {"Alarms": [{"AlarmName": "none"}]}}
    with pytest.raises(Refused, match="Could not find alarm none"):
        check(REGION, alarmed, variant | {"InitialInstanceCount": 2})
