"""A project with two versions, an account as `infra/aws/project` would have made it, and its verbs in a shell."""

import hashlib
import json
import os
import signal
import subprocess
from dataclasses import dataclass, field

import pytest
import yaml
from registry.conftest import original  # noqa: F401 - the same project, made once for all
from support import template as templates
from support import workspace as workspaces
from support.aws import ACCOUNT, RECOVERY, REGION
from support.aws_front import front as fronts
from support.environment import SCRIPTS, Done, changed
from support.workspace import Workspace

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
# Imports once, and lends each verb a process of its own, in the folder of its project, which may be killed.
SHELL = """
import json, os, sys
import boto3, mlflow, mlflow.store.tracking.sqlalchemy_store, mlflow.store.model_registry.sqlalchemy_store
from mlops import cli
from mlops.platforms import aws, deploying
for line in sys.stdin:
    folder, arguments, env, out, err = json.loads(line)
    process = os.fork()
    if not process:
        os.chdir(folder)
        os.environ.clear()
        os.environ.update(env)
        for number, file in ((1, out), (2, err)):
            os.dup2(os.open(file, os.O_WRONLY | os.O_CREAT | os.O_TRUNC), number)
        sys.argv = ["mlops", *arguments]
        code = 1
        try:
            cli.main()
            code = 0
        except SystemExit as end:
            code = end.code or 0
        finally:
            sys.stdout.flush()
            sys.stderr.flush()
            os._exit(code)
    print(process, flush=True)
    print(os.waitstatus_to_exitcode(os.waitpid(process, 0)[1]), flush=True)
"""


@dataclass(frozen=True)
class Desk(Workspace):
    """A project whose verbs take no second to start."""

    shell: subprocess.Popen
    running: list = field(default_factory=list)
    """The process of the verb that runs now."""

    def mlops(self, *arguments, code=0, **env):
        files = [self.path.with_name(f"{self.path.name}.{name}") for name in ("out", "err")]
        said = [str(self.path), list(map(str, arguments)), changed(self.env, env), *map(str, files)]
        self.shell.stdin.write(json.dumps(said) + "\n")
        self.shell.stdin.flush()
        self.running[:] = [int(self.shell.stdout.readline())]
        found = int(self.shell.stdout.readline())
        done = Done(found, *(file.read_text(encoding="utf-8") for file in files))
        assert code is None or done.code == code, f"mlops {arguments}: {done}"
        return done

    @property
    def deployed(self):
        """What serves where, as the registered model has it."""
        return dict(self._ask("SELECT key, value FROM registered_model_tags WHERE key LIKE 'mlops.deployed.%'"))

    def kill(self):
        os.kill(self.running[0], signal.SIGKILL)

    def serving(self, **values):
        """Sets keys of `serving` in resources.yaml."""
        path = self.path / "resources.yaml"
        said = yaml.safe_load(path.read_text(encoding="utf-8"))
        said["serving"] |= values
        path.write_text(yaml.safe_dump(said), encoding="utf-8")


@pytest.fixture(scope="session")
def clouded(original, template, environment, once):  # noqa: F811
    """The project with two versions as it is once `aws` is among its clouds."""
    with once("two-versions-aws") as folder:
        if folder:
            copy = workspaces.copy(original, folder)
            fresh = templates.copy(template, folder.with_name("clouded-render"), clouds=["aws"])
            for name in ("pyproject.toml", "src/mlops"):
                source = fresh / name
                copy.run("cp", "-r", source, (copy.path / name).parent)
    return Workspace(once.path("two-versions-aws"), _moved(original.env, original.path, once.path("two-versions-aws")))


def _moved(env, there, here):
    return {name: value.replace(str(there), str(here)) for name, value in env.items()}


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
    """The tag of the project's serving image."""
    return clouded.script(
        "import json; from pathlib import Path; from mlops.images import image_tag;"
        "print(json.dumps(image_tag('serving', Path.cwd())))"
    )


@pytest.fixture(scope="session")
def shell(clouded):
    """What runs the verbs of all copies, whose machinery is the same."""
    with subprocess.Popen(
        [clouded.python, "-c", SHELL],
        cwd=clouded.path,
        env=clouded.env,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        encoding="utf-8",
    ) as process:
        yield process


@pytest.fixture
def project(clouded, front, shell, tmp_path):
    """A copy of the project of which version 2 is champion; its verbs ask the front."""
    copy = workspaces.copy(clouded, tmp_path / "project")
    return Desk(copy.path, {**copy.env, **front.cloud.env, **SETTINGS}, shell)


@pytest.fixture
def sagemaker(front):
    return front.client("sagemaker")


@pytest.fixture(scope="session")
def row(clouded):
    """A row as a client sends it."""
    return clouded.script(
        "import json; from pathlib import Path; from mlops.platforms.deploying import sample_row\n"
        "print(json.dumps(sample_row(next(Path('mlruns').rglob('bundle.json')).parent)))"
    )
