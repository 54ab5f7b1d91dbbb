"""A project with two versions, an account as `infra/aws/project` would have made it."""

import hashlib
import json

import pytest
from registry.conftest import original  # noqa: F401 - the same project, made once for all
from support import deployed
from support import workspace as workspaces
from support.aws import ACCOUNT, RECOVERY, REGION
from support.aws_front import front as fronts
from support.environment import SCRIPTS

NAME = "flight-delays-dev"
BUCKET = "flight-delays-dev-123456789012"
REPOSITORY = "flight-delays/serving"
ALARM = "flight-delays-dev-errors"
SETTINGS = {
    "MLOPS_ENVIRONMENT": "dev",
    "MLOPS_POLL_SECONDS": "0.01",
    "MLOPS_AWS_BUCKET": BUCKET,
    "MLOPS_AWS_SERVING_REPOSITORY": f"{ACCOUNT}.dkr.ecr.{REGION}.amazonaws.com/{REPOSITORY}",
    "MLOPS_AWS_ENDPOINT_ROLE_ARN": f"arn:aws:iam::{ACCOUNT}:role/flight-delays-dev-endpoint",
    "MLOPS_AWS_ALARMS": ALARM,
}


@pytest.fixture(scope="session")
def clouded(original, template, once):  # noqa: F811
    return deployed.clouded(original, template, once)


@pytest.fixture(scope="session")
def front_server(server, clouded, environment, tmp_path_factory):
    """A front before moto's server whose containers run the machinery of the project, and nothing else of it."""
    app = tmp_path_factory.mktemp("image") / "src"
    app.mkdir()
    (app / "mlops").symlink_to(clouded.path / "src/mlops")
    folder = tmp_path_factory.mktemp("containers")
    with fronts(server, folder, environment.path / SCRIPTS / "python", app) as made:
        yield made


@pytest.fixture
def front(front_server, tag):
    """An account with what infra makes: bucket, repository with the project's image, alarm; both regions."""
    front_server.reset()
    for region, bucket in ((REGION, BUCKET), (RECOVERY, f"{BUCKET}-recovery")):
        where = {"CreateBucketConfiguration": {"LocationConstraint": region}} if region != "us-east-1" else {}
        front_server.client("s3", region).create_bucket(Bucket=bucket, **where)
        ecr = front_server.client("ecr", region)
        ecr.create_repository(repositoryName=REPOSITORY)
        manifest = json.dumps({"schemaVersion": 2, "mediaType": "application/vnd.oci.image.manifest.v1+json"})
        digest = f"sha256:{hashlib.sha256(manifest.encode()).hexdigest()}"
        ecr.put_image(repositoryName=REPOSITORY, imageManifest=manifest, imageTag=tag, imageDigest=digest)
        front_server.client("cloudwatch", region).put_metric_alarm(
            AlarmName=ALARM,
            Namespace="AWS/SageMaker",
            MetricName="Invocation5XXErrors",
            ComparisonOperator="GreaterThanThreshold",
            EvaluationPeriods=1,
            Threshold=0,
            Period=60,
            Statistic="Sum",
        )
    return front_server


@pytest.fixture(scope="session")
def tag(clouded):
    return deployed.serving_tag(clouded)


@pytest.fixture
def project(clouded, front, tmp_path):
    """A copy of the project of which version 2 is champion; its verbs ask the front."""
    copy = workspaces.copy(clouded, tmp_path / "project")
    return deployed.Desk(copy.path, {**copy.env, **front.cloud.env, **SETTINGS})


@pytest.fixture
def sagemaker(front):
    return front.client("sagemaker")


@pytest.fixture(scope="session")
def row(clouded):
    return deployed.sample(clouded)
