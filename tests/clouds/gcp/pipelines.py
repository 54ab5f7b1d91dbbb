"""What the tests of Google Cloud share: settings as infra's outputs set them, and a project ready to be compiled."""

import yaml
from support.google import BUCKET, PROJECT, REGION

REPOSITORY = f"{REGION}-docker.pkg.dev/{PROJECT}/mlops"
JOBS = f"flight-delays-dev-jobs@{PROJECT}.iam.gserviceaccount.com"
SETTINGS = {
    "MLOPS_ENVIRONMENT": "dev",
    "MLOPS_TRACKING_URI": "https://mlflow-1a2b-uc.a.run.app",
    "MLOPS_GCP_PROJECT": PROJECT,
    "MLOPS_GCP_BUCKET": BUCKET,
    "MLOPS_GCP_PIPELINE_REPOSITORY": f"{REPOSITORY}/pipeline",
    "MLOPS_GCP_SERVING_REPOSITORY": f"{REPOSITORY}/serving",
    "MLOPS_GCP_JOB_SERVICE_ACCOUNT": JOBS,
    "MLOPS_GCP_ENDPOINT_SERVICE_ACCOUNT": f"flight-delays-dev-endpoint@{PROJECT}.iam.gserviceaccount.com",
}


def compiled(project, *arguments, **env):
    """What `mlops compile` writes, by file name."""
    project.mlops("compile", "--on", "gcp", *arguments, **{**SETTINGS, **env})
    folder = project.path / "build/gcp"
    return {file.name: yaml.safe_load(file.read_text(encoding="utf-8")) for file in folder.glob("*.yaml")}
