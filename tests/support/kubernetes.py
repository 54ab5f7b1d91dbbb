"""The API of a cluster in tests: what is there by its path, held to the schemas of Kubernetes and of what others added.

It keeps generations and versions as the API does, refuses what does not fit a schema, and knows no path that is not
listed. What controllers do beside it is a function of `controllers`, called before each answer.
"""

import copy
import json
import re
from contextlib import contextmanager
from pathlib import Path

import jsonschema
import kubernetes_validate
import yaml

from support.front import Reply
from support.plain import Routes, serving

VERSION = "1.33"
CRDS = yaml.safe_load(Path(__file__).with_name("crds.yaml").read_text(encoding="utf-8"))
"""Schemas by kind, compact, of the fields that are used and no others."""
CORE = "namespaces|resourcequotas|serviceaccounts|secrets|pods"
GROUPED = r"(serving\.kserve\.io/v1beta1|serving\.knative\.dev/v1)"


def problems(content):
    """What is wrong with a resource by its schema."""
    kind = content.get("kind")
    if kind in CRDS:
        return _schema(CRDS[kind], content)
    try:
        kubernetes_validate.validate(content, VERSION, strict=True)
    except (kubernetes_validate.ValidationError, kubernetes_validate.InvalidSchemaError) as error:
        return [error.message if hasattr(error, "message") else str(error)]
    except kubernetes_validate.SchemaNotFoundError:
        return [f"there is no {kind} of {content.get('apiVersion')}"]
    return []


def _schema(schema, content):
    """Faults by a schema of crds.yaml, whose pod specs are Kubernetes' own."""
    found = [f"{'.'.join(map(str, each.path))}: {each.message}" for each in _validator(schema).iter_errors(content)]
    for part in schema.get("x-containers", []):
        containers = content
        for key in part.split("."):
            containers = (containers or {}).get(key)
        metadata = {"name": "checked"}
        pod = {"apiVersion": "v1", "kind": "Pod", "metadata": metadata, "spec": {"containers": containers or []}}
        found += problems(pod)
    return found


def _validator(schema):
    return jsonschema.Draft202012Validator({name: value for name, value in schema.items() if name != "x-containers"})


class Cluster(Routes):
    """What is there, by path; `NAMESPACE` has it all."""

    namespace, token = "flight-delays-dev", "a token of the tests"

    def __init__(self, folder):
        super().__init__()
        self.config = Path(folder) / "kubeconfig"
        self.file = Path(folder) / "token"
        self.route("GET", "/version", lambda asked: {"gitVersion": f"v{VERSION}.1"})
        self.route("GET", r"/apis/([a-z.]+)", self._group)
        self.route("GET", rf"(/api/v1/namespaces/[a-z0-9-]+(?:/(?:{CORE})/[\w.-]+)?)", self._get)
        self.route("GET", rf"(/api/v1/namespaces/[a-z0-9-]+/(?:{CORE}))", self._list)
        its = rf"(/apis/{GROUPED}/namespaces/[a-z0-9-]+/[a-z]+"
        self.route("GET", f"{its}/[a-z0-9-]+)", self._get)
        self.route("GET", f"{its})", self._list)
        self.route("POST", f"{its})", self._create)
        self.route("PUT", f"{its}/[a-z0-9-]+)", self._replace)
        self.route("PATCH", f"{its}/[a-z0-9-]+)", self._merge)
        self.route("DELETE", f"{its}/[a-z0-9-]+)", self._delete)
        self.route("GET", r"/api/v1/namespaces/[a-z0-9-]+/pods/([\w.-]+):8080/proxy/(.+)", self._through)
        self.route("POST", r"/api/v1/namespaces/[a-z0-9-]+/pods/([\w.-]+):8080/proxy/(.+)", self._through)
        self.reset()

    def reset(self):
        self.clear()
        self.there, self.groups, self.controllers = {}, {"serving.kserve.io", "serving.knative.dev"}, []
        self.through = lambda pod, asked, path: self.refused(404, f"there is no pod {pod}")
        self.forbidden = ()
        self.file.write_text(self.token, encoding="utf-8")
        self._number = 0

    @property
    def env(self):
        """Variables of one who is logged in to it, by a token that a file has."""
        return {"KUBECONFIG": str(self.config), "HOME": str(self.config.parent), "KUBERNETES_SERVICE_HOST": None}

    def write_config(self):
        user = {"name": "tests", "user": {"tokenFile": str(self.file)}}
        cluster = {"name": "tests", "cluster": {"server": self.url}}
        context = {"name": "tests", "context": {"cluster": "tests", "user": "tests"}}
        content = {"apiVersion": "v1", "kind": "Config", "current-context": "tests", "preferences": {}}
        content |= {"users": [user], "clusters": [cluster], "contexts": [context]}
        self.config.write_text(yaml.safe_dump(content), encoding="utf-8")

    def path(self, kind, name=None):
        """Where a resource is: kind as in `pods` or `apis/serving.kserve.io/v1beta1/inferenceservices`."""
        *group, plural = kind.split("/")
        found = f"/{'/'.join(group) or 'api/v1'}/namespaces/{self.namespace}/{plural}"
        return f"{found}/{name}" if name else found

    def put(self, kind, name, **content):
        """Has a resource be there, as a controller would."""
        metadata = {"name": name, "namespace": self.namespace, **content.pop("metadata", {})}
        self.there[self.path(kind, name)] = {"metadata": metadata, **content}
        return self.there[self.path(kind, name)]

    def all(self, kind):
        """The resources of a kind, by name."""
        prefix = self.path(kind) + "/"
        return {path.removeprefix(prefix): each for path, each in self.there.items() if path.startswith(prefix)}

    def answer(self, asked):
        if asked.headers.get("Authorization") != f"Bearer {self.file.read_text(encoding='utf-8')}":
            self.asked.append(asked)
            return self.refused(401, "Unauthorized")
        if any(part in asked.path for part in self.forbidden):
            self.asked.append(asked)
            return self.refused(403, f'User "tests" cannot get {asked.path}')
        for act in self.controllers:
            act()
        return super().answer(asked)

    def refused(self, status, message):
        body = {"kind": "Status", "apiVersion": "v1", "status": "Failure", "message": message, "code": status}
        return Reply(status, json.dumps(body).encode())

    def _group(self, asked, name):
        if name not in self.groups:
            return self.refused(404, "the server could not find the requested resource")
        return {"kind": "APIGroup", "name": name, "versions": []}

    def _get(self, asked, path, *_):
        return self.there.get(path) or self.refused(404, f"{path} not found")

    def _list(self, asked, path, *_):
        wanted = dict(each.split("=", 1) for each in filter(None, asked.query.get("labelSelector", "").split(",")))
        found = [
            each
            for name, each in self.there.items()
            if name.rpartition("/")[0] == path and wanted.items() <= each["metadata"].get("labels", {}).items()
        ]
        return {"kind": "List", "apiVersion": "v1", "items": found}

    def _create(self, asked, path, *_):
        content = asked.json
        name = f"{path}/{content['metadata']['name']}"
        if name in self.there:
            return self.refused(409, f"{name} already exists")
        return self._keep(name, content, None)

    def _replace(self, asked, path, *_):
        before, content = self.there.get(path), asked.json
        if before is None:
            return self.refused(404, f"{path} not found")
        if content["metadata"].get("resourceVersion") != before["metadata"]["resourceVersion"]:
            return self.refused(409, "the object has been modified; please apply your changes to the latest version")
        return self._keep(path, content, before)

    def _merge(self, asked, path, *_):
        before = self.there.get(path)
        if before is None:
            return self.refused(404, f"{path} not found")
        if asked.headers.get("Content-Type") != "application/merge-patch+json":
            return self.refused(415, "the body of the request was in an unknown format")
        whole = {name: value for name, value in before.items() if name != "status"}
        return self._keep(path, merged(whole, asked.json), before)

    def _delete(self, asked, path, *_):
        if self.there.pop(path, None) is None:
            return self.refused(404, f"{path} not found")
        return {"kind": "Status", "status": "Success"}

    def _keep(self, path, content, before):
        content = copy.deepcopy(content)
        metadata = content["metadata"]
        asked = {name: value for name, value in metadata.items() if name not in ("resourceVersion", "generation")}
        if wrong := problems({**content, "metadata": asked}):
            return self.refused(422, f"{content.get('kind')} {metadata['name']} is invalid: {wrong[0]}")
        self._number += 1
        had = before["metadata"]["generation"] if before else 0
        changed = before is None or before["spec"] != content["spec"]
        metadata |= {"resourceVersion": str(self._number), "generation": had + changed}
        content["status"] = before.get("status", {}) if before else {}
        self.there[path] = content
        return content

    def _through(self, asked, pod, path):
        if self.path("pods", pod) not in self.there:
            return self.refused(404, f'pods "{pod}" not found')
        return self.through(pod, asked, path)


def merged(content, patch):
    """A JSON merge patch."""
    if not isinstance(patch, dict) or not isinstance(content, dict):
        return patch
    found = dict(content)
    for name, value in patch.items():
        if value is None:
            found.pop(name, None)
        else:
            found[name] = merged(found.get(name, {}), value)
    return found


@contextmanager
def cluster(folder):
    made = Cluster(folder)
    with serving(made):
        made.write_config()
        yield made


def labels_fit(labels):
    """Whether names and values may be labels."""
    name = r"([a-z0-9.-]{1,253}/)?[A-Za-z0-9]([A-Za-z0-9_.-]{0,61}[A-Za-z0-9])?"
    value = r"([A-Za-z0-9]([A-Za-z0-9_.-]{0,61}[A-Za-z0-9])?)?"
    return all(re.fullmatch(name, key) and re.fullmatch(value, each) for key, each in labels.items())
