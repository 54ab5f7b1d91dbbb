# The template's: `copier update` renews this file.
"""What serves a model: an InferenceService of KServe, whose revisions say in their labels what they were made from.

KServe hands annotations and labels on to the pods, so nothing may be written there that is not part of the content: it
would make a revision. What serves is read from the revisions instead.
"""

import math
from collections.abc import Mapping
from typing import Any

from mlops.errors import UsageError
from mlops.files import canonical_hash
from mlops.platforms.base import Release, Serving
from mlops.platforms.cloud import shortened
from mlops.platforms.kubeflow.pods import Pod
from mlops.platforms.kubeflow.session import Session

LONGEST = 40
"""Letters of the name, which is part of longer ones and of an address."""
VERSION, CONTENT = "mlops-version", "mlops-content"
"""Labels of a revision: the model version, and a digest of all that makes another revision."""
CONTAINER, PORT = "kserve-container", 8080
CREDENTIALS = ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY")


def name(session: Session) -> str:
    return shortened(session.name, LONGEST)


def service(session: Session, predictor: Mapping[str, Any]) -> dict[str, Any]:
    """The InferenceService with this predictor."""
    return {
        "apiVersion": "serving.kserve.io/v1beta1",
        "kind": "InferenceService",
        "metadata": {
            "name": name(session),
            "namespace": session.setting("namespace"),
            "labels": labels(session),
            # Requests can be divided between revisions in this mode alone; newer releases call it Knative, too.
            "annotations": {"serving.kserve.io/deploymentMode": "Serverless"},
        },
        "spec": {"predictor": dict(predictor)},
    }


def predictor(session: Session, release: Release, serving: Serving, bundle: str) -> dict[str, Any]:
    """What serves a release, with its digest; nothing is said of how many requests it gets.

    Args:
        bundle: The URL of its folder in the bucket.

    Raises:
        UsageError: the version cannot be a label.
    """
    if not release.version.isdecimal():
        raise UsageError(f"the version '{release.version}' is no number, so no label of Kubernetes can hold it")
    pod = session.pods.of("endpoint", serving.needs)
    content = {
        "serviceAccountName": session.setting("endpoint_service_account"),
        "automountServiceAccountToken": False,
        "minReplicas": 0 if serving.serverless else serving.min_instances,
        "maxReplicas": serving.max_instances,
        "scaleMetric": "rps",
        "scaleTarget": math.ceil(serving.requests_per_minute / 60),
        "timeout": 60,
        **_placed(session, pod),
        "containers": [_container(session, release, serving, bundle, pod)],
        "annotations": dict(pod.annotations),
        "labels": {**pod.labels, **labels(session), VERSION: release.version},
    }
    content["labels"][CONTENT] = canonical_hash(content)[:16]
    return content


def labels(session: Session) -> dict[str, str]:
    return {f"mlops-{name}": value for name, value in session.tags.items()} | {"app.kubernetes.io/managed-by": "mlops"}


def _container(session: Session, release: Release, serving: Serving, bundle: str, pod: Pod) -> dict[str, Any]:
    needs, user = serving.needs, session.pods.run_as_user
    amount = {"cpu": f"{needs.cpu:g}", "memory": f"{math.ceil(1000 * needs.memory_gb)}M"}
    if needs.gpu:
        amount[session.pods.gpu_resource] = str(needs.gpu)
    said = {"MLOPS_LOG_URI": f"s3://{session.setting('bucket')}/logs/predictions", **release.environment}
    if session.kubeflow.object_store:
        said["AWS_ENDPOINT_URL"] = session.kubeflow.object_store
    secrets = {name: (session.kubeflow.object_store_secret, name) for name in CREDENTIALS}
    secrets |= {variable: (each.name, key) for each in pod.secrets for key, variable in each.env.items()}
    return {
        "name": CONTAINER,
        "image": release.image,
        "ports": [{"containerPort": PORT, "protocol": "TCP"}],
        "env": [
            {"name": "STORAGE_URI", "value": bundle},
            *({"name": name, "value": value} for name, value in sorted(said.items())),
            *(
                {"name": name, "valueFrom": {"secretKeyRef": {"name": secret, "key": key}}}
                for name, (secret, key) in sorted(secrets.items())
                if secret
            ),
        ],
        "resources": {"requests": amount, "limits": dict(amount)},
        "readinessProbe": {"httpGet": {"path": "/ping", "port": PORT}, "periodSeconds": 5, "failureThreshold": 3},
        "livenessProbe": {"httpGet": {"path": "/live", "port": PORT}, "periodSeconds": 10, "failureThreshold": 6},
        "securityContext": {
            "allowPrivilegeEscalation": False,
            "capabilities": {"drop": ["ALL"]},
            "runAsNonRoot": True,
            "seccompProfile": {"type": "RuntimeDefault"},
            **({"runAsUser": user} if user else {}),
        },
        **_mounts(pod),
    }


def _placed(session: Session, pod: Pod) -> dict[str, Any]:
    """What Knative takes of a pod once its feature flags are on, and only where it is asked for."""
    tolerations = [each.written() for each in pod.tolerations]
    pull = [{"name": each} for each in session.pods.image_pull_secrets]
    volumes = [
        {"name": f"volume-{number}", "persistentVolumeClaim": {"claimName": each.claim}}
        for number, each in enumerate(pod.volumes)
    ]
    volumes += [
        {"name": f"secret-{number}", "secret": {"secretName": each.name}}
        for number, each in enumerate(pod.secrets)
        if each.path
    ]
    found = {
        "tolerations": tolerations,
        "nodeSelector": dict(pod.node_selector),
        "imagePullSecrets": pull,
        "volumes": volumes,
    }
    return {name: value for name, value in found.items() if value}


def _mounts(pod: Pod) -> dict[str, Any]:
    mounts: list[dict[str, Any]] = [
        {"name": f"volume-{number}", "mountPath": each.path} for number, each in enumerate(pod.volumes)
    ]
    mounts += [
        {"name": f"secret-{number}", "mountPath": each.path, "readOnly": True}
        for number, each in enumerate(pod.secrets)
        if each.path
    ]
    return {"volumeMounts": mounts} if mounts else {}
