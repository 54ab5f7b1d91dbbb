"""Endpoints of Vertex AI as Google documents them, in the Google of the tests: traffic, replicas, metrics.

A deployed model is a real `mlops serve`, which finds its bundle in the bucket by AIP_STORAGE_URI, as Vertex AI has a
container do. Operations take a while, and metrics say of a version what a test says of it.
"""

import json
import re
from collections import Counter
from dataclasses import dataclass, field

from support.google import LOCATION, PROJECT, Said, refused
from support.served import Containers
from support.vertex_models import NUMBER, Models, faulty_labels

DNS = rf"([^.]+)\.([a-z0-9-]+)-{NUMBER}\.prediction\.vertexai\.goog"
ASKED = re.compile(rf"/v1/(projects/{PROJECT}/locations/([^/]+)/endpoints/([^/]+)):(predict|rawPredict)")
KIND = "aiplatform.googleapis.com/prediction/online/"
METRICS = {
    "response_count": ({"deployed_model_id", "response_code"}, {"ALIGN_SUM", "ALIGN_DELTA", "ALIGN_RATE"}),
    "prediction_latencies": ({"deployed_model_id", "latency_type"}, {f"ALIGN_PERCENTILE_{n}" for n in (50, 95, 99)}),
    "replicas": ({"deployed_model_id"}, {"ALIGN_MIN", "ALIGN_MAX", "ALIGN_MEAN"}),
}
"""Metrics by name: the labels that they have, and what can be made of a minute of them."""
RULES = {f"{KIND}{each}" for each in ("accelerator/duty_cycle", "cpu/utilization", "request_count")}
SIZES = {f"dedicatedResources.{each}" for each in ("minReplicaCount", "maxReplicaCount", "autoscalingMetricSpecs")}


@dataclass
class Endpoints:
    """All endpoints of the fake `google`, whose containers find bundles in `storage`.

    `turned` is called with the traffic after each change of it; `after` has functions by the name of a method, or by a
    part of an address, called when that is done and before the client is told. `dead` has versions that do not start,
    `sick` those that answer with status 500. `failing`, `slow` and `lost` have what metrics say of versions: requests
    that failed in a hundred, milliseconds, and replicas that are away. Nobody may ask if `denied`, or look at metrics
    if `blind`; answers do not say whose they are if `mute`.
    """

    google: object
    storage: object
    containers: Containers
    turned: object = staticmethod(lambda traffic: None)
    after: dict = field(default_factory=dict)
    dead: set = field(default_factory=set)
    sick: set = field(default_factory=set)
    failing: dict = field(default_factory=dict)
    slow: dict = field(default_factory=dict)
    lost: dict = field(default_factory=dict)
    denied: bool = False
    blind: bool = False
    mute: bool = False
    pending: int = 1
    """How often an operation is asked of before it has ended."""
    requests: Counter = field(default_factory=Counter)
    kept: dict = field(default_factory=dict)
    _busy: dict = field(default_factory=dict)

    def __post_init__(self):
        google = self.google
        self.models = Models(google, self.storage)
        self._plain, google.answer = type(google).answer.__get__(google), self._answer
        for name, answer in (
            ("CreateEndpoint", self._create),
            ("GetEndpoint", lambda call: self._known(call.request["name"])),
            ("UpdateEndpoint", self._update),
            ("DeployModel", self._deploy),
            ("UndeployModel", self._undeploy),
            ("MutateDeployedModel", self._mutate),
        ):
            google.rpc(f"EndpointService.{name}", answer)
        vertex = r"[a-z0-9-]+-aiplatform\.googleapis\.com"
        google.route("GET", vertex, r"/(?:v1|ui)/(projects/.+/endpoints/[^/]+)/operations", self._operations)
        google.route("POST", DNS, ASKED.pattern, self._predict)
        google.route("GET", r"monitoring\.googleapis\.com", f"/v3/projects/{PROJECT}/timeSeries", self._series)

    def _answer(self, asked):
        calls = len(self.google.calls)
        said = self._plain(asked)
        done = [each.rpc for each in self.google.calls[calls:]]
        for wanted, do in list(self.after.items()):
            if any(rpc.endswith(f".{wanted}") for rpc in done) or wanted in f"{asked.host}{asked.path}":
                do()
        return said

    def changes(self):
        """What was changed since the last call, by method."""
        found = [call.rpc.partition(".")[2] for call in self.google.calls if call.asked.method != "GET"]
        self.google.calls.clear()
        return found

    def traffic(self, name, place=LOCATION):
        """Shares by version, of those that get any."""
        endpoint = self.kept[f"{place}/endpoints/{name}"]
        version = {each["id"]: each["displayName"] for each in endpoint["deployedModels"]}
        return {version[each]: share for each, share in endpoint["trafficSplit"].items() if share}

    def deployed(self, name, version, place=LOCATION):
        """The deployed model of a version, such as `v2`; None if there is none."""
        endpoint = self.kept[f"{place}/endpoints/{name}"]
        return next((each for each in endpoint["deployedModels"] if each["displayName"] == version), None)

    def sizes(self, name, version, place=LOCATION):
        """The least and the most replicas of a version."""
        said = self.deployed(name, version, place)["dedicatedResources"]
        return said["minReplicaCount"], said["maxReplicaCount"]

    def invoke(self, name, rows, place=LOCATION):
        """The predictions of an endpoint, as a client gets them."""
        said = self._respond(f"{place}/endpoints/{name}", json.dumps({"instances": rows}).encode())
        assert said.status == 200, said
        return json.loads(said.body)["predictions"]

    # Endpoints and deployed models.

    def _known(self, name):
        found = self.kept.get(name.replace(NUMBER, PROJECT))
        return found if found is not None else refused(404, f"Endpoint {name} is not found.")

    def _begun(self, call, name, message, result, error=None):
        """An operation that has begun; what it makes is there at once."""
        said = self.google.operation(call, message, result, pending=self.pending, error=error)
        self._busy.setdefault(name, []).append(said["name"])
        return said

    def _operations(self, asked, match):
        return Said(body={"operations": [self.google._next(each) for each in self._busy.get(match[1], [])]})

    def _create(self, call):
        asked, named = call.request["endpoint"], call.request.get("endpointId", "")
        name = f"{call.request['parent']}/endpoints/{named}"
        if name in self.kept:
            return refused(409, f"{name} already exists")
        if not re.fullmatch("[a-z][a-z0-9-]{0,61}[a-z0-9]", named):
            return refused(400, f"{named} is no id")
        if wrong := faulty_labels(asked.get("labels", {})):
            return refused(400, wrong)
        assert asked["dedicatedEndpointEnabled"]
        self.kept[name] = {
            **asked,
            "name": name.replace(PROJECT, NUMBER),
            "dedicatedEndpointDns": f"{named}.{call.region}-{NUMBER}.prediction.vertexai.goog",
            "deployedModels": [],
            "trafficSplit": {},
            "etag": "1",
        }
        return self._begun(call, name, "Endpoint", self.kept[name])

    def _update(self, call):
        asked, changed = call.request["endpoint"], set(call.request["updateMask"].split(","))
        endpoint, labels = self._known(asked["name"]), asked.get("labels", {})
        if isinstance(endpoint, Said):
            return endpoint
        if asked.get("etag") not in (None, endpoint["etag"]):
            return refused(409, "the etag is not that of the endpoint")
        if not changed <= {"trafficSplit", "labels", "displayName", "description"}:
            return refused(400, f"{changed} cannot be changed")
        if wrong := self._wrong_split(endpoint, asked.get("trafficSplit", {})) or faulty_labels(labels):
            return refused(400, wrong)
        endpoint.update(labels=labels, trafficSplit=asked.get("trafficSplit", {}), etag=str(int(endpoint["etag"]) + 1))
        self.turned(self.traffic(call.request["endpoint"]["name"].rpartition("/")[2], f"{_place(asked['name'])}"))
        return endpoint

    def _wrong_split(self, endpoint, split):
        known = {each["id"] for each in endpoint["deployedModels"]}
        if set(split) - known:
            return f"Traffic split contains invalid deployed models {set(split) - known}"
        return (
            "Traffic percentage values must add up to 100"
            if sum(split.values()) not in ((100,) if split else (0,))
            else None
        )

    def _deploy(self, call):
        name, model = call.request["endpoint"], call.request["deployedModel"]
        endpoint, version = self._known(name), self.models.find(model["model"])
        if wrong := self._wrong_model(endpoint, version, model):
            return wrong
        if model["displayName"].removeprefix("v") in self.dead:
            why = "Model server exited unexpectedly. Model server logs can be found at https://console.cloud.google.com"
            return self._begun(call, name, "DeployModelResponse", None, (9, why))
        self._start(f"{name}/{model['id']}", version)
        kept = {**model, "modelVersionId": version["versionId"], "model": version["name"]}
        endpoint["deployedModels"].append(kept)
        return self._begun(call, name, "DeployModelResponse", {"deployedModel": kept})

    def _wrong_model(self, endpoint, version, model):
        if isinstance(endpoint, Said):
            return endpoint
        if version is None:
            return refused(404, f"The Model {model['model']} does not exist.")
        if len(endpoint["deployedModels"]) > 1:
            return refused(429, "the project has no quota for a third one")
        wrong = self.wrong_sizes(model["dedicatedResources"])
        if not re.fullmatch("[0-9]{1,10}", model["id"]) or model["id"] in {e["id"] for e in endpoint["deployedModels"]}:
            wrong = f"the id {model['id']} is none, or is taken"
        if not model["serviceAccount"].endswith(f"@{PROJECT}.iam.gserviceaccount.com"):
            wrong = f"Service account {model['serviceAccount']} is not of this project"
        return refused(400, wrong) if wrong else None

    @staticmethod
    def wrong_sizes(resources):
        """Why Vertex AI does not have so many replicas; None where it does."""
        least, most = resources.get("minReplicaCount", 0), resources.get("maxReplicaCount", 0)
        rules = resources.get("autoscalingMetricSpecs", [])
        if not 1 <= least <= most:
            return f"replicas from {least} to {most} are none"
        wrong = [each for each in rules if each["metricName"] not in RULES or each.get("target", 0) < 1]
        return f"{wrong[0]} is no rule" if wrong else None

    def _start(self, name, version):
        container = version["containerSpec"]
        variables = {each["name"]: each["value"] for each in container["env"]}
        content = (version["artifactUri"], tuple(sorted(variables.items())))
        aip = {
            "AIP_MODE": "PREDICTION",
            "AIP_HTTP_PORT": str(container["ports"][0]["containerPort"]),
            "AIP_HEALTH_ROUTE": container["healthRoute"],
            "AIP_PREDICT_ROUTE": container["predictRoute"],
            "AIP_STORAGE_URI": version["artifactUri"],
        }
        self.containers.start(name, content, lambda root: {**self.storage.env, **aip, **variables})

    def _undeploy(self, call):
        name, gone = call.request["endpoint"], call.request["deployedModelId"]
        endpoint = self._known(name)
        if endpoint["trafficSplit"].get(gone):
            return refused(400, f"DeployedModel {gone} has traffic assigned to it")
        if gone not in [each["id"] for each in endpoint["deployedModels"]]:
            return refused(404, f"there is no deployed model {gone}")
        endpoint["deployedModels"] = [each for each in endpoint["deployedModels"] if each["id"] != gone]
        return self._begun(call, name, "UndeployModelResponse", {})

    def _mutate(self, call):
        name, asked = call.request["endpoint"], call.request["deployedModel"]
        changed = set(call.request["updateMask"].split(","))
        (model,) = (each for each in self._known(name)["deployedModels"] if each["id"] == asked["id"])
        if not changed <= SIZES:
            return refused(400, f"{changed} cannot be changed")
        fields = {each.partition(".")[2] for each in changed}
        fresh = {**model["dedicatedResources"], **{each: asked["dedicatedResources"].get(each) for each in fields}}
        fresh = {each: value for each, value in fresh.items() if value is not None}
        if wrong := self.wrong_sizes(fresh):
            return refused(400, wrong)
        model["dedicatedResources"] = fresh
        return self._begun(call, name, "MutateDeployedModelResponse", {"deployedModel": model})

    # Requests.

    def _predict(self, asked, match):
        if self.denied:
            return refused(403, "Permission 'aiplatform.endpoints.predict' denied")
        host = re.fullmatch(DNS, asked.host)
        if (match[3], match[2]) != (host[1], host[2]):
            return refused(404, "no such endpoint is here")
        return self._respond(match[1], json.dumps(asked.body).encode(), raw=match[4] == "rawPredict")

    def _respond(self, name, body, *, raw=False):
        endpoint = self.kept.get(name)
        if endpoint is None or not endpoint["trafficSplit"]:
            return refused(404, f"{name} serves nothing")
        at, reached = self.requests.total() * 10 % 100 + 5, 0  # ten requests go to all in their shares
        for named, share in sorted(endpoint["trafficSplit"].items(), key=lambda item: -item[1]):
            each, reached = named, reached + share
            if at < reached:
                break
        (version,) = (model["displayName"] for model in endpoint["deployedModels"] if model["id"] == each)
        self.requests[version] += 1
        if version.removeprefix("v") in self.sick:
            status, content = 500, b'{"error": "the model failed on these rows"}'
        else:
            reply = self.containers.ask(f"{name}/{each}", body, "application/json")
            status, content = reply.status, reply.body
        if not raw and status == 200:
            content = json.dumps({**json.loads(content), "deployedModelId": each}).encode()
        named = {"X-Vertex-AI-Deployed-Model-Id": each} if raw and not (self.mute and status != 200) else {}
        return Said(status, content, {"content-type": "application/json", **named})

    # Metrics.

    def _series(self, asked, match):
        if self.blind:
            return refused(403, "Permission monitoring.timeSeries.list denied")
        query = {name.partition(".")[2] or name: value for name, value in asked.query}
        split = [value for name, value in asked.query if name.endswith("groupByFields")]
        wanted = dict(re.findall(r'([\w.]+) = "([^"]+)"', query["filter"]))
        name = wanted.pop("metric.type").removeprefix(KIND)
        labels, aligners = METRICS.get(name, (set(), set()))
        named = {each.removeprefix("metric.labels.") for each in [*split, *wanted] if each.startswith("metric.")}
        if not named <= labels or query["perSeriesAligner"] not in aligners or query["alignmentPeriod"] != "60s":
            return refused(400, f"{name} is no metric, or is not to be had so: {query}")
        assert wanted["resource.type"] == "aiplatform.googleapis.com/Endpoint"
        times = {query["startTime"], query["endTime"]}
        assert len(times) == 2
        assert all(re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ", each) for each in times)
        place = f"projects/{PROJECT}/locations/{wanted['resource.labels.location']}"
        endpoint = self.kept[f"{place}/endpoints/{wanted['resource.labels.endpoint_id']}"]
        return Said(body={"timeSeries": list(self._told(name, endpoint))})

    def _told(self, name, endpoint):
        for each in endpoint["deployedModels"]:
            version = each["displayName"].removeprefix("v")
            if name == "replicas":
                there = each["dedicatedResources"]["minReplicaCount"]
                yield _line(there - self.lost.get(version, 0), there, kind="int64Value", deployed_model_id=each["id"])
            elif name == "prediction_latencies":
                yield _line(float(self.slow.get(version, 20)), kind="doubleValue", deployed_model_id=each["id"])
            else:
                failed = self.failing.get(version, 0)
                for code, count in (("2xx", 100 - failed), ("5xx", failed)):
                    yield _line(count, kind="int64Value", deployed_model_id=each["id"], response_code=code)


def _place(name):
    return name.replace(NUMBER, PROJECT).partition("/endpoints/")[0]


def _line(*values, kind, **labels):
    """A time series, the newest value first; an int64 is text in JSON."""
    points = [{"value": {kind: str(value) if kind == "int64Value" else value}} for value in values]
    return {"metric": {"labels": labels}, "points": points}
