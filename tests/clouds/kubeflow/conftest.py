"""A cluster of the tests' own, with Kubeflow Pipelines, a registry of images and a store that speaks S3."""

import pytest
from project.conftest import made, rendered, small  # noqa: F401 - made the same way
from support import aws, kubernetes, warm
from support.kfp_api import Pipelines
from support.plain import serving
from support.registry import Registry


@pytest.fixture(scope="session", autouse=True)
def sdk():
    warm.importing("boto3", "kfp", "kubernetes")


@pytest.fixture(scope="session")
def api(tmp_path_factory):
    with kubernetes.cluster(tmp_path_factory.mktemp("cluster")) as cluster:
        yield cluster


@pytest.fixture
def cluster(api):
    """A `support.kubernetes.Cluster` with nothing in it."""
    api.reset()
    return api


@pytest.fixture(scope="session")
def server():
    with serving(Pipelines()) as pipelines:
        yield pipelines


@pytest.fixture
def kubeflow(server):
    """A `support.kfp_api.Pipelines` with nothing in it."""
    server.reset()
    return server


@pytest.fixture(scope="session")
def images():
    with serving(Registry()) as registry:
        yield registry


@pytest.fixture
def registry(images):
    """A `support.registry.Registry` with nothing in it."""
    images.reset()
    return images


@pytest.fixture(scope="session")
def store(tmp_path_factory):
    with aws.cloud(tmp_path_factory.mktemp("s3") / "moto.log") as cloud:
        yield cloud


@pytest.fixture
def bucket(store):
    """A store with an empty bucket that keeps versions."""
    store.reset()
    s3 = store.client("s3")
    s3.create_bucket(Bucket="flight-delays-dev")
    s3.put_bucket_versioning(Bucket="flight-delays-dev", VersioningConfiguration={"Status": "Enabled"})
    yield store
    s3.close()
