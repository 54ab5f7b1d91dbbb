"""A project with two versions, a place in Google Cloud as `infra/gcp/project` would have made it."""

import pytest
from registry.conftest import original  # noqa: F401 - the same project, made once for all
from support import deployed
from support import workspace as workspaces
from support.environment import SCRIPTS, changed
from support.google import BUCKET, PROJECT
from support.google_images import Images
from support.served import Containers
from support.vertex_endpoints import Endpoints

NAME = "flight-delays-dev"
IDENTITY = f"endpoint@{PROJECT}.iam.gserviceaccount.com"
REPOSITORY = f"us-central1-docker.pkg.dev/{PROJECT}/flight-delays/serving"
SETTINGS = {
    "MLOPS_ENVIRONMENT": "dev",
    "MLOPS_POLL_SECONDS": "0.01",
    "MLOPS_GCP_PROJECT": PROJECT,
    "MLOPS_GCP_BUCKET": BUCKET,
    "MLOPS_GCP_ENDPOINT_SERVICE_ACCOUNT": IDENTITY,
    "MLOPS_GCP_SERVING_REPOSITORY": REPOSITORY,
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
def endpoints(google, storage, containers):
    return Endpoints(google, storage, containers)


@pytest.fixture(scope="session")
def tag(clouded):
    return deployed.serving_tag(clouded)


@pytest.fixture
def images(google):
    return Images(google)


@pytest.fixture
def project(clouded, google, storage, endpoints, images, tag, tmp_path):
    """A copy of the project of which version 2 is champion; its verbs ask the proxy and the bucket."""
    copy = workspaces.copy(clouded, tmp_path / "project")
    images.push(REPOSITORY, tag)
    env = {**storage.env, **google.env, **SETTINGS}
    return deployed.Desk(copy.path, changed(copy.env, env))


@pytest.fixture(scope="session")
def row(clouded):
    return deployed.sample(clouded)
