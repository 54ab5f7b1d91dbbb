# The template's: `copier update` renews this file.
"""What `mlops doctor --on kubeflow` looks at: the cluster, the namespace and its things, pipelines and bucket."""

from collections.abc import Callable, Iterator
from functools import cached_property, partial
from typing import Any

from mlops.errors import MlopsError
from mlops.platforms.cloud import Row, looked
from mlops.platforms.kubeflow import bundles
from mlops.platforms.kubeflow.cluster import SERVICES, Cluster
from mlops.platforms.kubeflow.hosting import CREDENTIALS
from mlops.platforms.kubeflow.jobs import pipelines
from mlops.platforms.kubeflow.session import Session, answering, status_of

APPLY = "apply infra/kubeflow again, or set the variable to what it made"
ENFORCED = "pod-security.kubernetes.io/enforce"


def check(session: Session) -> list[Row]:
    """Look at all that is set; nothing is changed. Without a login that works there is nothing more to see there."""
    looks = _Looks(session)
    rows = [_look("cluster", looks.cluster)]
    if rows[0][2] is None and session.kubeflow.namespace:
        rows += [_look(what, look) for what, look in looks.inside()]
    return rows + [_look(what, look) for what, look in looks.beside()]


def _look(what: str, look: Callable[[], str]) -> Row:
    return looked(what, look, lambda cause: status_of(cause) == 403, APPLY)


class _Looks:
    """What there is, asked when it is looked at."""

    def __init__(self, session: Session) -> None:
        self.session = session

    @cached_property
    def api(self) -> Cluster:
        return Cluster(self.session)

    def inside(self) -> Iterator[tuple[str, Callable[[], str]]]:
        yield "namespace", self.namespace
        yield "quota", self.quota
        for name in ("job_service_account", "endpoint_service_account"):
            if getattr(self.session.kubeflow, name):
                yield name.replace("_", " "), partial(self.account, name)
        if self.session.kubeflow.object_store_secret:
            yield "object store secret", self.secret
        yield "KServe", self.kserve

    def beside(self) -> Iterator[tuple[str, Callable[[], str]]]:
        if self.session.kubeflow.host and self.session.kubeflow.namespace:
            yield "Kubeflow Pipelines", self.kubeflow
        if self.session.kubeflow.bucket:
            yield "bucket", self.bucket

    def cluster(self) -> str:
        with answering("the cluster cannot be looked at"):
            return f"Kubernetes {self.api.ask('GET', 'version')['gitVersion']} at {self.api.host}"

    def namespace(self) -> str:
        name = self.session.setting("namespace")
        labels = self._there("api/v1/namespaces/{namespace}", f"the namespace {name}")["metadata"].get("labels", {})
        if labels.get(ENFORCED) != "restricted":
            raise MlopsError(f"{name} lets pods do more than the restricted profile does; {APPLY}")
        return f"{name}, restricted pods"

    def quota(self) -> str:
        with answering("the quotas"):
            found = self.api.ask("GET", "api/v1/namespaces/{namespace}/resourcequotas")["items"]
        if not found:
            raise MlopsError(f"nothing bounds what the namespace takes of the cluster; {APPLY}")
        told = found[0].get("status", {})
        full = [name for name, hard in told.get("hard", {}).items() if hard != "0" and told["used"].get(name) == hard]
        if full:
            raise MlopsError(f"{', '.join(full)} is used up, so pods will wait; raise it in infra/kubeflow")
        return ", ".join(each["metadata"]["name"] for each in found)

    def account(self, setting: str) -> str:
        name = self.session.setting(setting)
        self._there(f"api/v1/namespaces/{{namespace}}/serviceaccounts/{name}", f"the ServiceAccount {name}")
        return name

    def secret(self) -> str:
        name = self.session.setting("object_store_secret")
        found = self._there(f"api/v1/namespaces/{{namespace}}/secrets/{name}", f"the Secret {name}").get("data", {})
        if missing := [key for key in CREDENTIALS if key not in found]:
            raise MlopsError(f"the Secret {name} lacks {missing[0]}; infra/kubeflow/README.md has the command")
        return f"{name}, with {' and '.join(CREDENTIALS)}"

    def kserve(self) -> str:
        with answering("KServe"):
            for group, what in {"serving.kserve.io": "KServe", "serving.knative.dev": "Knative Serving"}.items():
                if self.api.found(f"apis/{group}") is None:
                    raise MlopsError(f"the cluster has no {what}; infra/kubeflow/README.md says what has to be there")
            self.api.ask("GET", SERVICES)
        return "on Knative, so a new version can get a share of the requests"

    def kubeflow(self) -> str:
        with pipelines(self.session, "Kubeflow Pipelines") as there:
            namespace = there.get_user_namespace()
            there.list_experiments(page_size=1)
        return f"{self.session.setting('host')}, {f'runs in {namespace}' if namespace else 'one namespace for all'}"

    def bucket(self) -> str:
        name = self.session.setting("bucket")
        with answering(f"the bucket {name}"):
            store = bundles.store(self.session)
            store.head_bucket(Bucket=name)
            versioned = store.get_bucket_versioning(Bucket=name).get("Status") == "Enabled"
        if not versioned:
            raise MlopsError(f"{name} keeps no versions, so what is overwritten is lost; turn them on in the store")
        return f"{name}, versioned"

    def _there(self, path: str, what: str) -> Any:
        with answering(what):
            found = self.api.found(path)
        if found is None:
            raise MlopsError(f"there is no such thing as {what}; {APPLY}")
        return found
