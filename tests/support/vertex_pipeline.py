"""Vertex AI's pipelines: steps that are custom jobs, which a container of Google's starts, as what they run."""

import json

from support import kfp_pipeline

LAUNCHER = "gcr.io/ml-pipeline/google-cloud-pipeline-components:2.22.0"
COMMAND = ["python3", "-u", "-m", "google_cloud_pipeline_components.container.v1.custom_job.launcher"]


def started(spec, name):
    """The custom job that a step starts, or None."""
    container = kfp_pipeline.container_of(spec, name)
    if container["image"] != LAUNCHER:
        return None
    said = dict(zip(container["args"][::2], container["args"][1::2], strict=True))
    return {"command": container["command"], "said": said, "payload": json.loads(said["--payload"])}


def container_of(spec, name):
    """What runs a step in the end."""
    job = started(spec, name)
    if job is None:
        return kfp_pipeline.container_of(spec, name)
    its = job["payload"]["job_spec"]
    container = its["worker_pool_specs"][0]["container_spec"]
    limit = {"timeout": its["scheduling"]["timeout"]} if its["scheduling"].get("timeout") else {}
    return {**container, "image": container["image_uri"], **limit}


def faults(files, models):
    """What Vertex AI would refuse of what was compiled; `models` are `support.google_models.Models`."""
    try:
        return list(_faults(files, models))
    except (LookupError, ValueError) as error:
        return [f"it cannot be read: {error!r}"]


def _faults(files, models):
    spec, job = files["pipeline.yaml"], files["job.yaml"]
    yield from models.faults("PipelineJob", {**job, "pipelineSpec": spec})
    if not job["runtimeConfig"]["gcsOutputDirectory"].startswith("gs://"):
        yield f"artifacts go to {job['runtimeConfig']}"
    if not job.get("serviceAccount"):
        yield "it runs as nobody"
    yield from kfp_pipeline.faults(spec, container_of)
    for name in kfp_pipeline.steps(spec):
        if found := started(spec, name):
            yield from (f"{name}: {fault}" for fault in _custom(spec, name, found, job, models))


def _custom(spec, name, found, job, models):
    said, payload = found["said"], found["payload"]
    yield from models.faults("CustomJob", payload)
    component = spec["components"][kfp_pipeline.steps(spec)[name]["componentRef"]["name"]]
    if found["command"] != COMMAND or said.get("--type") != "CustomJob" or not said.get("--project"):
        yield f"it is started by {found['command']} {said.get('--type')}"
    if "gcp_resources" not in component["outputDefinitions"].get("parameters", {}):
        yield "Vertex AI does not learn which job was started"
    if payload["job_spec"].get("service_account") != job.get("serviceAccount"):
        yield "it runs as another than the pipeline"
    pools = payload["job_spec"]["worker_pool_specs"]
    containers = [each["container_spec"] for each in pools]
    if containers.count(containers[0]) != len(containers):
        yield "its machines run different things"
    if [each["replica_count"] for each in pools][:1] != [1] or len(pools) > 2:
        yield "the first pool is one machine, and a second has the others"
    if len(pools) > 1 and "--hosts" not in containers[0]["args"]:
        yield "its machines do not know each other"
    variables = {each["name"] for each in containers[0]["env"]}
    spot = payload["job_spec"]["scheduling"]["strategy"] == "SPOT"
    if spot != ("MLOPS_CHECKPOINTS" in variables):
        yield "spot machines and checkpoints go together"
