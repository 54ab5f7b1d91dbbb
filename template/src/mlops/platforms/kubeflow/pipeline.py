# The template's: `copier update` renews this file.
"""The pipeline of Kubeflow Pipelines: Kubeflow's form, and a second document with what only Kubernetes has."""

from collections.abc import Iterable, Mapping
from functools import partial
from typing import Any

from mlops.platforms import kfp
from mlops.platforms.base import Job, Needs, Schedule, Step
from mlops.platforms.kubeflow.hosting import CREDENTIALS, labels
from mlops.platforms.kubeflow.pods import Pod, Secret
from mlops.platforms.kubeflow.session import HERE, PURPOSES, Session

CHECKPOINTS = "/checkpoints"
"""Where the claim for checkpoints is mounted."""


def files(session: Session, job: Job) -> Mapping[str, str]:
    """The pipeline as a text by file name.

    Raises:
        UsageError: a setting is missing, or the cluster has no nodes for what a step asks for.
    """
    return {kfp.FILE: package(session, job)}


def package(session: Session, job: Job, schedule: Schedule | None = None) -> str:
    """What is uploaded: two documents of YAML, for the pipeline or for a verb that a schedule starts."""
    session.setting("pushgateway")  # the last task of each run writes there
    name, engine = session.name, partial(_engine, session)
    if schedule is not None and schedule.command is not None:
        content = kfp.single(engine(f"{name}-{schedule.name}"), job, schedule)
        steps = [Step(schedule.name, (), (), (), Needs(), cacheable=False)]
    else:
        content, steps = kfp.definition(engine(name), job), list(job.steps)
    executors = content["deploymentSpec"]["executors"]
    return f"{kfp.written(content)}---\n{kfp.written(_kubernetes(session, executors, steps))}"


def _engine(session: Session, name: str) -> kfp.Engine:
    return kfp.Engine(
        platform="kubeflow",
        name=name,
        environment=_environment(session),
        settings=_settings(session),
        reading={"MLOPS_DATA_REMOTE": session.data_remote},
        executor=partial(_executor, session),
        run="{{$.pipeline_job_uuid}}",
    )


def _executor(session: Session, step: Step, container: kfp.Content) -> tuple[kfp.Content, tuple[str, ...]]:
    needs, kind = step.needs, session.pods.gpu_resource
    count = str(needs.gpu)
    gpu = {"count": count, "resourceCount": count, "type": kind, "resourceType": kind} if needs.gpu else {}
    if needs.spot and session.pods.checkpoints:
        folder = f"{CHECKPOINTS}/{session.name}/{step.name}"
        container = {**container, "env": [*container["env"], {"name": "MLOPS_CHECKPOINTS", "value": folder}]}
    return {**kfp.limited(container, needs), "resources": kfp.resources(needs, **gpu)}, ()


def _kubernetes(session: Session, executors: Iterable[str], steps: Iterable[Step]) -> kfp.Content:
    """What pods get besides, by the name of their executor."""
    by_name = {f"exec-{step.name}": step for step in steps}
    found = {}
    for name in executors:
        step = by_name.get(name)
        pod = session.pods.of(step.name, step.needs) if step else session.pods.every
        found[name] = _executor_config(session, pod, step)
    return {"platforms": {"kubernetes": {"deploymentSpec": {"executors": found}}}}


def _executor_config(session: Session, pod: Pod, step: Step | None) -> kfp.Content:
    secrets = list(pod.secrets)
    if session.kubeflow.object_store_secret:
        secrets.insert(0, Secret(name=session.kubeflow.object_store_secret, env={key: key for key in CREDENTIALS}))
    claims = [(each.claim, each.path) for each in pod.volumes]
    if step is not None and step.needs.spot and session.pods.checkpoints:
        claims.append((session.pods.checkpoints, CHECKPOINTS))
    user = session.pods.run_as_user
    found: dict[str, Any] = {
        "secretAsEnv": [
            {
                **_named("secretName", each.name),
                "keyToEnv": [{"secretKey": key, "envVar": variable} for key, variable in each.env.items()],
                "optional": False,
            }
            for each in secrets
            if each.env
        ],
        "secretAsVolume": [
            {**_named("secretName", each.name), "mountPath": each.path, "optional": False}
            for each in secrets
            if each.path
        ],
        "pvcMount": [{"constant": claim, **_constant("pvcName", claim), "mountPath": path} for claim, path in claims],
        "imagePullSecret": [_named("secretName", each) for each in session.pods.image_pull_secrets],
        "tolerations": [each.written() for each in pod.tolerations],
        "nodeSelector": {"labels": pod.node_selector} if pod.node_selector else {},
        "podMetadata": {
            "labels": {**pod.labels, **labels(session)},
            **({"annotations": pod.annotations} if pod.annotations else {}),
        },
        "securityContext": {"runAsUser": user, "runAsNonRoot": True} if user else {},
    }
    return {name: value for name, value in found.items() if value}


def _named(key: str, name: str) -> kfp.Content:
    """A name as servers of before and of today read it."""
    return {key: name, **_constant(key, name)}


def _constant(key: str, value: str) -> kfp.Content:
    return {f"{key}Parameter": {"runtimeValue": {"constant": value}}}


def _environment(session: Session) -> dict[str, str]:
    found: dict[str, str | None] = {
        "AWS_ENDPOINT_URL": session.kubeflow.object_store,
        "MLOPS_ENVIRONMENT": session.settings.environment,
        "MLOPS_PLATFORM": "kubeflow",
        "MLOPS_TRACKING_URI": session.kubeflow.tracking_uri or session.settings.tracking_uri,
        "MLOPS_EXPERIMENT": session.settings.experiment,
        "MLOPS_MODEL_NAME": session.settings.model_name,
    }
    return {name: value for name, value in found.items() if value}


def _settings(session: Session) -> dict[str, str]:
    """Variables of this project that a verb needs."""
    known = {f"MLOPS_KUBEFLOW_{name.upper()}": getattr(session.kubeflow, name) for name in PURPOSES if name not in HERE}
    known |= {"MLOPS_DATA_REMOTE": session.data_remote, "MLOPS_LOG_URI": session.settings.log_uri}
    return {name: str(value) for name, value in known.items() if value}
