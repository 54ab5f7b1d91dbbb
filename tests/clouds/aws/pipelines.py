"""What the tests of the pipeline share: settings as infra's outputs set them, and a project ready to be compiled."""

import json

from support.aws import ACCOUNT, CREDENTIALS, REGION

BUCKET = f"flight-delays-dev-{ACCOUNT}"
REPOSITORY = "flight-delays/pipeline"
ROLE = f"arn:aws:iam::{ACCOUNT}:role/mlops/flight-delays-dev"
TRACKING = f"arn:aws:sagemaker:{REGION}:{ACCOUNT}:mlflow-tracking-server/mlops"
SETTINGS = {
    **CREDENTIALS,
    "AWS_REGION": REGION,
    "MLOPS_ENVIRONMENT": "dev",
    "MLOPS_TRACKING_URI": TRACKING,
    "MLOPS_AWS_BUCKET": BUCKET,
    "MLOPS_AWS_PIPELINE_REPOSITORY": f"{ACCOUNT}.dkr.ecr.{REGION}.amazonaws.com/{REPOSITORY}",
    "MLOPS_AWS_PIPELINE_ROLE_ARN": f"{ROLE}-pipeline",
    "MLOPS_AWS_SCHEDULER_ROLE_ARN": f"{ROLE}-scheduler",
}


def compiled(project, *arguments, **env):
    """The definition that `mlops compile` writes."""
    project.mlops("compile", "--on", "aws", *arguments, **{**SETTINGS, **env})
    return json.loads((project.path / "build/aws/pipeline.json").read_text(encoding="utf-8"))
