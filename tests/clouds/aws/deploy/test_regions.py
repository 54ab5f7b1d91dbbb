"""Two regions: both serve, and one goes on when the other is taken away."""

import pytest
from botocore.exceptions import BotoCoreError
from clouds.aws.deploy.conftest import ALARM, BUCKET, NAME
from support.aws import RECOVERY, REGION

BOTH = {
    "MLOPS_AWS_RECOVERY_ENDPOINT": "true",
    "MLOPS_AWS_RECOVERY_BUCKET": f"{BUCKET}-recovery",
    "MLOPS_AWS_RECOVERY_ALARMS": ALARM,
}


def version_in(front, region, row):
    return front.invoke(NAME, [row], region)[0]["model_version"]


def test_one_region_is_taken_away(project, front, at_once, row):
    said = project.mlops("deploy", "--on", "aws", "--model", "1", **BOTH).out
    assert f"{REGION}: version 1 answers" in said
    assert f"{RECOVERY}: version 1 answers" in said
    assert version_in(front, REGION, row) == version_in(front, RECOVERY, row) == "1"
    config = front.client("sagemaker", RECOVERY).describe_endpoint_config(
        EndpointConfigName=front.config(NAME, RECOVERY)
    )
    model = config["ProductionVariants"][0]["ModelName"]
    container = front.client("sagemaker", RECOVERY).describe_model(ModelName=model)["PrimaryContainer"]
    assert f".ecr.{RECOVERY}." in container["Image"]
    assert container["ModelDataUrl"].startswith(f"s3://{BUCKET}-recovery/bundles/")
    assert container["Environment"]["MLOPS_LOG_URI"] == f"s3://{BUCKET}-recovery/logs/predictions"
    assert "Nothing to do" in project.mlops("deploy", "--on", "aws", "--model", "1", **BOTH).out

    front.gone = {RECOVERY}
    told = project.refuses("deploy", "--on", "aws", code=1, **BOTH, **at_once)
    assert f"version 2 serves in {REGION}, but not in {RECOVERY}" in told
    assert version_in(front, REGION, row) == "2"

    front.gone = {REGION}
    told = project.refuses("deploy", "--on", "aws", code=1, **BOTH, **at_once)
    assert "AWS does not answer" in told
    assert REGION in told
    with pytest.raises(BotoCoreError):
        version_in(front, REGION, row)
    assert version_in(front, RECOVERY, row) == "1", "what serves there goes on serving"

    front.gone = set()
    project.mlops("deploy", "--on", "aws", **BOTH)
    assert version_in(front, RECOVERY, row) == "2"


def test_the_image_has_to_be_in_both(project, front, tag):
    ecr = front.client("ecr", RECOVERY)
    ecr.batch_delete_image(repositoryName="flight-delays/serving", imageIds=[{"imageTag": tag}])
    told = project.refuses("deploy", "--on", "aws", code=1, **BOTH)
    assert f"let ECR replicate it to {RECOVERY}" in told
    project.mlops("rollback", code=0)


def test_both_go_back(project, front, row):
    project.mlops("deploy", "--on", "aws", "--model", "1", **BOTH)
    project.mlops("deploy", "--on", "aws", **BOTH)
    project.mlops("rollback", "--on", "aws", **BOTH)
    assert version_in(front, REGION, row) == version_in(front, RECOVERY, row) == "1"
