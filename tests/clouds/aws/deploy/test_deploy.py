"""`mlops deploy --on aws`: the first endpoint, a canary, what turns it back, and doing it again."""

import io
import json
import tarfile

import pytest
from clouds.aws.deploy.conftest import ALARM, BUCKET, NAME, SETTINGS

REPOSITORY = SETTINGS["MLOPS_AWS_SERVING_REPOSITORY"]


def answering(front, row):
    """The version that answers."""
    return front.invoke(NAME, [row])[0]["model_version"]


def sound(front, state, alarm=ALARM):
    front.client("cloudwatch").set_alarm_state(AlarmName=alarm, StateValue=state, StateReason="a test")


def test_the_first_deployment_makes_an_endpoint_that_answers(project, front, sagemaker, row):
    said = project.mlops("deploy", "--on", "aws").out
    assert f"{NAME} serves version 2 of flight-delays." in said
    assert answering(front, row) == "2"
    config = sagemaker.describe_endpoint_config(EndpointConfigName=front.config(NAME))
    (variant,) = config["ProductionVariants"]
    assert (variant["InstanceType"], variant["InitialInstanceCount"]) == ("ml.m5.large", 2)
    container = sagemaker.describe_model(ModelName=variant["ModelName"])["PrimaryContainer"]
    assert container["ModelDataUrl"] == f"s3://{BUCKET}/bundles/flight-delays/2/model.tar.gz"
    assert container["Image"].startswith(f"{REPOSITORY}@sha256:")
    assert container["Environment"] == {
        "MLOPS_ENVIRONMENT": "dev",
        "MLOPS_LOG_URI": f"s3://{BUCKET}/logs/predictions",
        "MLOPS_MODEL_NAME": "flight-delays",
        "MLOPS_MODEL_VERSION": "2",
    }
    assert project.deployed == {"mlops.deployed.dev": "2"}

    front.operations()
    assert f"Nothing to do: {NAME} serves version 2" in project.mlops("deploy", "--on", "aws").out
    assert front.operations() == []
    # The same model with other settings of the server is another deployment.
    assert "serves version 2" in project.mlops("deploy", "--on", "aws", MLOPS_LOG_REDACT="dest,flight").out
    assert front.operations() == ["CreateModel", "CreateEndpointConfig", "AddTags", "UpdateEndpoint", "AddTags"]


def test_the_bundle_lies_in_the_bucket_as_sagemaker_takes_it(project, front):
    s3 = front.client("s3")
    key = {"Bucket": BUCKET, "Key": "bundles/flight-delays/2/model.tar.gz"}
    project.mlops("deploy", "--on", "aws")
    first = s3.get_object(**key)
    content = first["Body"].read()
    with tarfile.open(fileobj=io.BytesIO(content), mode="r:gz") as archive:
        names = archive.getnames()
        assert {"bundle.json", "estimator.joblib", "code/flight_delays/features.py"} <= set(names)
        assert {(entry.mtime, entry.uid) for entry in archive} == {(0, 0)}
    s3.delete_object(**key)
    project.mlops("deploy", "--on", "aws")
    again = s3.get_object(**key)
    assert again["Body"].read() == content, "the same bundle is the same bytes"
    assert again["Metadata"] == first["Metadata"]

    s3.put_object(**key, Body=b"another", Metadata={"sha256": "0" * 64})
    told = project.refuses("deploy", "--on", "aws", code=1)
    assert "holds another bundle than version 2" in told
    assert s3.get_object(**key)["Body"].read() == b"another"


def test_a_later_version_gets_a_tenth_of_the_requests_first(project, front, row):
    project.mlops("deploy", "--on", "aws", "--model", "1")
    shares = []
    front.sagemaker.during["canary"] = lambda: shares.extend(answering(front, row) for _ in range(20))
    said = project.mlops("deploy", "--on", "aws").out
    assert sorted(shares) == ["1"] * 18 + ["2"] * 2
    assert "requests go to the new version, and the alarms are watched" in said
    assert "serves version 2 of flight-delays; version 1 served before." in said
    assert {answering(front, row) for _ in range(12)} == {"2"}
    rules = front.sagemaker.endpoints["us-east-1", NAME].rules
    assert rules["AutoRollbackConfiguration"] == {"Alarms": [{"AlarmName": ALARM}]}


def test_an_alarm_turns_it_back(project, front, row):
    project.mlops("deploy", "--on", "aws", "--model", "1")
    front.sagemaker.during["canary"] = lambda: sound(front, "ALARM")
    told = project.refuses("deploy", "--on", "aws", code=1)
    assert f"the alarm {ALARM} went off" in told
    assert "version 1 serves again" in told
    assert {answering(front, row) for _ in range(12)} == {"1"}
    assert project.deployed == {"mlops.deployed.dev": "1"}
    sound(front, "OK")
    front.sagemaker.during.clear()
    assert "serves version 2" in project.mlops("deploy", "--on", "aws").out


def test_an_alarm_that_is_on_already_starts_no_deployment(project, front, row):
    project.mlops("deploy", "--on", "aws", "--model", "1")
    sound(front, "ALARM")
    told = project.refuses("deploy", "--on", "aws", code=1)
    assert f"the alarm {ALARM} is on already" in told
    assert "UpdateEndpoint" not in front.operations()
    assert answering(front, row) == "1"


def test_without_alarms_it_says_that_nothing_is_watched(project, front):
    assert "MLOPS_AWS_ALARMS is empty" in project.mlops("deploy", "--on", "aws", MLOPS_AWS_ALARMS="").out


def test_a_version_that_does_not_start_changes_nothing(project, front, row):
    front.sagemaker.dead = {"2"}
    assert "did not pass the ping health check" in project.refuses("deploy", "--on", "aws", code=1)
    said = project.mlops("deploy", "--on", "aws", "--model", "1").out
    assert f"the endpoint {NAME} is Failed: it is made anew" in said
    assert "did not pass the ping health check" in project.refuses("deploy", "--on", "aws", code=1)
    assert answering(front, row) == "1"


def test_a_version_that_does_not_answer_a_row_is_taken_back(project, front, sagemaker, row):
    front.sagemaker.sick = {"2"}
    told = project.refuses("deploy", "--on", "aws", code=1)
    assert "version 2 does not answer a row of its own" in told
    assert "nothing served before" in told
    assert not front.sagemaker.endpoints
    project.mlops("deploy", "--on", "aws", "--model", "1")
    assert "version 1 serves again" in project.refuses("deploy", "--on", "aws", code=1)
    assert answering(front, row) == "1"
    assert project.deployed == {"mlops.deployed.dev": "1"}


def test_an_endpoint_that_cannot_be_asked_is_left_alone(project, front, row):
    """Whoever deploys may lack the right to ask, which says nothing of the version."""
    front.sagemaker.denied = True
    told = project.refuses("deploy", "--on", "aws", code=1)
    assert "version 2 serves, but cannot be asked" in told
    assert "AccessDeniedException" in told
    front.sagemaker.denied = False
    assert answering(front, row) == "2"
    assert "version 2 answers" in project.mlops("deploy", "--on", "aws").out
    front.sagemaker.denied = True
    assert "Nothing to do" in project.mlops("deploy", "--on", "aws").out, "it has answered before"


def test_it_goes_on_after_a_kill_at_any_step(project, front, row):
    project.mlops("deploy", "--on", "aws", "--model", "1")
    project.serving(max_instances=5)
    front.operations()
    steps = ["model.tar.gz", "CreateModel", "CreateEndpointConfig", "AddTags", "UpdateEndpoint", "InvokeEndpoint"]
    steps += ["RegisterScalableTarget", "CreateModelPackage"]
    for step in steps:
        front.after = {step: project.kill}
        assert project.mlops("deploy", "--on", "aws", code=None).code == -9, step
    front.after = {}
    project.mlops("deploy", "--on", "aws")
    made = front.operations()
    once = ["CreateModel", "CreateEndpointConfig", "UpdateEndpoint", "CreateModelPackage"]
    assert [made.count(name) for name in once] == [1, 1, 1, 1]
    assert answering(front, row) == "2"
    assert project.deployed == {"mlops.deployed.dev": "2"}
    assert "Nothing to do" in project.mlops("deploy", "--on", "aws").out


def test_serverless(project, front, sagemaker, row):
    project.serving(serverless=True, min_instances=1, max_instances=5)
    said = project.mlops("deploy", "--on", "aws", "--model", "1").out
    assert "a serverless endpoint has no canary" in said
    (variant,) = sagemaker.describe_endpoint_config(EndpointConfigName=front.config(NAME))["ProductionVariants"]
    assert variant["ServerlessConfig"] == {"MemorySizeInMB": 4096, "MaxConcurrency": 5}
    project.mlops("deploy", "--on", "aws")
    assert answering(front, row) == "2"
    front.sagemaker.sick = {"1"}
    assert "version 2 serves again" in project.refuses("deploy", "--on", "aws", "--model", "1", code=1)
    front.sagemaker.sick = set()

    project.serving(serverless=False, min_instances=2)
    assert "serves version 2" in project.mlops("deploy", "--on", "aws").out
    project.serving(serverless=True, min_instances=1)
    front.operations()
    told = project.refuses("deploy", "--on", "aws", code=2)
    assert "delete it first: aws sagemaker delete-endpoint" in told
    assert front.operations() == []


def test_instances_follow_the_requests(project, front):
    scaling = front.client("application-autoscaling")

    def target():
        found = scaling.describe_scalable_targets(ServiceNamespace="sagemaker")["ScalableTargets"]
        return [(each["ResourceId"], each["MinCapacity"], each["MaxCapacity"]) for each in found]

    place = f"endpoint/{NAME}/variant/AllTraffic"
    project.mlops("deploy", "--on", "aws")
    assert target() == [(place, 2, 4)]
    (policy,) = scaling.describe_scaling_policies(ServiceNamespace="sagemaker")["ScalingPolicies"]
    assert policy["TargetTrackingScalingPolicyConfiguration"]["TargetValue"] == 1000
    project.serving(max_instances=6)
    assert "serves version 2" in project.mlops("deploy", "--on", "aws").out
    assert target() == [(place, 2, 6)]
    project.serving(memory_gb=16)
    project.mlops("deploy", "--on", "aws")
    assert target() == [(place, 2, 6)], "AWS refuses another machine while it is scaled"
    project.serving(max_instances=2)
    project.mlops("deploy", "--on", "aws")
    assert target() == []
    assert "Nothing to do" in project.mlops("deploy", "--on", "aws").out


def test_old_configurations_are_cleared_away(project, front, sagemaker):
    other = {"ModelName": "flight-delays-dev-x-1-0123abcd", "ExecutionRoleArn": "arn:aws:iam::123456789012:role/other"}
    sagemaker.create_model(**other)
    for instances in range(2, 9):
        project.serving(min_instances=instances, max_instances=instances)
        project.mlops("deploy", "--on", "aws")
    configs = sagemaker.list_endpoint_configs()["EndpointConfigs"]
    assert len(configs) == 3
    assert front.config(NAME) in {each["EndpointConfigName"] for each in configs}
    project.mlops("deploy", "--on", "aws", "--model", "1")
    models = {each["ModelName"] for each in sagemaker.list_models()["Models"]}
    assert len(models) == 3
    assert other["ModelName"] in models, "what others made stays"


PROMOTED = """
import json
from mlflow import MlflowClient
client = MlflowClient("sqlite:///mlflow.db", "sqlite:///mlflow.db")
known = client.get_model_version("flight-delays", "2")
print(json.dumps(client.create_model_version("flight-delays", known.source, known.run_id).version))
"""


def test_only_what_was_champion_gets_out_of_dev(project, front):
    assert str(project.script(PROMOTED)) == "3"
    for environment in ("staging", "prod"):
        told = project.refuses("deploy", "--on", "aws", "--model", "3", code=2, MLOPS_ENVIRONMENT=environment)
        assert f"version 3 of flight-delays was never champion, so {environment} does not serve it" in told
    assert front.operations() == []
    project.mlops("deploy", "--on", "aws", "--model", "1", MLOPS_ENVIRONMENT="prod")
    project.mlops("deploy", "--on", "aws", "--model", "3")
    assert project.deployed == {"mlops.deployed.dev": "3", "mlops.deployed.prod": "1"}


@pytest.mark.parametrize(
    ("env", "code", "told"),
    [
        ({"MLOPS_AWS_BUCKET": ""}, 2, "MLOPS_AWS_BUCKET is not set"),
        ({"MLOPS_AWS_ENDPOINT_ROLE_ARN": None}, 2, "MLOPS_AWS_ENDPOINT_ROLE_ARN is not set"),
        ({"MLOPS_AWS_BUCKET": "nobody-has-this"}, 1, "NoSuchBucket"),
        ({"MLOPS_AWS_ALARMS": "none-such"}, 0, None),
        (
            {"AWS_ACCESS_KEY_ID": None, "AWS_SECRET_ACCESS_KEY": None, "AWS_EC2_METADATA_DISABLED": "true"},
            1,
            "there are no credentials of AWS",
        ),
        ({"AWS_ENDPOINT_URL": "http://127.0.0.1:9"}, 1, "AWS does not answer"),
        ({"MLOPS_AWS_RECOVERY_ENDPOINT": "true"}, 2, "MLOPS_AWS_RECOVERY_BUCKET is not set"),
        ({"MLOPS_AWS_RECOVERY_ENDPOINT": "true", "AWS_REGION": "us-west-2"}, 2, "names no other region"),
    ],
    ids=lambda each: "-".join(each) if isinstance(each, dict) else "",
)
def test_what_is_missing_is_said_in_a_line(project, front, at_once, env, code, told):
    if code:
        assert told in project.refuses("deploy", "--on", "aws", code=code, **env, **at_once)
        assert not front.sagemaker.endpoints
        return
    project.mlops("deploy", "--on", "aws", "--model", "1", **env)
    assert "Could not find alarm none-such" in project.refuses("deploy", "--on", "aws", code=1, **env)


def test_an_image_that_was_not_made_is_named(project, front, tag):
    front.client("ecr").batch_delete_image(repositoryName="flight-delays/serving", imageIds=[{"imageTag": tag}])
    assert f"there is no image {REPOSITORY}:{tag}" in project.refuses("deploy", "--on", "aws", code=2)
    assert "this project has aws" in project.refuses("deploy", "--on", "moon", code=2)


def packages(sagemaker):
    found = sagemaker.list_model_packages(ModelPackageGroupName="flight-delays")["ModelPackageSummaryList"]
    return {each["ModelPackageDescription"]: each["ModelApprovalStatus"] for each in found}


def test_the_champion_is_shown_in_the_model_package_group(project, front, sagemaker):
    project.mlops("deploy", "--on", "aws", "--model", "1")
    assert packages(sagemaker) == {"flight-delays version 1": "Rejected"}
    project.mlops("deploy", "--on", "aws")
    project.mlops("deploy", "--on", "aws")
    assert packages(sagemaker) == {"flight-delays version 1": "Rejected", "flight-delays version 2": "Approved"}
    arn = next(
        each["ModelPackageArn"]
        for each in sagemaker.list_model_packages(ModelPackageGroupName="flight-delays")["ModelPackageSummaryList"]
        if each["ModelPackageDescription"].endswith("2")
    )
    about = sagemaker.describe_model_package(ModelPackageName=arn)
    run = project.versions["2"]
    assert about["CustomerMetadataProperties"]["run"] == run
    assert about["CustomerMetadataProperties"]["metric brier"]
    assert len(about["CustomerMetadataProperties"]["commit"]) == 40
    (container,) = about["InferenceSpecification"]["Containers"]
    assert container["ModelDataUrl"] == f"s3://{BUCKET}/bundles/flight-delays/2/model.tar.gz"
    assert json.dumps(about, default=str)
