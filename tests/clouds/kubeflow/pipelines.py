"""What the tests of Kubeflow share: settings as infra's settings.env has them, and a project ready to be compiled."""

import tomllib

import yaml

REGISTRY = "registry.example.com"
SETTINGS = {
    "MLOPS_ENVIRONMENT": "dev",
    "MLOPS_TRACKING_URI": "http://127.0.0.1:5000",
    "MLOPS_KUBEFLOW_HOST": "https://kubeflow.example.com/pipeline",
    "MLOPS_KUBEFLOW_NAMESPACE": "flight-delays-dev",
    "MLOPS_KUBEFLOW_BUCKET": "flight-delays-dev",
    "MLOPS_KUBEFLOW_OBJECT_STORE": "https://s3.example.com",
    "MLOPS_KUBEFLOW_OBJECT_STORE_SECRET": "object-store",
    "MLOPS_KUBEFLOW_PIPELINE_REPOSITORY": f"{REGISTRY}/flight-delays/pipeline",
    "MLOPS_KUBEFLOW_SERVING_REPOSITORY": f"{REGISTRY}/flight-delays/serving",
    "MLOPS_KUBEFLOW_JOB_SERVICE_ACCOUNT": "jobs",
    "MLOPS_KUBEFLOW_ENDPOINT_SERVICE_ACCOUNT": "endpoint",
    "MLOPS_KUBEFLOW_TRACKING_URI": "http://mlflow:5000",
    "MLOPS_KUBEFLOW_PUSHGATEWAY": "http://pushgateway:9091",
}


def compiled(project, *arguments, **env):
    """The two documents that `mlops compile` writes."""
    project.mlops("compile", "--on", "kubeflow", *arguments, **{**SETTINGS, **env})
    text = (project.path / "build/kubeflow/pipeline.yaml").read_text(encoding="utf-8")
    return tuple(yaml.safe_load_all(text))


def executors(documents):
    """What Kubernetes has of each step, by name."""
    found = documents[1]["platforms"]["kubernetes"]["deploymentSpec"]["executors"]
    return {name.removeprefix("exec-"): each for name, each in found.items()}


def say(project, text):
    """Writes tables of pyproject.toml in place of those for Kubeflow."""
    path = project.path / "pyproject.toml"
    before = path.read_text(encoding="utf-8")
    start = before.index("[tool.mlops.kubeflow")
    end = before.index("\n[dependency-groups]", start)
    path.write_text(before[:start] + text + before[end:], encoding="utf-8")
    tomllib.loads(path.read_text(encoding="utf-8"))
