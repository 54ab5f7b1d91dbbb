"""Managed online endpoints as Azure documents them, on the management plane of the tests: traffic, copies, metrics.

A deployment is a real `mlops serve`, started from the bundle in the storage account, as Azure ML does with a container
of one's own. Nothing waits, and metrics say of a version what a test says of it.
"""

import json
import re
import urllib.parse
from collections import Counter
from dataclasses import dataclass, field

from support.azure_ml import PLACE, PREFIX, Said, refused
from support.served import Containers

CLIENT = "12121212-3434-5656-7878-909090909090"
KIND = re.compile(
    r"(?P<workspace>/.*/workspaces/[^/]+)/onlineEndpoints/(?P<name>[^/]+)(/deployments/(?P<deployment>[^/]+))?", re.I
)
METRICS = {
    "RequestsPerMinute": {"deployment", "statusCode", "statusCodeClass", "modelStatusCode"},
    "RequestLatency_P90": {"deployment"},
}


@dataclass
class Endpoints:
    """All endpoints of the plane `azure`, whose containers find bundles in `storage`.

    `turned` is called with traffic and copies after each change of them; `after` has functions by a part of
    `METHOD /path`, called when it is done and before the client is told. `dead` has versions that do not start, `sick`
    those that answer with status 500. `failing` and `slow` have what metrics say of versions: requests that failed in
    a hundred, and milliseconds. Nobody may ask if `denied`, or look at metrics if `blind`.
    """

    azure: object
    storage: object
    containers: Containers
    turned: object = staticmethod(lambda traffic, copies: None)
    after: dict = field(default_factory=dict)
    dead: set = field(default_factory=set)
    sick: set = field(default_factory=set)
    failing: dict = field(default_factory=dict)
    slow: dict = field(default_factory=dict)
    denied: bool = False
    blind: bool = False
    requests: Counter = field(default_factory=Counter)
    scaling: dict = field(default_factory=dict)

    def __post_init__(self):
        azure, pattern = self.azure, KIND.pattern
        self._plain = azure.answer
        azure.answer = self._answer
        for method, answer in (("PUT", self._put), ("DELETE", self._delete)):
            azure.route(method, pattern, answer)
        azure.route("PUT", r"/.*/workspaces/[^/]+/models/[^/]+/versions/[^/]+", self._put_model)
        azure.route("GET", rf"{pattern}/providers/Microsoft\.Insights/metrics", self._metrics)
        for method in ("GET", "PUT", "DELETE"):
            azure.route(method, r"/.*/providers/Microsoft\.Insights/autoscaleSettings/([^/]+)", self._scaling)
        azure.route("POST", r"/score(?P<workspace>/.*/workspaces/[^/]+)/onlineEndpoints/(?P<name>[^/]+)", self._score)

    def _answer(self, asked):
        said = self._plain(asked)
        for wanted, do in list(self.after.items()):
            if wanted.lower() in f"{asked.method} {asked.path}".lower() and said.status < 400:
                do()
        return said

    def changes(self):
        """What was changed since the last call: the method and the last parts of the path."""
        kinds = ("onlineEndpoints", "deployments", "models", "environments", "autoscaleSettings")
        found = []
        for asked in self.azure.asked:
            parts = asked.path.split("/")
            if asked.method in ("PUT", "DELETE") and (
                kind := next((each for each in kinds[::-1] if each in parts), None)
            ):
                found.append(f"{asked.method} {'/'.join(parts[parts.index(kind) :])}")
        self.azure.asked.clear()
        return found

    def traffic(self, name, place=PLACE):
        """Shares and copies of an endpoint, of those that get any."""
        properties = self.azure.resources[f"{place}/onlineEndpoints/{name}".lower()]["properties"]
        return tuple(
            {colour: share for colour, share in (properties.get(key) or {}).items() if share}
            for key in ("traffic", "mirrorTraffic")
        )

    def deployment(self, name, colour, place=PLACE):
        return self.azure.resources.get(f"{place}/onlineEndpoints/{name}/deployments/{colour}".lower())

    def serving(self, name, place=PLACE):
        """The deployment that gets all requests."""
        ((colour, share),) = self.traffic(name, place)[0].items()
        assert share == 100
        return self.deployment(name, colour, place)

    def invoke(self, name, rows, place=PLACE):
        """The predictions of an endpoint, as a client gets them."""
        said = self._respond(place, name, json.dumps({"inputs": rows}).encode(), None)
        assert said.status == 200, said
        return json.loads(said.body)["predictions"]

    # Endpoints and deployments.

    def _put(self, asked, match):
        if match["deployment"]:
            return self._put_deployment(asked, match)
        asked.body.setdefault("properties", {})
        there = self.azure.resources.get(asked.path.lower())
        if wrong := self._wrong_traffic(asked):
            return refused(400, "BadArgument", wrong)
        said = self.azure.arm(asked)
        if said.status < 300:
            whole = self.azure.resources[asked.path.lower()]
            whole["properties"]["scoringUri"] = f"{self.azure.url}/score{asked.path}"
            whole["properties"]["swaggerUri"] = f"{self.azure.url}/swagger{asked.path}"
            for about in whole["identity"].get("userAssignedIdentities", {}).values():
                about.update({"clientId": CLIENT, "principalId": CLIENT})
            if there is not None:
                self.turned(*self.traffic(match["name"], match["workspace"]))
        return said

    def _wrong_traffic(self, asked):
        properties = asked.body["properties"]
        traffic, copies = (properties.get(key) or {} for key in ("traffic", "mirrorTraffic"))
        known = [
            name for name in {**traffic, **copies} if f"{asked.path}/deployments/{name}".lower() in self.azure.resources
        ]
        if len(known) < len({**traffic, **copies}):
            return "traffic names a deployment that is not there"
        if sum(traffic.values()) not in (0, 100):
            return "The sum of traffic must be 0 or 100"
        if len(copies) > 1 or sum(copies.values()) > 50:
            return "Traffic can be mirrored to one deployment, and at most 50 percent of it"
        if any(traffic.get(name) for name in copies):
            return "A deployment with live traffic cannot get mirrored traffic"
        return None

    def _put_model(self, asked, match):
        there = self.azure.resources.get(asked.path.lower())
        if there and there["properties"]["modelUri"] != asked.body["properties"]["modelUri"]:
            return refused(409, "UserError", "the path of an asset cannot be changed")
        asked.body["properties"].setdefault("flavors", {})
        return self.azure.arm(asked)

    def _put_deployment(self, asked, match):
        properties, tags = asked.body["properties"], asked.body.get("tags", {})
        resources = self.azure.resources
        for name in ("model", "environmentId"):
            if properties.get(name, "").lower() not in resources:
                return refused(400, "BadArgument", f"{name} is {properties.get(name)}, which is not there")
        version = properties["environmentVariables"]["MLOPS_MODEL_VERSION"]
        if version in self.dead:
            self.azure.fail[asked.path.lower()] = (
                "ResourceNotReady",
                "User container has crashed or terminated. Please see troubleshooting guide",
            )
        assert asked.body["sku"]["capacity"] >= 1
        assert len(tags) <= 15
        said = self.azure.arm(asked)
        if said.status < 300 and version not in self.dead:
            self._start(asked.path.lower(), properties)
        return said

    def _start(self, name, properties):
        model = self.azure.resources[properties["model"].lower()]
        uri = model["properties"]["modelUri"]
        store, _, path = uri.partition("/datastores/")[2].partition("/paths/")
        workspace = properties["model"].lower().partition("/models/")[0]
        about = self.azure.resources[f"{workspace}/datastores/{store}"]["properties"]
        assert about["credentials"] == {"credentialsType": "None"}, about
        container = about["containerName"]
        environment = self.azure.resources[properties["environmentId"].lower()]["properties"]["inferenceConfig"]
        assert environment["scoringRoute"] == {"port": 8080, "path": "/invocations"}

        def prepare(root):
            folder = root / "azureml-models" / model["name"]
            for blob in self.storage.stored(f"{path.rstrip('/')}/", container):
                file = folder / blob.removeprefix(f"{path.rpartition('/')[0]}/")
                file.parent.mkdir(parents=True, exist_ok=True)
                file.write_bytes(self.storage.ask("GET", f"{container}/{urllib.parse.quote(blob)}")[0])
            login = {key: value for key, value in self.storage.env.items() if value is not None}
            return {"AZUREML_MODEL_DIR": str(folder), **login, **properties["environmentVariables"]}

        content = (uri, tuple(sorted(properties["environmentVariables"].items())))
        self.containers.start(name, content, prepare)

    def _delete(self, asked, match):
        if match["deployment"] and asked.path.lower() in self.azure.resources:
            for shares in self.traffic(match["name"], match["workspace"]):
                if shares.get(match["deployment"]):
                    return refused(400, "BadArgument", "Deployment with traffic cannot be deleted")
        return self.azure.arm(asked)

    # Requests.

    def _score(self, asked, match):
        if self.denied or not asked.headers.get("Authorization", "").startswith("Bearer "):
            return refused(403, "Forbidden", "no permission for onlineEndpoints/score/action")
        body = json.dumps(asked.body).encode()
        return self._respond(match["workspace"], match["name"], body, asked.headers.get("azureml-model-deployment"))

    def _respond(self, workspace, name, body, colour):
        shares, copies = self.traffic(name, workspace)
        number = self.requests.total()
        if colour is None:
            at, reached = number * 10 % 100 + 5, 0  # ten requests go to all in their shares
            for each, share in sorted(shares.items(), key=lambda item: -item[1]):
                reached += share
                if at < reached:
                    colour = each
                    break
        said = self._serve(workspace, name, colour, body)
        for each in copies:
            self._serve(workspace, name, each, body)
        return said

    def _serve(self, workspace, name, colour, body):
        path = f"{workspace}/onlineEndpoints/{name}/deployments/{colour}".lower()
        deployment = self.azure.resources.get(path)
        if deployment is None:
            return Said(404, {"error": "no such deployment"})
        version = deployment["properties"]["environmentVariables"]["MLOPS_MODEL_VERSION"]
        if version in self.sick:
            self.requests[colour, "5xx"] += 1
            return Said(424, {"error": "the model failed on these rows"}, {"ms-azureml-model-error-statuscode": "500"})
        reply = self.containers.ask(path, body, "application/json")
        self.requests[colour, f"{reply.status // 100}xx"] += 1
        return Said(reply.status, reply.body, {"content-type": "application/json"})

    # Metrics and rules.

    def _metrics(self, asked, match):
        if self.blind:
            return refused(403, "AuthorizationFailed", "no permission for Microsoft.Insights/metrics/read")
        query, name = asked.query, asked.query["metricnames"]
        split = re.findall(r"(\w+) eq '\*'", query["$filter"])
        if name not in METRICS or not set(split) <= METRICS[name] or query["aggregation"] != "Average":
            return refused(400, "BadRequest", f"{name} is no metric, or is not to be had by {split}")
        assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:00Z/\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ", query["timespan"])
        series = []
        for key, value in self._values(name, match):
            named = dict(zip(("deployment", "statusCodeClass"), key, strict=False))
            series.append(
                {
                    "metadatavalues": [{"name": {"value": each.lower()}, "value": named[each]} for each in split],
                    "data": [
                        {"timeStamp": "2026-01-01T00:00:00Z"},
                        {"timeStamp": "2026-01-01T00:01:00Z", "average": value},
                    ],
                }
            )
        return Said(body={"value": [{"name": {"value": name}, "unit": "Count", "timeseries": series}]})

    def _values(self, name, match):
        for path, each in self.azure.resources.items():
            if not path.startswith(f"{match['workspace']}/onlineEndpoints/{match['name']}/deployments/".lower()):
                continue
            version = each["properties"]["environmentVariables"]["MLOPS_MODEL_VERSION"]
            if name == "RequestLatency_P90":
                yield (each["name"],), float(self.slow.get(version, 20))
            elif version in self.failing:
                yield (each["name"], "5xx"), float(self.failing[version])
                yield (each["name"], "2xx"), 100.0 - self.failing[version]
            else:
                yield (each["name"], "2xx"), 100.0

    def _scaling(self, asked, match):
        name = asked.path.lower()
        if asked.query.get("api-version") != "2022-10-01":
            return refused(400, "InvalidApiVersionParameter", "the api-version is unknown")
        if asked.method == "PUT":
            if wrong := _wrong_rules(asked.body, self.azure.resources):
                return refused(400, "BadRequest", wrong)
            self.scaling[name] = asked.body
            return Said(body={**asked.body, "id": asked.path, "name": match[1]})
        if name not in self.scaling:
            return refused(404, "ResourceNotFound", "no such setting") if asked.method == "GET" else Said(204)
        return Said(body=self.scaling.pop(name) if asked.method == "DELETE" else self.scaling[name])


def _wrong_rules(body, resources):
    properties = body["properties"]
    if not body.get("location") or properties["targetResourceUri"].lower() not in resources:
        return "a setting has a location and a target that is there"
    (profile,) = properties["profiles"]
    capacity = {key: int(value) for key, value in profile["capacity"].items() if isinstance(value, str)}
    if set(capacity) != {"minimum", "maximum", "default"} or capacity["minimum"] > capacity["maximum"]:
        return "capacity has minimum, maximum and default, as text"
    for rule in profile["rules"]:
        trigger, action = rule["metricTrigger"], rule["scaleAction"]
        needed = {"metricName", "metricResourceUri", "operator", "statistic", "threshold", "timeAggregation"}
        if not needed | {"timeGrain", "timeWindow"} <= set(trigger) or trigger["metricName"] not in METRICS:
            return "a rule lacks something, or its metric is none"
        if set(action) != {"direction", "type", "value", "cooldown"} or not isinstance(action["value"], str):
            return "an action has direction, type, value and cooldown"
    return None


PLACE_OF_RULES = f"{PREFIX}/Microsoft.Insights/autoscaleSettings"
