"""The API of Kubeflow Pipelines in tests, which the real client asks: it keeps pipelines, runs and recurring runs.

A body is read into the client's own models, which refuse a field that there is none of; a pipeline that is uploaded is
read into the messages of its form and of Kubernetes' part. What has a namespace is only found by who names it.
"""

import email
import email.policy
import json
import re
import uuid
from dataclasses import dataclass, field

import kfp_server_api
import yaml
from google.protobuf import json_format
from kfp.kubernetes import kubernetes_executor_config_pb2
from kfp.pipeline_spec import pipeline_spec_pb2

from support.front import Reply
from support.plain import Routes

DONE = ("SUCCEEDED", {"prepare": "SUCCEEDED", "train": "SUCCEEDED", "judge": "SUCCEEDED"}, None)
ID = "([0-9a-f-]{36})"
MOMENT = "2026-01-01T00:00:00Z"


def parsed(text):
    """Both documents of a pipeline's file, each as its message takes it.

    Raises:
        ValueError: one has a field that there is none of, or there are not two.
    """
    try:
        spec, platform = yaml.safe_load_all(text)
        json_format.ParseDict(spec, pipeline_spec_pb2.PipelineSpec())
        json_format.ParseDict(platform, pipeline_spec_pb2.PlatformSpec())
        executors = platform["platforms"]["kubernetes"]["deploymentSpec"]["executors"]
        for config in executors.values():
            json_format.ParseDict(config, kubernetes_executor_config_pb2.KubernetesExecutorConfig())
    except (json_format.ParseError, KeyError) as error:
        raise ValueError(f"Failed to parse the pipeline: {error}") from error
    if unknown := set(executors) - set(spec["deploymentSpec"]["executors"]):
        raise ValueError(f"the executors {unknown} are not there")
    return spec, platform


@dataclass
class Kept:
    """What is there, by id."""

    experiments: dict = field(default_factory=dict)
    pipelines: dict = field(default_factory=dict)
    versions: dict = field(default_factory=dict)
    runs: dict = field(default_factory=dict)
    recurring: dict = field(default_factory=dict)


class Pipelines(Routes):
    """`plan` is how the next run goes, a state each time one asks: the run's, those of its tasks, and why it failed."""

    namespace, token = "flight-delays-dev", "a token of the tests"

    def __init__(self):
        super().__init__()
        base = "/apis/v2beta1"
        self.route("GET", f"{base}/healthz", lambda asked: {"multi_user": self.multi_user})
        self.route("GET", f"{base}/experiments", lambda asked: self._list(asked, "experiments"))
        self.route("POST", f"{base}/experiments", self._experiment)
        self.route("GET", f"{base}/pipelines", lambda asked: self._list(asked, "pipelines"))
        self.route("POST", f"{base}/pipelines/upload", self._upload)
        self.route("POST", f"{base}/pipelines/upload_version", self._upload_version)
        self.route("GET", f"{base}/pipelines/{ID}/versions", self._versions)
        self.route("GET", f"{base}/pipelines/{ID}/versions/{ID}", lambda asked, _, each: self._one("versions", each))
        self.route("GET", f"{base}/runs", lambda asked: self._list(asked, "runs"))
        self.route("POST", f"{base}/runs", self._run)
        self.route("GET", f"{base}/runs/(.+)", self._look)
        self.route("GET", f"{base}/recurringruns", lambda asked: self._list(asked, "recurring"))
        self.route("POST", f"{base}/recurringruns", self._recur)
        self.route("DELETE", f"{base}/recurringruns/{ID}", self._end)
        self.reset()

    def reset(self):
        self.clear()
        self.kept, self.multi_user, self.plan, self.states, self.page = Kept(), True, [DONE], {}, 2
        self.by_token = False

    def answer(self, asked):
        if self.by_token and asked.headers.get("authorization") != f"Bearer {self.token}":
            self.asked.append(asked)
            return self.refused(401, "Request header error: there is no user identity header.")
        return super().answer(asked)

    def refused(self, status, message):
        return Reply(status, json.dumps({"error": message, "code": 3, "message": message, "details": []}).encode())

    def document(self, version):
        """What was uploaded as a version: the pipeline and Kubernetes' part."""
        spec = self.kept.versions[version]["pipeline_spec"]
        return spec["pipeline_spec"], spec["platform_spec"]

    def _one(self, kind, name):
        found = getattr(self.kept, kind).get(name)
        return found or self.refused(404, f"{kind} {name} not found")

    def _list(self, asked, kind):
        if (wrong := self._misplaced(asked.query.get("namespace"), kind)) is not None:
            return wrong
        found = list(getattr(self.kept, kind).values())
        for name in ("namespace", "experiment_id"):
            if name in asked.query or (name == "namespace" and kind in ("experiments", "pipelines")):
                found = [each for each in found if each.get(name) == asked.query.get(name)]
        for predicate in json.loads(asked.query.get("filter") or "{}").get("predicates", []):
            assert predicate["operation"] in ("EQUALS", 1), predicate
            found = [each for each in found if each.get(predicate["key"]) == predicate["stringValue"]]
        # Pages are small, whatever is asked for.
        start = int(asked.query.get("page_token") or 0)
        more = {"next_page_token": str(start + self.page)} if len(found) > start + self.page else {}
        name = {"recurring": "recurringRuns"}.get(kind, kind)
        return {name: found[start : start + self.page], **more}

    def _misplaced(self, namespace, kind):
        if namespace and not self.multi_user:
            return self.refused(400, f"In single-user mode, {kind} cannot have a namespace")
        if namespace and namespace != self.namespace:
            return self.refused(403, f"User 'tests' is not authorized in {namespace}")
        return None

    def _read(self, asked, model):
        """The body, whose fields its model has: of those that the server sets, none."""
        content = asked.json
        kind = getattr(kfp_server_api, model)
        known = set(kind.attribute_map.values())
        if unknown := set(content) - known:
            raise ValueError(f'unknown field "{unknown.pop()}" in {model}')
        return content

    def _keep(self, kind, key, content):
        name = str(uuid.uuid4())
        getattr(self.kept, kind)[name] = {**content, key: name, "created_at": MOMENT}
        return getattr(self.kept, kind)[name]

    def _experiment(self, asked):
        content = self._read(asked, "V2beta1Experiment")
        if (wrong := self._misplaced(content.get("namespace"), "experiments")) is not None:
            return wrong
        if self.multi_user and not content.get("namespace"):
            return self.refused(400, "In multi-user mode, an experiment needs a namespace")
        return self._keep("experiments", "experiment_id", content)

    def _package(self, asked):
        head = f"Content-Type: {asked.headers['Content-Type']}\r\n\r\n".encode()
        message = email.message_from_bytes(head + asked.body, policy=email.policy.HTTP)
        (part,) = message.iter_parts()
        assert part.get_param("name", header="content-disposition") == "uploadfile"
        return parsed(part.get_content() if isinstance(part.get_content(), str) else part.get_content().decode())

    def _upload(self, asked):
        namespace, name = asked.query.get("namespace"), asked.query["name"]
        if (wrong := self._misplaced(namespace, "pipelines")) is not None:
            return wrong
        taken = {(each.get("namespace"), each["display_name"]) for each in self.kept.pipelines.values()}
        if (namespace, name) in taken:
            return self.refused(409, f"The name {name} already exist. Please specify a new name.")
        package = self._package(asked)
        content = {"display_name": name, **({"namespace": namespace} if namespace else {})}
        made = self._keep("pipelines", "pipeline_id", content)
        self._version(made["pipeline_id"], name, package)
        return made

    def _upload_version(self, asked):
        pipeline, name = asked.query["pipelineid"], asked.query["name"]
        if pipeline not in self.kept.pipelines:
            return self.refused(404, f"Pipeline {pipeline} not found")
        if any((each["pipeline_id"], each["display_name"]) == (pipeline, name) for each in self.kept.versions.values()):
            return self.refused(409, f"The name {name} already exist.")
        return self._version(pipeline, name, self._package(asked))

    def _version(self, pipeline, name, package):
        spec = {"pipeline_spec": package[0], "platform_spec": package[1]}
        content = {"pipeline_id": pipeline, "display_name": name, "pipeline_spec": spec}
        return self._keep("versions", "pipeline_version_id", content)

    def _versions(self, asked, pipeline):
        said = self._list(asked, "versions")
        its = [each for each in said.pop("versions") if each["pipeline_id"] == pipeline]
        return {"pipeline_versions": its, **said}

    def _referred(self, content):
        reference = content["pipeline_version_reference"]
        version = self.kept.versions.get(reference["pipeline_version_id"])
        if version is None or version["pipeline_id"] != reference["pipeline_id"]:
            raise ValueError(f"there is no version {reference}")
        if content["experiment_id"] not in self.kept.experiments:
            raise ValueError(f"there is no experiment {content['experiment_id']}")
        given = set(content.get("runtime_config", {}).get("parameters") or {})
        known = version["pipeline_spec"]["pipeline_spec"]["root"].get("inputDefinitions", {}).get("parameters", {})
        if unknown := given - set(known):
            raise ValueError(f"the pipeline has no parameter {unknown.pop()}")

    def _run(self, asked):
        content = self._read(asked, "V2beta1Run")
        self._referred(content)
        made = self._keep("runs", "run_id", {**content, "state": "PENDING"})
        self.states[made["run_id"]] = list(self.plan)
        return made

    def _look(self, asked, run):
        found = self.kept.runs.get(run)
        if found is None:
            return self.refused(404, f"Run {run} not found.")
        states = self.states[run]
        state, tasks, reason = states.pop(0) if len(states) > 1 else states[0]
        found["state"] = state
        details = [{"display_name": "root", "state": state}, {"display_name": "root-driver", "state": "SUCCEEDED"}]
        for name, said in tasks.items():
            details.append({"display_name": f"{name}-driver", "state": "SUCCEEDED"})
            error = {"error": {"code": 9, "message": reason}} if said == "FAILED" and reason else {}
            details.append({"display_name": name, "state": said, "create_time": MOMENT, **error})
        return {**found, "run_details": {"task_details": details}}

    def _recur(self, asked):
        content = self._read(asked, "V2beta1RecurringRun")
        self._referred(content)
        cron = content["trigger"]["cron_schedule"]["cron"].split()
        if len(cron) != 6 or not all(re.fullmatch(r"[\d*,/?A-Z-]+", part) for part in cron) or re.search("7", cron[5]):
            return self.refused(400, f"The cron expression {' '.join(cron)} is invalid")
        if not 1 <= int(content["max_concurrency"]) <= 10:
            return self.refused(400, "max_concurrency must be in [1, 10]")
        return self._keep("recurring", "recurring_run_id", {**content, "status": "ENABLED"})

    def _end(self, asked, name):
        return {} if self.kept.recurring.pop(name, None) else self.refused(404, f"{name} not found")
