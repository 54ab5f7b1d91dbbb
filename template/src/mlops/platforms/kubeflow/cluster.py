# The template's: `copier update` renews this file.
"""The API of the cluster, by paths: small, and the same for what Kubernetes has itself and what others added."""

import json
import os
import time
from collections.abc import Mapping
from typing import Any

from mlops.platforms.kubeflow.session import Session, answering, status_of

FRESH_SECONDS = 30
"""How long a login counts: what a file or a program gives changes while a deployment goes on."""
MERGE = "application/merge-patch+json"
SERVICES = "apis/serving.kserve.io/v1beta1/namespaces/{namespace}/inferenceservices"
REVISIONS = "apis/serving.knative.dev/v1/namespaces/{namespace}/revisions"
PODS = "api/v1/namespaces/{namespace}/pods"


class Cluster:
    """Asks the cluster of the kubeconfig file, or, in a pod, its own."""

    def __init__(self, session: Session) -> None:
        from kubernetes import client

        self.session = session
        settings = client.Configuration()
        self._log_in(settings)
        renewed = time.monotonic()

        def renew(held: Any) -> None:
            nonlocal renewed
            if time.monotonic() - renewed > FRESH_SECONDS:
                fresh = client.Configuration()
                self._log_in(fresh)
                held.api_key, renewed = fresh.api_key, time.monotonic()

        settings.refresh_api_key_hook = renew
        settings.retries = 3
        self._api = client.ApiClient(settings)

    def _log_in(self, settings: Any) -> None:
        from kubernetes import config

        name = self.session.kubeflow.context
        with answering("there is no login to a cluster"):
            if name is None and "KUBERNETES_SERVICE_HOST" in os.environ and "KUBECONFIG" not in os.environ:
                config.load_incluster_config(client_configuration=settings)
            else:
                file = os.environ.get("KUBECONFIG")  # which its package has read when it was imported
                config.load_kube_config(config_file=file, context=name, client_configuration=settings)

    @property
    def host(self) -> str:
        return str(self._api.configuration.host)

    def ask(self, method: str, path: str, body: Any = None, *, kind: str = "application/json", **query: str) -> Any:
        """What the API says, as JSON; `{namespace}` in the path is that of this environment.

        Raises:
            kubernetes.client.ApiException: it refuses.
        """
        text = self.raw(method, path, body, kind=kind, **query)
        return json.loads(text) if text else None

    def raw(self, method: str, path: str, body: Any = None, *, kind: str = "application/json", **query: str) -> str:
        """The same as text."""
        said = self._api.call_api(
            "/" + path.format(namespace=self.session.setting("namespace")),
            method,
            query_params=list(query.items()),
            header_params={"Accept": "*/*", "Content-Type": kind},
            body=body,
            auth_settings=["BearerToken"],
            _preload_content=False,
            _return_http_data_only=True,
        )
        return str(said.data.decode())

    def found(self, path: str, **query: str) -> Any:
        """What there is at a path; None where there is nothing."""
        from kubernetes.client.exceptions import ApiException

        try:
            return self.ask("GET", path, **query)
        except ApiException as error:
            if status_of(error) == 404:
                return None
            raise

    def pods(self, revision: str) -> list[str]:
        """The names of a revision's pods that run."""
        said = self.ask("GET", PODS, labelSelector=f"serving.knative.dev/revision={revision}")
        return [pod["metadata"]["name"] for pod in said["items"] if _runs(pod)]

    def through(self, pod: str, path: str, body: Any = None) -> str:
        """What the server in a pod says, asked through the API: no address of the endpoint's need be in reach."""
        method = "GET" if body is None else "POST"
        return self.raw(method, f"{PODS}/{pod}:8080/proxy/{path}", body)


def _runs(pod: Mapping[str, Any]) -> bool:
    conditions = {each["type"]: each["status"] for each in pod.get("status", {}).get("conditions", [])}
    return conditions.get("Ready") == "True" and "deletionTimestamp" not in pod["metadata"]
