"""`mlops doctor --on aws`: what is set, what is behind it, and the commands that set it for the workflows."""

import json

import pytest
from support import workspace as workspaces
from support.aws import ACCOUNT, REGION

HOST = f"{ACCOUNT}.dkr.ecr.{REGION}.amazonaws.com"
ROLES = {"pipeline": "sagemaker", "endpoint": "sagemaker", "scheduler": "scheduler"}
VARIABLES = {
    "MLOPS_ENVIRONMENT": "dev",
    "MLOPS_TRACKING_URI": "sqlite:///mlflow.db",
    "MLOPS_AWS_BUCKET": "flight-delays-dev",
    "MLOPS_AWS_PIPELINE_REPOSITORY": f"{HOST}/flight-delays/pipeline",
    "MLOPS_AWS_SERVING_REPOSITORY": f"{HOST}/flight-delays/serving",
    **{f"MLOPS_AWS_{name.upper()}_ROLE_ARN": f"arn:aws:iam::{ACCOUNT}:role/mlops/{name}" for name in ROLES},
}


def build(aws):
    """What infra/aws makes, as far as the doctor looks."""
    s3, iam, ecr = (aws.client(name) for name in ("s3", "iam", "ecr"))
    s3.create_bucket(Bucket="flight-delays-dev")
    rule = {"ApplyServerSideEncryptionByDefault": {"SSEAlgorithm": "aws:kms"}}
    s3.put_bucket_encryption(Bucket="flight-delays-dev", ServerSideEncryptionConfiguration={"Rules": [rule]})
    s3.put_bucket_versioning(Bucket="flight-delays-dev", VersioningConfiguration={"Status": "Enabled"})
    for name, service in ROLES.items():
        trust = {"Effect": "Allow", "Principal": {"Service": f"{service}.amazonaws.com"}, "Action": "sts:AssumeRole"}
        policy = json.dumps({"Version": "2012-10-17", "Statement": [trust]})
        iam.create_role(RoleName=name, Path="/mlops/", AssumeRolePolicyDocument=policy)
    for target in ("pipeline", "serving"):
        ecr.create_repository(repositoryName=f"flight-delays/{target}", imageTagMutability="IMMUTABLE")


@pytest.fixture
def doctor(aws, project):
    """`doctor(code, **variables)` is what it says as JSON: findings by name, and the rest."""
    here = workspaces.workspace(project(clouds=["aws"]), **VARIABLES)
    here.commit()
    here.run("dvc", "remote", "add", "--default", "store", str(here.path / "store"))

    def doctor(code, **variables):
        told = json.loads(here.mlops("doctor", "--on", "aws", "--json", code=code, **{**aws.env, **variables}).out)
        return {finding["what"]: finding for finding in told["findings"]}, told

    doctor.project, doctor.env = here, aws.env
    return doctor


def test_all_is_well_where_the_infrastructure_is_there(aws, doctor):
    build(aws)
    findings, told = doctor(0)
    assert [finding for finding in findings.values() if finding["fix"]] == []
    assert ACCOUNT in findings["credentials"]["found"]
    assert "encrypted (aws:kms), versioned" in findings["bucket"]["found"]
    assert "sagemaker.amazonaws.com may assume" in findings["pipeline role"]["found"]
    assert "tags stay" in findings["serving repository"]["found"]
    (bucket,) = [one for one in told["variables"] if one["name"] == "MLOPS_AWS_BUCKET"]
    assert bucket["set"] == ["gh variable set MLOPS_AWS_BUCKET --env dev --body flight-delays-dev"]

    table = doctor.project.mlops("doctor", "--on", "aws", **doctor.env).out
    assert "gh variable set MLOPS_PLATFORM --body aws" in table
    assert bucket["set"][0] in table


def test_what_is_missing_is_named_with_the_command_that_sets_it(aws, doctor):
    build(aws)
    nothing = dict.fromkeys([*VARIABLES, "MLOPS_AWS_SCHEDULER_ROLE_ARN"])
    findings, told = doctor(3, **{**nothing, "MLOPS_ENVIRONMENT": "prod"})
    for name in ("MLOPS_TRACKING_URI", "MLOPS_AWS_BUCKET", "MLOPS_AWS_PIPELINE_ROLE_ARN"):
        output = f"terraform -chdir=infra/aws/project output -raw {name.lower()}"
        assert findings[name]["fix"] == f'gh variable set {name} --env prod --body "$({output})"'
    assert findings["MLOPS_AWS_SCHEDULER_ROLE_ARN"]["fix"] is None
    commands = {one["name"]: one["set"] for one in told["variables"]}
    assert [command.split()[4:6] for command in commands["MLOPS_AWS_BUCKET"]] == [["--env", "prod"], ["--env", "train"]]
    assert [command.split()[5] for command in commands["MLOPS_AWS_TRAIN_ROLE_ARN"]] == ["prod", "train"]
    assert [command.split()[5] for command in commands["MLOPS_AWS_DEPLOY_ROLE_ARN"]] == ["prod"]
    (plan,) = commands["MLOPS_AWS_PLAN_ROLE_ARN"]
    assert "--env" not in plan

    findings, _ = doctor(3, MLOPS_ENVIRONMENT=None)
    assert "MLOPS_ENVIRONMENT" in findings["environment"]["fix"]


def test_what_is_wrong_behind_a_variable_is_found(aws, doctor):
    build(aws)
    s3, iam, ecr = (aws.client(name) for name in ("s3", "iam", "ecr"))
    s3.put_bucket_versioning(Bucket="flight-delays-dev", VersioningConfiguration={"Status": "Suspended"})
    iam.delete_role(RoleName="endpoint")
    nobody = {"Effect": "Allow", "Principal": {"Service": "ec2.amazonaws.com"}, "Action": "sts:AssumeRole"}
    policy = json.dumps({"Version": "2012-10-17", "Statement": nobody})
    iam.update_assume_role_policy(RoleName="pipeline", PolicyDocument=policy)
    ecr.put_image_tag_mutability(repositoryName="flight-delays/serving", imageTagMutability="MUTABLE")
    findings, _ = doctor(3, MLOPS_AWS_PIPELINE_REPOSITORY=f"{HOST}/elsewhere")
    for what, words in {
        "bucket": "keeps no versions",
        "endpoint role": "NoSuchEntity",
        "pipeline role": "does not let sagemaker.amazonaws.com assume it",
        "pipeline repository": "RepositoryNotFoundException",
        "serving repository": "can be moved",
    }.items():
        assert words in findings[what]["found"], findings[what]
        assert findings[what]["fix"], findings[what]

    findings, _ = doctor(3, MLOPS_AWS_BUCKET="nowhere", MLOPS_AWS_PIPELINE_REPOSITORY="pipeline:latest")
    assert "nowhere" in findings["bucket"]["found"]
    assert "'pipeline:latest' is no" in findings["pipeline repository"]["found"]


def test_without_a_login_there_is_nothing_more_to_see(doctor):
    logged_out = {"AWS_ACCESS_KEY_ID": None, "AWS_SECRET_ACCESS_KEY": None, "AWS_SESSION_TOKEN": None}
    findings, _ = doctor(3, **logged_out, AWS_EC2_METADATA_DISABLED="true", AWS_CONFIG_FILE="/dev/null")
    assert "no credentials" in findings["credentials"]["found"]
    assert "aws sso login" in findings["credentials"]["fix"]
    assert "bucket" not in findings


def test_a_platform_that_is_not_there_is_refused(doctor):
    assert "this project has" in doctor.project.refuses("doctor", "--on", "azure", code=2)
