"""Which ways of serving there are: the project says the same as Vertex AI would, of each combination."""

import itertools
import json

import pytest
from clouds.gcp.deploy.conftest import IDENTITY
from support.google import LOCATION
from support.vertex_endpoints import Endpoints

CHOICES = {
    "serverless": (False, True),
    "canary_percent": (0, 10, 100),
    "min_instances": (1, 2, 4),
    "max_instances": (1, 4, 300),
    "gpu": (0, 1, 2, 8, 16),
    "cpu": (2, 24, 500),
    "memory_gb": (4, 100, 600),
}
# What the project would ask of Vertex AI for each combination, or why it does not ask; and its machines.
ASK = """
import json, sys
from mlops.errors import UsageError
from mlops.platforms.base import Needs, Serving
from mlops.platforms.gcp import modes, scaling

made = []
keys = json.loads(sys.argv[1])
for values in json.loads(sys.argv[2]):
    asked = dict(zip(keys, values))
    serving = Serving(needs=Needs(**{each: asked.pop(each) for each in ("gpu", "cpu", "memory_gb")}), **asked)
    try:
        modes.check(serving)
        made.append([None, {"machine_spec": modes.machine(serving.needs).spec, **scaling.sizes(serving)}])
    except UsageError as error:
        made.append([str(error), None])
print(json.dumps([made, [each.spec for each in modes.MACHINES]]))
"""
GPUS = {
    "n1-standard": ("NVIDIA_TESLA_T4", {1, 2, 4}),
    "g2-standard": ("NVIDIA_L4", {1, 2, 4, 8}),
    "a2-highgpu": ("NVIDIA_TESLA_A100", {1, 2, 4, 8}),
}
"""The GPUs of each series of machines, and how many of them there can be, as Google documents it."""


def why_not(asked):
    """Why Vertex AI does not serve so; None where it does. Not what the project's table says."""
    if asked["serverless"]:
        return "an endpoint keeps a replica"
    if asked["gpu"] not in (0, 1, 2, 8):
        return "no machine has so many GPUs"
    return "no machine is so large" if asked["cpu"] > 96 else None


@pytest.fixture(scope="module")
def combinations():
    found = [dict(zip(CHOICES, values, strict=True)) for values in itertools.product(*CHOICES.values())]
    return [each for each in found if each["min_instances"] <= each["max_instances"]]  # else resources.yaml is refused


def test_each_combination_is_refused_if_and_only_if_vertex_refuses_it(project, google, endpoints, combinations):
    values = json.dumps([list(each.values()) for each in combinations])
    made, machines = project.script(ASK, json.dumps(list(CHOICES)), values)
    seen = set()
    for asked, (refused, resources) in zip(combinations, made, strict=True):
        assert bool(refused) == bool(why_not(asked)), (asked, refused)
        if refused:
            continue
        rules = {each["target"] for each in resources["autoscaling_metric_specs"]}
        assert rules == ({1000} if asked["max_instances"] > asked["min_instances"] else set())
        if (text := json.dumps(resources)) not in seen:
            seen.add(text)
            told = {"id": "1", "model": f"{LOCATION}/models/m@1", "serviceAccount": IDENTITY}
            assert google.models.faults("DeployedModel", {**told, "dedicatedResources": resources}) == []
            assert endpoints.wrong_sizes(camel(resources)) is None
    assert len(seen) > 20
    for machine in machines:
        series = machine["machine_type"].rpartition("-")[0]
        kind, counts = GPUS.get(series, (None, {None}))
        assert (machine.get("accelerator_type"), machine.get("accelerator_count") in counts) == (kind, True), machine


def camel(content):
    """A message's fields as JSON has them."""
    if isinstance(content, list):
        return [camel(each) for each in content]
    if not isinstance(content, dict):
        return content
    head = {name: name.split("_") for name in content}
    return {words[0] + "".join(map(str.title, words[1:])): camel(content[name]) for name, words in head.items()}


@pytest.mark.parametrize(
    ("serving", "told"),
    [
        ({"serverless": True}, "scaling to none is a preview there); set serverless: false"),
        ({"cpu": 400}, "no machine of an endpoint has cpu 400"),
        ({"gpu": 3, "memory_gb": 900}, "memory_gb 900 and gpu 3; ask for less"),
        ({"canary_percent": 101}, "serving.canary_percent"),
    ],
    ids=lambda each: "-".join(each) if isinstance(each, dict) else "",
)
def test_what_cannot_be_had_is_refused_before_anything_is_done(project, google, serving, told):
    project.serving(**serving)
    assert told in project.refuses("deploy", "--on", "gcp", code=2)
    assert google.calls == []


@pytest.mark.parametrize(
    ("resources", "why"),
    [
        ({"minReplicaCount": 0, "maxReplicaCount": 2}, "replicas from 0 to 2 are none"),
        ({"minReplicaCount": 3, "maxReplicaCount": 2}, "replicas from 3 to 2 are none"),
        (
            {"minReplicaCount": 1, "maxReplicaCount": 2, "autoscalingMetricSpecs": [{"metricName": "mine"}]},
            "'mine'} is no rule",
        ),
    ],
)
def test_the_endpoints_of_the_tests_refuse_what_google_documents(resources, why):
    """The other side of the table: were they to take anything, the tests above would prove nothing."""
    assert why in Endpoints.wrong_sizes(resources)
