"""A project with two versions, a cluster as `infra/kubeflow` would have made it."""

import pytest
from registry.conftest import original  # noqa: F401 - the same project, made once for all
from support import deployed
from support import workspace as workspaces
from support.environment import SCRIPTS, changed
from support.kserve import Services
from support.served import Containers

NAME = "flight-delays-dev"
REPOSITORY = "flight-delays/serving"
SETTINGS = {
    "MLOPS_ENVIRONMENT": "dev",
    "MLOPS_POLL_SECONDS": "0.01",
    "MLOPS_KUBEFLOW_NAMESPACE": NAME,
    "MLOPS_KUBEFLOW_BUCKET": NAME,
    "MLOPS_KUBEFLOW_OBJECT_STORE_SECRET": "object-store",
    "MLOPS_KUBEFLOW_ENDPOINT_SERVICE_ACCOUNT": "endpoint",
}


@pytest.fixture(scope="session")
def clouded(original, template, once):  # noqa: F811
    return deployed.clouded(original, template, once)


@pytest.fixture(scope="session")
def containers(clouded, environment, tmp_path_factory):
    """Servers that run the machinery of the project, and nothing else of it."""
    app = tmp_path_factory.mktemp("image") / "src"
    app.mkdir()
    (app / "mlops").symlink_to(clouded.path / "src/mlops")
    made = Containers(tmp_path_factory.mktemp("containers"), environment.path / SCRIPTS / "python", app)
    yield made
    made.stop()


@pytest.fixture
def services(cluster, bucket, containers):
    keys = {"AWS_ACCESS_KEY_ID": "testing", "AWS_SECRET_ACCESS_KEY": "testing"}
    cluster.put("secrets", "object-store", data=keys)
    return Services(cluster, bucket, containers)


@pytest.fixture(scope="session")
def tag(clouded):
    return deployed.serving_tag(clouded)


@pytest.fixture
def project(clouded, cluster, services, bucket, registry, tag, tmp_path):
    """A copy of the project of which version 2 is champion; its verbs ask the cluster and the store."""
    copy = workspaces.copy(clouded, tmp_path / "project")
    registry.push(REPOSITORY, tag)
    env = {
        **bucket.env,
        **cluster.env,
        **SETTINGS,
        "MLOPS_KUBEFLOW_OBJECT_STORE": bucket.url,
        "MLOPS_KUBEFLOW_SERVING_REPOSITORY": f"{registry.host}/{REPOSITORY}",
    }
    made = deployed.Desk(copy.path, changed(copy.env, env))
    made.serving(canary_minutes=0)
    return made


@pytest.fixture(scope="session")
def row(clouded):
    return deployed.sample(clouded)
