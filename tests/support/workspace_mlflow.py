"""The MLflow of an Azure ML workspace in tests: MLflow's own server, behind what a workspace lacks and refuses.

It stands on the management plane's fake, where the real plugin finds it. What it lets through are the routes behind
the capabilities that Microsoft documents; what it refuses are its documented limits. Artifacts go to the storage by
addresses that the run history hands out, once: nobody may overwrite one.
"""

import json
import re
import urllib.error
import urllib.parse
import urllib.request
from dataclasses import dataclass, field

from support.azure import ACCOUNT
from support.azure_ml import PLACE, Said, refused

ROUTES = {
    "experiments": ["create", "delete", "get", "get-by-name", "restore", "search", "set-experiment-tag"],
    "metrics": ["get-history"],
    "model-versions": [
        "create",
        "delete",
        "delete-tag",
        "get",
        "get-download-uri",
        "search",
        "set-tag",
        "transition-stage",
        "update",
    ],
    "registered-models": ["create", "delete-tag", "get", "get-latest-versions", "search", "set-tag", "update"],
    "runs": [
        "create",
        "delete",
        "delete-tag",
        "get",
        "log-batch",
        "log-metric",
        "log-model",
        "log-parameter",
        "restore",
        "search",
        "set-tag",
        "update",
    ],
}
DOCUMENTED = {f"{group}/{action}" for group, actions in ROUTES.items() for action in actions}
ALIAS = "registered-models/alias"
LIMITS = {"tags": 50, "params": 200, "metrics": 50}
"""Of a run: how many names it may have."""
KEY, VALUE = 100, 1000
"""Characters of a run's tag."""
CONTAINER = "azureml"


@dataclass
class Workspace:
    """What was asked of MLflow, as (method, route), what was refused, and whether there are `aliases`."""

    management: object
    mlflow: str
    storage: object
    blobs: str
    """The address of the storage, which may be that of a front."""
    aliases: bool = False
    asked: list = field(default_factory=list)
    unknown: list = field(default_factory=list)
    artifacts: dict = field(default_factory=dict)
    names: dict = field(default_factory=dict)

    def __post_init__(self):
        history = rf"/history/v1\.0{PLACE}/experiments/([^/]+)/runs/([^/]+)/artifacts"
        for method in ("GET", "POST", "PATCH", "DELETE"):
            self.management.route(method, rf"/mlflow/v2\.0{PLACE}/api/(.+)", self._mlflow)
        self.management.route("GET", history, self._list)
        self.management.route("GET", rf"{history}/contentinfo", self._content)
        self.management.route("POST", rf"{history}/batch/metadata", self._create)
        for method in ("GET", "HEAD", "PUT"):
            self.management.route(method, rf"/{ACCOUNT}\.blob\.core\.azure\.test/(.+)", self._blob)

    @property
    def uri(self):
        return f"azureml://{self.management.host}/mlflow/v2.0{PLACE}"

    @property
    def env(self):
        """Variables for a project that tracks here."""
        named = {"MLOPS_TRACKING_URI": self.uri, "AZUREML_CURRENT_CLOUD": "TestCloud"}
        return {**self.management.env, **named}

    def _mlflow(self, asked, match):
        if not asked.headers.get("Authorization", "").startswith("Bearer "):
            return refused(401, "AuthenticationFailed", "The 'Authorization' header is missing.")
        version, _, route = match[1].partition("/mlflow/")
        self.asked.append((asked.method, route))
        known = DOCUMENTED | ({ALIAS} if self.aliases else set())
        if version != "2.0" or route not in known:
            self.unknown.append((asked.method, match[1]))
            return Said(404, b"")
        body = asked.body if isinstance(asked.body, dict) else {}
        if (why := self._limit(route, {**asked.query, **body})) is not None:
            code = {"error_code": "INVALID_PARAMETER_VALUE"}
            return Said(400, {**code, "message": f"Response: {{'Error': {{'Code': 'ValidationError', {why!r}}}}}"})
        # Its own server puts a run's artifacts elsewhere.
        sent = re.sub(r"(/experiments/[^/\"]+)/runs/", r"\1/", json.dumps(body)).encode() if body else None
        url = f"{self.mlflow}/api/{match[1]}?{urllib.parse.urlencode(asked.query)}"
        status, content, _ = _ask(asked.method, url, sent, {"content-type": "application/json"})
        told = re.sub(r"(/experiments/[^/\"]+)/([0-9a-f]{32}/artifacts)", r"\1/runs/\2", content.decode())
        said = json.loads(told)
        if route == "runs/create" and status == 200:
            self._limit("runs/log-batch", {**body, "run_id": said["run"]["info"]["run_id"]})
        return Said(status, said)

    def _limit(self, route, body):
        """Which of the service's limits a request is beyond, if any."""
        asked, order = body.get("filter", ""), body.get("order_by", [])
        by_name = route != "model-versions/search" or re.fullmatch(r"name ?= ?'[^']*'", asked)
        if "`" in asked or "!=" in asked or not by_name or any(not each.startswith("attributes.") for each in order):
            return "what is searched for is not supported"
        if not route.startswith("runs/") or "run_id" not in body:
            return None
        logged = {kind: body.get(kind) or [] for kind in LIMITS}
        kinds = {"runs/set-tag": "tags", "runs/log-parameter": "params", "runs/log-metric": "metrics"}
        if route in kinds:
            logged[kinds[route]] = [body]
        for kind, entries in logged.items():
            names = self.names.setdefault((body["run_id"], kind), set())
            names.update(entry["key"] for entry in entries)
            if len(names) > LIMITS[kind]:
                return f"A field of the entity is over the size limit. FieldName={kind}, Limit={LIMITS[kind]}"
        if any(len(tag["key"]) > KEY or len(tag["value"]) > VALUE for tag in logged["tags"]):
            return f"A field of the entity is over the size limit. FieldName=Tags, Limit={VALUE}"
        return None

    def _about(self, run, path):
        name = urllib.parse.quote(f"ExperimentRun/dcid.{run}/{path}")
        url = f"{self.management.url}/{ACCOUNT}.blob.core.azure.test/{CONTAINER}/{name}?{self.storage.signature}"
        about = {"origin": "ExperimentRun", "container": f"dcid.{run}", "path": path}
        return {**about, "contentUri": url}

    def _list(self, asked, match):
        found = [self._about(match[2], path) for path in self.artifacts.get(match[2], [])]
        return Said(body={"value": [{key: each[key] for key in ("origin", "container", "path")} for each in found]})

    def _content(self, asked, match):
        path = asked.query["path"]
        if path not in self.artifacts.get(match[2], []):
            return refused(404, "UserError", f"Artifact {path} was not found")
        return Said(body=self._about(match[2], path))

    def _create(self, asked, match):
        run, kept = match[2], self.artifacts.setdefault(match[2], [])
        paths = [each["path"] for each in asked.body["paths"]]
        message = "Resource Conflict: ArtifactId ExperimentRun/dcid.{}/{} already exists."
        errors = {
            path: {"error": {"code": "UserError", "message": message.format(run, path)}}
            for path in paths
            if path in kept
        }
        made = {path: self._about(run, path) for path in paths if path not in kept}
        kept += made
        return Said(body={"artifacts": {}, "artifactContentInformation": made, "errors": errors})

    def _blob(self, asked, match):
        url = f"{self.blobs}/{ACCOUNT}/{urllib.parse.quote(match[1])}?{urllib.parse.urlencode(asked.query)}"
        told = ("content-type", "if-none-match", "range")
        kept = {name: value for name, value in asked.headers.items() if name.lower().startswith(("x-ms-", *told))}
        body = asked.body if asked.method == "PUT" else None
        status, content, headers = _ask(asked.method, url, body, kept)
        dropped = {"connection", "content-length", "keep-alive", "transfer-encoding", "date", "server"}
        return Said(status, content, {name.lower(): value for name, value in headers if name.lower() not in dropped})


def _ask(method, url, body, headers):
    request = urllib.request.Request(url, data=body, method=method, headers=headers)  # noqa: S310 - addresses of ours
    try:
        with urllib.request.urlopen(request, timeout=120) as answer:  # noqa: S310
            return answer.status, answer.read(), answer.getheaders()
    except urllib.error.HTTPError as error:
        with error:
            return error.code, error.read(), list(error.headers.items())
