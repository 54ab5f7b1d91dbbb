"""MLflow, in the small part of its API that every server has: runs, tags, artifacts, versions."""

import json
import math
import os
import sqlite3
import time
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple
from urllib.parse import quote

from mlops.errors import MlopsError, UsageError
from mlops.files import replacing
from mlops.settings import Settings

if TYPE_CHECKING:
    from mlflow import MlflowClient
    from mlflow.entities import Run
    from mlflow.entities.model_registry import ModelVersion

SQLITE = "sqlite:///"
CHAMPION = "champion"


def database(settings: Settings) -> Path | None:
    """The file of an embedded store; None where the store is a server."""
    uri = settings.tracking_uri
    return Path(uri.removeprefix(SQLITE)) if uri.startswith(SQLITE) else None


def open_client(settings: Settings) -> "MlflowClient":
    """A client of the tracking store, which is made if it is a file that is not there yet.

    Raises:
        MlopsError: the server does not answer.
        UsageError: the URI is none that MLflow knows.
    """
    os.environ.setdefault("MLFLOW_ENABLE_ASYNC_LOGGING", "false")
    os.environ.setdefault("MLFLOW_HTTP_REQUEST_MAX_RETRIES", "3")
    os.environ.setdefault("MLFLOW_LOGGING_LEVEL", "WARNING")
    from mlflow import MlflowClient
    from mlflow.exceptions import MlflowException

    if (file := database(settings)) is not None:
        make_database(file)
        relocate(file)
    try:
        client = MlflowClient(settings.tracking_uri, settings.tracking_uri)
        client.search_experiments(max_results=1)
    except MlflowException as error:
        raise MlopsError(
            f"the tracking store {settings.tracking_uri} does not answer: {str(error).splitlines()[0]}"
        ) from error
    except Exception as error:
        raise UsageError(f"MLOPS_TRACKING_URI '{settings.tracking_uri}': {str(error).splitlines()[0]}") from error
    return client


def make_database(file: Path) -> None:
    """Make MLflow's tables in a new file, beside and renamed: a store that was half made is of no use."""
    if file.is_file():
        return
    from mlflow import MlflowClient

    with replacing(file) as fresh:
        MlflowClient(f"{SQLITE}{fresh}", f"{SQLITE}{fresh}").search_experiments(max_results=1)


def relocate(file: Path) -> None:
    """Follow a project that was moved: MLflow keeps the places of artifacts as absolute paths."""
    if not file.is_file():
        return
    here = f"{quote(Path.cwd().as_posix())}/mlruns"
    with closing(sqlite3.connect(file)) as connection:
        try:
            found = connection.execute(
                "SELECT artifact_location FROM experiments WHERE artifact_location LIKE '%/mlruns/%' LIMIT 1"
            ).fetchone()
        except sqlite3.Error:
            return  # not made yet, or of a version with other tables: MLflow will say what is wrong
        if found is None:
            return
        # The location is `<folder>/mlruns/<experiment>`, with or without `file://` before it.
        there = found[0].rpartition("/")[0].removeprefix("file://")
        if there in (here, Path.cwd().as_posix() + "/mlruns"):
            return
        now = here if found[0].startswith("file://") else Path.cwd().as_posix() + "/mlruns"
        with connection:
            for table, column in (
                ("experiments", "artifact_location"),
                ("runs", "artifact_uri"),
                ("model_versions", "source"),
                ("model_versions", "storage_location"),
            ):
                connection.execute(
                    f"UPDATE {table} SET {column} = replace({column}, ?, ?)",  # noqa: S608 - names of ours
                    (f"{there}/", f"{now}/"),
                )


class State(NamedTuple):
    """What an embedded store holds of a model."""

    there: bool
    """Whether the version asked for exists, or the store where none was asked for."""
    champion: str | None


def registered(settings: Settings, name: str, version: str | None) -> State | None:
    """Ask an embedded store's file, without importing MLflow; None where only MLflow can say."""
    file = database(settings)
    if file is None:
        return None
    if not file.is_file():
        return State(False, None)
    try:
        with closing(sqlite3.connect(f"file:{quote(str(file))}?mode=ro", uri=True)) as connection:
            found = connection.execute(
                "SELECT 1 FROM model_versions WHERE name = ? AND version = ?", (name, version)
            ).fetchone()
            champion = connection.execute(
                "SELECT version FROM registered_model_aliases WHERE name = ? AND alias = ?",
                (name, CHAMPION),
            ).fetchone()
    except sqlite3.Error:
        return None
    return State(version is None or found is not None, str(champion[0]) if champion else None)


def experiment_id(client: "MlflowClient", name: str) -> str:
    """The experiment's id, made where it is new."""
    found = client.get_experiment_by_name(name)
    if found is None:
        return str(client.create_experiment(name))
    if found.lifecycle_stage == "deleted":
        client.restore_experiment(found.experiment_id)
    return str(found.experiment_id)


def find_run(client: "MlflowClient", experiment: str, identity: str) -> "Run | None":
    """The run of a model, by the digest of its bundle and evaluation."""
    runs = client.search_runs([experiment], f"tags.`mlops.model` = '{identity}'", max_results=1)
    return runs[0] if runs else None


def champion_version(client: "MlflowClient", name: str) -> "ModelVersion | None":
    """The version that the alias `champion` points to, if there is one."""
    from mlflow.exceptions import MlflowException

    try:
        return client.get_model_version_by_alias(name, CHAMPION)
    except MlflowException as error:
        # A missing alias gives INVALID_PARAMETER_VALUE, a missing model RESOURCE_DOES_NOT_EXIST.
        if error.error_code in ("INVALID_PARAMETER_VALUE", "RESOURCE_DOES_NOT_EXIST"):
            return None
        raise


def version_of_run(client: "MlflowClient", name: str, run_id: str) -> "ModelVersion | None":
    found = client.search_model_versions(f"name = '{name}' and run_id = '{run_id}'")
    return found[0] if found else None


def ensure_model(client: "MlflowClient", name: str, description: str) -> None:
    """Make the registered model unless it is there."""
    from mlflow.exceptions import MlflowException

    try:
        client.create_registered_model(name, description=description)
    except MlflowException as error:
        if error.error_code != "RESOURCE_ALREADY_EXISTS":
            raise


def download(client: "MlflowClient", run_id: str, path: str) -> Path:
    """An artifact of a run as a local path, without a copy where it lies on this machine."""
    return Path(client.download_artifacts(run_id, path))


def log_values(
    client: "MlflowClient",
    run_id: str,
    *,
    params: dict[str, Any],
    metrics: dict[str, float],
    tags: dict[str, str],
) -> None:
    """Log parameters, metrics and tags in batches of the size that servers accept; NaN is left out."""
    from mlflow.entities import Metric, Param, RunTag

    now = time.time_ns() // 1_000_000
    entries = [Param(key, str(value)[:6000]) for key, value in params.items()]
    for start in range(0, len(entries), 100):
        client.log_batch(run_id, params=entries[start : start + 100])
    client.log_batch(
        run_id,
        metrics=[Metric(key, value, now, 0) for key, value in metrics.items() if not math.isnan(value)],
        tags=[RunTag(key, value) for key, value in tags.items()],
    )


class Input(NamedTuple):
    """A data set that a run has used."""

    name: str
    digest: str
    source: str
    columns: dict[str, Any]
    rows: int
    context: str


def log_datasets(client: "MlflowClient", run_id: str, inputs: list[Input]) -> None:
    """Log data sets by name and digest; none is read for it."""
    from mlflow.entities import Dataset, DatasetInput, InputTag

    client.log_inputs(
        run_id,
        datasets=[
            DatasetInput(
                Dataset(
                    name=each.name,
                    digest=each.digest[:36],
                    source_type="local" if "://" not in each.source else each.source.partition("://")[0],
                    source=json.dumps({"uri": each.source}),
                    schema=json.dumps(each.columns),
                    profile=json.dumps({"num_rows": each.rows, "sha256": each.digest}),
                ),
                [InputTag("mlflow.data.context", each.context)],
            )
            for each in inputs
        ],
    )
