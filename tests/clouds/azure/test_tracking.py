"""Runs, registry and artifacts on the MLflow of an Azure ML workspace, through Azure's own plugin."""

import json

import pytest
from clouds.tracked import from_first_to_last
from project.conftest import SMALL, rendered  # noqa: F401 - made the same way
from support.azure import NOBODY, REFUSALS
from support.azure_ml import LOST, PLACE, refused
from support.environment import uv
from support.mlflow_server import mlflow_server
from support.workspace_mlflow import ALIAS, Workspace

NO_LOGIN = {"AZURE_CLIENT_ID": None, "AZURE_CLIENT_SECRET": None, "AZURE_TENANT_ID": None}
WITHOUT = """
import importlib.metadata, sys
sys.modules.update(dict.fromkeys(["adlfs", "azureml"]))  # which makes importing them fail
known = importlib.metadata.entry_points
importlib.metadata.entry_points = lambda **names: importlib.metadata.EntryPoints(
    each for each in known(**names) if not each.value.startswith("azureml")) if names else known()
"""


@pytest.fixture(scope="module")
def project(rendered, tmp_path_factory):  # noqa: F811
    """A small project with Azure."""
    project = rendered(tmp_path_factory.mktemp("tracking") / "project", clouds=["azure"])
    project.edit_data("frame.gather_every(6)")
    small = {"estimator.max_iter": 10, "evaluate.slice_rows": 50, "gate.latency_ms": None}
    project.set({**small, **SMALL["classification"], "gate.minimum": 0.5, "gate.minimum_gain": -1})
    uv("lock", "-q", cwd=project.path, env=project.env, timeout=600)
    project.commit()
    return project


def test_a_project_on_a_workspace(project, azure, storage, network, at_once, tmp_path):
    storage.ask("PUT", "azureml?restype=container", b"")
    root = f"azureml://{azure.host}/mlflow/v2.0{PLACE}/experiments"
    with mlflow_server(project.python, root, tmp_path, project.env) as url:
        workspace = Workspace(azure, url, storage, network.url)

        def mlops(*arguments, code=0, **more):
            return project.mlops(*arguments, code=code, **{**workspace.env, **at_once, **more})

        def failed(*arguments):
            *_, told = mlops(*arguments, code=1).err.strip().splitlines()
            assert workspace.uri in told
            assert told.endswith("run again to go on")
            return told

        left = iter(range(15))
        azure.rule = lambda asked: LOST if "/mlflow/" in asked.path and next(left, None) is None else None
        failed("run")
        azure.rule = lambda asked: None
        blobs = iter(range(4))
        azure.severed = lambda method, path: ".blob." in path and next(blobs, None) is None
        failed("run")
        azure.severed = lambda method, path: False
        network.rule = REFUSALS["denied"]
        assert "not authorized" in failed("run")
        network.mend()
        from_first_to_last(project, mlops, tmp_path)
        found = json.loads(mlops("doctor", "--json", code=None).out)["findings"]
        assert {"what": "tracking store", "found": workspace.uri, "fix": None} in found
        beyond = {route for _, route in workspace.unknown}
        assert beyond <= {"2.0/mlflow/registered-models/alias", "2.0/mlflow/runs/log-inputs"}, "each has a way without"

        # A server may learn what it lacked: what tags say holds until an alias says otherwise.
        workspace.aliases = True
        assert "ersion 1 of flight-delays is the champion" in mlops("rollback").out
        assert ("POST", ALIAS) in workspace.asked[-40:]
        assert "each follows from the one before" in mlops("audit", "verify").out
        mlops("pull", "champion", "--force")

    kept = storage.stored("ExperimentRun/", "azureml")
    assert any(name.endswith("/model/bundle.json") for name in kept)
    assert not (project.path / "mlflow.db").exists()
    assert not (project.path / "mlruns").exists()


def test_what_the_workspace_refuses_is_one_line(project, azure, storage, at_once):
    workspace = Workspace(azure, "http://127.0.0.1:9", storage, storage.url)

    def told(rule, code=1, **env):
        azure.rule = lambda asked: rule if "/mlflow/" in asked.path else None
        return project.refuses("rollback", code=code, **{**workspace.env, **at_once, **env})

    expired = told(refused(401, "TokenExpired", "The access token has expired."))
    assert "expired" in expired
    assert workspace.uri in expired
    denied = "The client does not have authorization to perform action 'read'."
    assert "authorization" in told(refused(403, "AuthorizationFailed", denied))
    assert "does not answer" in told(LOST)
    assert "credentials" in told(None, **NO_LOGIN, **NOBODY)


def test_without_the_extra_it_says_how_to_get_it(project, tmp_path):
    (tmp_path / "sitecustomize.py").write_text(WITHOUT, encoding="utf-8")
    uri = "azureml://eastus.api.azureml.ms/mlflow/v2.0/subscriptions/s/resourceGroups/g/workspaces/w"
    told = project.refuses("rollback", code=2, MLOPS_TRACKING_URI=uri, PYTHONPATH=tmp_path)
    assert uri in told
    assert told.endswith("uv sync --extra azure")
    project.set({"data.source": "abfs://mlops@account.dfs.core.windows.net/flights.parquet"})
    told = project.refuses("run", code=2, PYTHONPATH=tmp_path)
    assert told.endswith("uv sync --extra azure")
    project.set({"data.source": "data/sample/flights.parquet"})
