"""Runs, registry and artifacts on SageMaker's managed MLflow, with the newest client that it takes."""

import json
import re

import pytest
from clouds.tracked import from_first_to_last
from project.conftest import rendered  # noqa: F401 - made the same way
from support.aws import NOBODY, REFUSALS
from support.environment import name_of, uv
from support.front import LOST, front
from support.managed_mlflow import APP, DENIED, DOCUMENTED, EXPIRED, SERVER, managed_mlflow, strict

WITHOUT = """
import importlib.metadata, sys
sys.modules.update(dict.fromkeys(["s3fs", "sagemaker_mlflow"]))  # which makes importing them fail
known = importlib.metadata.entry_points
importlib.metadata.entry_points = lambda **names: importlib.metadata.EntryPoints(
    each for each in known(**names) if not each.value.startswith("sagemaker_mlflow")) if names else known()
"""


@pytest.fixture(scope="module")
def project(rendered, tmp_path_factory):  # noqa: F811
    """A small project with AWS, and the MLflow that its extra asks for in place of the newest."""
    project = rendered(tmp_path_factory.mktemp("tracking") / "project", clouds=["aws"])
    (line,) = re.findall(r"(?m)^aws = (.*)$", (project.path / "pyproject.toml").read_text(encoding="utf-8"))
    (narrowed,) = [entry for entry in json.loads(line) if name_of(entry) == "mlflow-skinny"]
    bound = narrowed.removeprefix("mlflow-skinny")
    packages = [f"{name}{bound}" for name in ("mlflow", "mlflow-skinny", "mlflow-tracing")]
    uv("pip", "install", "-q", "--no-deps", "--reinstall", *packages, cwd=project.path, env=project.env)
    project.edit_data("frame.gather_every(6)")
    small = {"estimator.max_iter": 10, "evaluate.slice_rows": 50, "gate.latency_ms": None, "gate.worst_slice": 0.3}
    project.set({**small, "gate.minimum": 0.5, "gate.minimum_gain": -1})
    uv("lock", "-q", cwd=project.path, env=project.env, timeout=600)
    project.commit()
    return project


def losing(after):
    """A rule as strict as the server's, until the connections break after so many requests."""
    left = iter(range(after))
    return lambda request: strict(request) or (LOST if next(left, None) is None else None)


def test_a_project_on_managed_mlflow(project, aws, network, tmp_path):
    aws.client("s3").create_bucket(Bucket="artifacts")
    env = {**project.env, **aws.env}
    with managed_mlflow(project.python, "s3://artifacts/mlflow", tmp_path, env) as server:

        def mlops(*arguments, code=0, uri=SERVER, **more):
            where = {"MLOPS_TRACKING_URI": uri, "SAGEMAKER_MLFLOW_CUSTOM_ENDPOINT": server.url}
            where |= {**aws.env, "AWS_ENDPOINT_URL": network.url, "AWS_MAX_ATTEMPTS": "1"}
            return project.mlops(*arguments, code=code, **{**where, **more})

        def failed(*arguments):
            *_, told = mlops(*arguments, code=1).err.strip().splitlines()
            assert SERVER in told
            assert told.endswith("run again to go on")
            return told

        version = project.script("import json, mlflow; print(json.dumps(mlflow.__version__))")
        assert version.startswith("3.10."), "a client that is not newer than their server"
        server.rule = losing(12)
        failed("run")
        server.rule = strict
        network.lose(4, matching=lambda request: request.method == "PUT")
        failed("run")
        network.rule = REFUSALS["expired"]
        assert "ExpiredToken" in failed("run")
        network.mend()
        from_first_to_last(project, mlops, tmp_path)
        assert f"tracking store  {SERVER}" in re.sub(r" {2,}", "  ", mlops("doctor", code=None).out)
        assert {request.headers["x-mlflow-sm-tracking-server-arn"] for request in server.asked} == {SERVER}

        before = len(server.asked)
        assert "ersion 2" in mlops("lineage", uri=APP).out
        assert {request.headers["x-sm-mlflow-app-arn"] for request in server.asked[before:]} == {APP}
        refused = [each.path for each in server.asked if each.path.partition("?")[0] not in DOCUMENTED]
        assert refused == [], "the machinery asks for nothing that they do not document"

    keys = [each["Key"] for each in aws.client("s3").list_objects_v2(Bucket="artifacts")["Contents"]]
    assert any(key.endswith("/model/bundle.json") for key in keys)
    assert not (project.path / "mlflow.db").exists()
    assert not (project.path / "mlruns").exists()


def test_what_the_server_refuses_is_one_line(project, aws):
    with front("http://127.0.0.1:9") as server:
        server.rule = strict

        def refused(*, uri=SERVER, **env):
            where = {"MLOPS_TRACKING_URI": uri, "SAGEMAKER_MLFLOW_CUSTOM_ENDPOINT": server.url}
            return project.refuses("rollback", code=1, **{**aws.env, **where, **env})

        told = refused(AWS_ACCESS_KEY_ID=EXPIRED)
        assert "expired" in told
        assert SERVER in told
        assert "not authorized" in refused(AWS_ACCESS_KEY_ID=DENIED)
        assert "credentials" in refused(**NOBODY)
        assert "does not answer" in refused(SAGEMAKER_MLFLOW_CUSTOM_ENDPOINT="http://127.0.0.1:9")
        assert "endpoint/other" in refused(uri="arn:aws:sagemaker:us-east-1:1:endpoint/other")


def test_without_the_extra_it_says_how_to_get_it(project, tmp_path):
    (tmp_path / "sitecustomize.py").write_text(WITHOUT, encoding="utf-8")
    told = project.refuses("rollback", code=2, MLOPS_TRACKING_URI=SERVER, PYTHONPATH=tmp_path)
    assert SERVER in told
    assert told.endswith("uv sync --extra aws")
    project.set({"data.source": "s3://bucket/flights.parquet"})
    told = project.refuses("run", code=2, PYTHONPATH=tmp_path)
    assert told.endswith("uv sync --extra aws")
    project.set({"data.source": "data/sample/flights.parquet"})
