"""KServe on Knative in tests: revisions of an InferenceService that start, fail, and are given requests as it does.

How requests are divided, and what is told of it, follows KServe's own controller: the newest revision gets
`canaryTrafficPercent`, and the one that had all of them last gets the rest.
"""

import copy
import json
import re

from support.front import Reply

SERVICES = "apis/serving.kserve.io/v1beta1/inferenceservices"
REVISIONS = "apis/serving.knative.dev/v1/revisions"


class Services:
    """`dead` versions do not start, `sick` ones do not answer, `failing` and `slow` are what their metrics say."""

    def __init__(self, cluster, cloud, containers):
        self.cluster, self.cloud, self.containers = cluster, cloud, containers
        self.dead, self.sick, self.failing, self.slow = set(), set(), {}, {}
        self.turned = lambda shares: None
        self.revisions, self._done, self._looks, self._shares = {}, {}, {}, None
        cluster.controllers.append(self.tick)
        cluster.through = self.through

    @property
    def service(self):
        """The one InferenceService there is, or None."""
        return next(iter(self.cluster.all(SERVICES).values()), None)

    @property
    def shares(self):
        """The percent of the requests by version."""
        found = {}
        for each in self.predictor.get("traffic", []):
            version = self.version(each["revisionName"])
            found[version] = found.get(version, 0) + each["percent"]
        return {version: percent for version, percent in found.items() if percent}

    @property
    def predictor(self):
        return self.service["status"].get("components", {}).get("predictor", {}) if self.service else {}

    def version(self, revision):
        return self.cluster.all(REVISIONS)[revision]["metadata"]["labels"]["mlops-version"]

    def changes(self):
        """What was changed since the last call."""
        found = [f"{each.method} {each.path}" for each in self.cluster.asked if each.method not in ("GET", "HEAD")]
        self.cluster.asked.clear()
        return [each for each in found if "/proxy/" not in each]

    # What controllers do.

    def tick(self):
        service = self.service
        if service is None:
            for name in list(self.cluster.all(REVISIONS)):
                self._forget(name)
            return
        name, spec = service["metadata"]["name"], service["spec"]["predictor"]
        template = {key: value for key, value in spec.items() if key != "canaryTrafficPercent"}
        status = service["status"].setdefault("components", {}).setdefault("predictor", {})
        template = {"spec": template, "of": {k: service["metadata"].get(k) for k in ("labels", "annotations")}}
        if self._done.get(name) != template:
            self._done[name] = copy.deepcopy(template)
            status["latestCreatedRevision"] = self._create(name, service)
        else:
            self._settle(status)
        for _ in range(2):  # its own change is an event for the controller, too
            self._route(status, spec.get("canaryTrafficPercent"))
        service["status"]["url"] = f"http://{name}.{self.cluster.namespace}.example.com"
        if self.shares != self._shares:
            self._shares = self.shares
            self.turned(self._shares)

    def _create(self, name, service):
        predictor = service["spec"]["predictor"]
        number = 1 + max((int(each[-5:]) for each in self.revisions), default=0)
        revision = f"{name}-predictor-{number:05}"
        labels = {**service["metadata"].get("labels", {}), **predictor["labels"]}
        labels["serving.kserve.io/inferenceservice"] = name
        status = {"conditions": [{"type": "Ready", "status": "Unknown"}]}
        self.cluster.put(REVISIONS, revision, metadata={"labels": labels}, status=status)
        self.revisions[revision] = copy.deepcopy(predictor)
        return revision

    def _settle(self, status):
        revision = status["latestCreatedRevision"]
        ready = self.cluster.all(REVISIONS)[revision]["status"]["conditions"][0]
        if ready["status"] != "Unknown":
            return
        if self.version(revision) in self.dead:
            ready |= {"status": "False", "reason": "ExitCode1", "message": "Container failed with: no such model"}
            return
        self._start(revision)
        ready["status"] = "True"
        status["latestReadyRevision"] = revision

    def _route(self, status, percent):
        """As KServe's reconciler and its status do it."""
        rolled, ready = status.get("latestRolledoutRevision"), status.get("latestReadyRevision")
        if ready is None:
            return
        targets = [{"latestRevision": True, "revisionName": ready, "percent": 100}]
        if percent is not None and rolled:
            targets[0]["percent"] = percent
            if percent < 100:
                rest = {"latestRevision": False, "revisionName": rolled, "percent": 100 - percent, "tag": "prev"}
                targets.append(rest)
        latest = targets[0]
        if rolled != ready:
            if latest["percent"] == 100:
                status |= {"previousRolledoutRevision": rolled, "latestRolledoutRevision": ready}
        elif ready == status["latestCreatedRevision"] and latest["percent"] < 100:
            total = sum(each["percent"] for each in targets if each["revisionName"] == ready)
            if total == 100 and status.get("previousRolledoutRevision"):
                status["latestRolledoutRevision"] = status["previousRolledoutRevision"]
        status["traffic"] = targets

    def _start(self, revision):
        predictor = self.revisions[revision]
        (container,) = predictor["containers"]
        content = (container["image"], str(container["env"]))
        self.containers.start(revision, content, lambda root: self._prepare(root, container))
        for number in range(max(1, predictor["minReplicas"])):
            labels = {"serving.knative.dev/revision": revision}
            conditions = [{"type": "Ready", "status": "True"}]
            name = f"{revision}-deployment-{number}"
            self.cluster.put("pods", name, metadata={"labels": labels}, status={"conditions": conditions})

    def _prepare(self, root, container):
        """What the storage initializer fetches, and the variables of the container."""
        variables = {}
        for each in container["env"]:
            reference = each.get("valueFrom", {}).get("secretKeyRef")
            secret = self.cluster.all("secrets")[reference["name"]]["data"] if reference else {}
            variables[each["name"]] = secret[reference["key"]] if reference else each["value"]
        bucket, prefix = re.fullmatch(r"s3://([^/]+)/(.+/)", variables.pop("STORAGE_URI")).groups()
        models, s3 = root / "models", self.cloud.client("s3")
        for each in s3.list_objects_v2(Bucket=bucket, Prefix=prefix)["Contents"]:
            if each["Size"]:  # as KServe, which brings no empty file
                file = models / each["Key"].removeprefix(prefix)
                file.parent.mkdir(parents=True, exist_ok=True)
                s3.download_file(bucket, each["Key"], str(file))
        s3.close()
        # /mnt/models of this machine is not the tests' own.
        return {**variables, "MLOPS_MODEL": str(models), "AWS_ENDPOINT_URL": self.cloud.url}

    def _forget(self, revision):
        for path in (self.cluster.path(REVISIONS, revision), *self._pods(revision)):
            self.cluster.there.pop(path, None)
        self._done.clear()

    def _pods(self, revision):
        wanted = {"serving.knative.dev/revision": revision}
        pods = self.cluster.all("pods").items()
        return [self.cluster.path("pods", name) for name, pod in pods if pod["metadata"].get("labels") == wanted]

    # What pods say.

    def through(self, pod, asked, path):
        revision = pod.rpartition("-deployment-")[0]
        version = self.version(revision)
        if path == "metrics" and asked.method == "GET":
            return Reply(200, self._metrics(revision, pod, version).encode(), "text/plain")
        if path != "invocations" or asked.method != "POST":
            return self.cluster.refused(404, f"no {path}")
        if version in self.sick:
            return Reply(500, b'{"error": "the model failed on these rows"}')
        said = self.containers.ask(revision, asked.body, asked.headers["Content-Type"])
        return Reply(said.status, said.body, said.headers["content-type"])

    def _metrics(self, revision, pod, version):
        """Those of its server, as they would be after so many requests more at each look as its share is."""
        server = self.containers.named[revision]
        fresh = type(server)(server.port, server.process, server.output)
        text = fresh.get("/metrics").body.decode()
        fresh.close()
        share = sum(each["percent"] for each in self.predictor["traffic"] if each["revisionName"] == revision)
        looks = self._looks.setdefault(pod, [0, 0])
        looks[0] += share
        looks[1] += share * self.failing.get(version, 0) // 100
        seconds = looks[0] * self.slow.get(version, 20) / 1000
        kept = [
            line for line in text.splitlines() if not line.startswith(("mlops_requests_total{", "mlops_request_sec"))
        ]
        kept += [f'mlops_requests_total{{status="200"}} {looks[0] - looks[1]}']
        kept += [f'mlops_requests_total{{status="500"}} {looks[1]}'] if looks[1] else []
        return "\n".join([*kept, f"mlops_request_seconds_sum {seconds}", ""])

    def answering(self, row):
        """The versions that answer a hundred requests, as the shares have it, one of each asked."""
        found = {}
        for each in self.predictor["traffic"]:
            if each["percent"]:
                body = json.dumps({"inputs": [row]}).encode()
                said = self.containers.ask(each["revisionName"], body, "application/json").json
                version = said["predictions"][0]["model_version"]
                found[version] = found.get(version, 0) + each["percent"]
        return found
