"""Run inside a project: what MLflow's own client and its pyfunc flavour say of the champion, as JSON."""

import json
import sys
from pathlib import Path

import mlflow
import numpy as np
import polars as pl
from mlflow import MlflowClient

name, rows = sys.argv[1], int(sys.argv[2])
mlflow.set_tracking_uri("sqlite:///mlflow.db")
client = MlflowClient()
model = client.get_registered_model(name)
version = client.get_model_version_by_alias(name, "champion")
run = client.get_run(version.run_id)


def artifacts(path=None):
    for each in client.list_artifacts(run.info.run_id, path):
        if each.is_dir:
            yield from artifacts(each.path)
        else:
            yield each.path


def equal(left, right):
    left, right = np.asarray(left), np.asarray(right)
    return bool(np.allclose(left, right, atol=1e-9) if left.dtype.kind == "f" else (left == right).all())


pyfunc = mlflow.pyfunc.load_model(f"models:/{name}@champion")
inputs = [each.name for each in pyfunc.metadata.signature.inputs]
test = pl.read_parquet("data/test.parquet").head(rows)
theirs = pyfunc.predict(test.select(inputs).to_pandas())

from mlops.registry.bundle import load_bundle  # noqa: E402 - after MLflow, which must not need it

ours = load_bundle(Path("models/bundle")).predict(test)
print(
    json.dumps(
        {
            "versions": [found.version for found in client.search_model_versions(f"name = '{name}'")],
            "aliases": {alias: str(number) for alias, number in model.aliases.items()},
            "status": run.info.status,
            "params": run.data.params,
            "metrics": run.data.metrics,
            "tags": run.data.tags,
            "version_tags": version.tags,
            "datasets": {
                each.dataset.name: {
                    "digest": each.dataset.digest,
                    "source": each.dataset.source,
                    "rows": json.loads(each.dataset.profile)["num_rows"],
                    "context": {tag.key: tag.value for tag in each.tags}["mlflow.data.context"],
                }
                for each in run.inputs.dataset_inputs
            },
            "artifacts": sorted(artifacts()),
            "inputs": {each.name: str(each.type) for each in pyfunc.metadata.signature.inputs},
            "outputs": {each.name: str(each.type) for each in pyfunc.metadata.signature.outputs},
            "columns": list(theirs.columns),
            "equal": {column: equal(theirs[column].to_numpy(), ours[column].to_numpy()) for column in ours.columns},
        }
    )
)
