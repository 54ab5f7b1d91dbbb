# The template's: `copier update` renews this file.
"""The pipeline of Vertex AI: Kubeflow's form, and the job that runs it.

Vertex AI chooses a machine for a container by itself. A step with GPUs, on spot machines, on several or with a large
disk is a custom job, which a container of Google's pipeline components starts and watches, as
`create_custom_training_job_from_component` of that package has it.
"""

import json
from collections.abc import Mapping
from functools import partial
from typing import Any

from mlops.platforms import kfp
from mlops.platforms.base import Job, Schedule, Step
from mlops.platforms.cloud import shortened
from mlops.platforms.gcp.machines import choose
from mlops.platforms.gcp.session import PURPOSES, Session

FILE = "job.yaml"
LAUNCHER = "gcr.io/ml-pipeline/google-cloud-pipeline-components:2.22.0"
STARTED = "gcp_resources"
"""What the launcher puts out: by it Vertex AI finds the custom job."""
DISK_GB = 100
"""Of a machine that Vertex AI chooses."""
HOSTS = "/tmp/hosts.json"  # noqa: S108 - in a container of its own
LONGEST = 128
"""Letters of a pipeline's name."""


def files(session: Session, job: Job) -> Mapping[str, str]:
    """The pipeline, and the job without it, as texts by file name.

    Raises:
        UsageError: a setting is missing, or no machine has what a step needs.
    """
    about = {name: value for name, value in body(session, job).items() if name != "pipelineSpec"}
    return {kfp.FILE: kfp.written(kfp.definition(engine(session), job)), FILE: kfp.written(about)}


def body(session: Session, job: Job, schedule: Schedule | None = None) -> dict[str, Any]:
    """What a job of the pipeline is created from, or of a verb that a schedule starts: the body of a request."""
    its = engine(session, schedule)
    verb = schedule if schedule is not None and schedule.command is not None else None
    key = {"encryptionSpec": {"kmsKeyName": session.gcp.kms_key}} if session.gcp.kms_key else {}
    network = {"network": session.gcp.network} if session.gcp.network else {}
    return {
        "displayName": its.name,
        "labels": session.tags,
        "runtimeConfig": {"gcsOutputDirectory": f"gs://{session.setting('bucket')}/pipeline"},
        "serviceAccount": session.setting("job_service_account"),
        **network,
        **key,
        "pipelineSpec": kfp.single(its, job, verb) if verb else kfp.definition(its, job),
    }


def engine(session: Session, schedule: Schedule | None = None) -> kfp.Engine:
    """Vertex AI as it runs a pipeline of this environment."""
    verb = f"-{schedule.name}" if schedule is not None and schedule.command is not None else ""
    return kfp.Engine(
        platform="gcp",
        name=shortened(f"{session.name}{verb}", LONGEST),
        environment=_environment(session),
        settings=_settings(session),
        reading={"MLOPS_DATA_REMOTE": session.data_remote},
        executor=partial(_executor, session),
    )


def is_custom(step: Step) -> bool:
    """Whether a step is a custom job."""
    needs = step.needs
    return needs.spot or needs.gpu > 0 or needs.nodes > 1 or needs.disk_gb > DISK_GB


def _executor(session: Session, step: Step, container: kfp.Content) -> tuple[kfp.Content, tuple[str, ...]]:
    machine = choose(step.needs, f"'{step.name}'")
    if not is_custom(step):
        return {**kfp.limited(container, step.needs), "resources": kfp.resources(step.needs)}, ()
    pool = {
        "machine_spec": machine.spec,
        "replica_count": 1,
        "container_spec": _spec(session, step, container),
        "disk_spec": {"boot_disk_type": "pd-ssd", "boot_disk_size_gb": max(DISK_GB, step.needs.disk_gb)},
    }
    others = {**pool, "replica_count": step.needs.nodes - 1}
    payload = {
        "display_name": f"{session.name}-{step.name}",
        "job_spec": {
            "worker_pool_specs": [pool, others] if step.needs.nodes > 1 else [pool],
            "scheduling": {
                "timeout": f"{step.needs.timeout_minutes * 60}s",
                # One that is taken away leaves the others waiting for it.
                "restart_job_on_worker_restart": step.needs.nodes > 1,
                "strategy": "SPOT" if step.needs.spot else "STANDARD",
            },
            "service_account": session.setting("job_service_account"),
            **({"network": session.gcp.network} if session.gcp.network else {}),
        },
        "labels": session.tags,
        **({"encryption_spec": {"kms_key_name": session.gcp.kms_key}} if session.gcp.kms_key else {}),
    }
    launching = {
        "image": LAUNCHER,
        "command": ["python3", "-u", "-m", "google_cloud_pipeline_components.container.v1.custom_job.launcher"],
        "args": [
            *("--type", "CustomJob", "--payload", json.dumps(payload)),
            *("--project", session.setting("project"), "--location", session.regions[0]),
            *("--gcp_resources", f"{{{{$.outputs.parameters['{STARTED}'].output_file}}}}"),
        ],
    }
    return launching, (STARTED,)


def _spec(session: Session, step: Step, container: kfp.Content) -> kfp.Content:
    """The container of a custom job, which mounts buckets, and whose machines know each other by CLUSTER_SPEC."""
    variables, command, words = list(container["env"]), container["command"], container.get("args", [])
    if step.needs.spot:
        folder = f"/gcs/{session.setting('bucket')}/pipeline/checkpoints/{session.name}/{step.name}"
        variables.append({"name": "MLOPS_CHECKPOINTS", "value": folder})
    if step.needs.nodes > 1:
        tell = f'printf %s "$CLUSTER_SPEC" > {HOSTS} && exec "$@"'
        command, words = ["sh", "-c", tell, "sh", *command], [*words, "--hosts", HOSTS]
    return {"image_uri": container["image"], "command": command, "args": words, "env": variables}


def _environment(session: Session) -> dict[str, str]:
    found: dict[str, str | None] = {
        "GOOGLE_CLOUD_PROJECT": session.setting("project"),
        "MLOPS_ENVIRONMENT": session.settings.environment,
        "MLOPS_PLATFORM": "gcp",
        "MLOPS_TRACKING_URI": session.settings.tracking_uri,
        "MLOPS_EXPERIMENT": session.settings.experiment,
        "MLOPS_MODEL_NAME": session.settings.model_name,
    }
    return {name: value for name, value in found.items() if value}


def _settings(session: Session) -> dict[str, str]:
    """Variables of this project that a verb needs."""
    known = {f"MLOPS_GCP_{name.upper()}": getattr(session.gcp, name) for name in PURPOSES}
    known |= {"MLOPS_DATA_REMOTE": session.data_remote, "MLOPS_LOG_URI": session.settings.log_uri}
    return {name: str(value) for name, value in known.items() if value}
