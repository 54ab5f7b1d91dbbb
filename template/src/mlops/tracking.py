# The template's: `copier update` renews this file.
"""MLflow, in the small part of its API that every server has: runs, tags, artifacts, versions."""

import json
import logging
import math
import os
import sqlite3
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from importlib.metadata import entry_points
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple
from urllib.parse import quote, unquote
from uuid import uuid4

from mlops.errors import MlopsError, UsageError, is_foreign, said
from mlops.files import is_below, passing_folder, replacing
from mlops.project import extras
from mlops.settings import Settings
from mlops.source import without_secrets

if TYPE_CHECKING:
    from mlflow import MlflowClient
    from mlflow.entities import DatasetInput, Run
    from mlflow.entities.model_registry import ModelVersion
    from mlflow.exceptions import MlflowException

SQLITE = "sqlite:///"
CHAMPION = "champion"
CHALLENGER = "challenger"
MISSING = ("INVALID_PARAMETER_VALUE", "RESOURCE_DOES_NOT_EXIST")
"""What MLflow says of what is not there: the first of an alias, the second of a model or a version."""
AGAIN = "mlops.again."
TAG_LIMIT = 1000
"""Characters of a run's tag that every server takes."""


def database(settings: Settings) -> Path | None:
    """The file of an embedded store; None where the store is a server."""
    uri = settings.tracking_uri
    return Path(uri.removeprefix(SQLITE)) if uri.startswith(SQLITE) else None


def shown_uri(settings: Settings) -> str:
    """The store's address as it may be printed and kept: without a password in it."""
    return without_secrets(settings.tracking_uri)


@contextmanager
def answering(settings: Settings) -> Iterator[None]:
    """Turn what MLflow raises in the block into one line.

    Raises:
        MlopsError: the store failed or refused.
    """
    from mlflow.exceptions import MlflowException

    try:
        yield
    except MlopsError:
        raise
    except Exception as error:
        if not (isinstance(error, MlflowException | OSError) or is_foreign(error)):
            raise
        raise MlopsError(
            f"the tracking store {shown_uri(settings)} failed: {said(error)}; run again to go on"
        ) from error


def open_client(settings: Settings) -> "MlflowClient":
    """A client of the tracking store, which is made if it is a file that is not there yet.

    Raises:
        MlopsError: the server does not answer.
        UsageError: the URI is none that MLflow knows.
    """
    os.environ.setdefault("MLFLOW_ENABLE_ASYNC_LOGGING", "false")
    os.environ.setdefault("MLFLOW_HTTP_REQUEST_MAX_RETRIES", "3")
    os.environ.setdefault("MLFLOW_LOGGING_LEVEL", "WARNING")
    os.environ.setdefault("MLFLOW_ENABLE_ARTIFACTS_PROGRESS_BAR", "false")
    from mlflow import MlflowClient, set_tracking_uri
    from mlflow.exceptions import MlflowException
    from mlflow.tracking.registry import UnsupportedModelRegistryStoreURIException

    # A plugin that signs requests to one kind of server complains of all others; and each retry is told.
    for name in ("mlflow.tracking.request_header.registry", "urllib3"):
        logging.getLogger(name).setLevel(logging.ERROR)
    if (file := database(settings)) is not None:
        make_database(file)
        relocate(file)
    else:
        set_tracking_uri(settings.tracking_uri)  # which is where plugins look, whatever the client's is
        _log_in(settings.tracking_uri)
    try:
        client = MlflowClient(settings.tracking_uri, settings.tracking_uri)
        client.search_experiments(max_results=1)
    except UnsupportedModelRegistryStoreURIException as error:
        raise UsageError(
            f"MLOPS_TRACKING_URI '{shown_uri(settings)}': no package that is installed knows such an address{extras()}"
        ) from error
    except Exception as error:
        if not (isinstance(error, MlflowException | OSError) or is_foreign(error)):
            raise UsageError(f"MLOPS_TRACKING_URI '{shown_uri(settings)}': {said(error)}") from error
        raise MlopsError(f"the tracking store {shown_uri(settings)} does not answer: {said(error)}") from error
    return client


def _log_in(uri: str) -> None:
    """Have MLflow use the plugin of a platform of ours that says that it logs in to such a server."""
    for plugin in entry_points(group="mlflow.request_auth_provider"):
        if plugin.value.startswith("mlops.") and plugin.load().serves(uri):
            os.environ.setdefault("MLFLOW_TRACKING_AUTH", plugin.name)


def make_database(file: Path) -> None:
    """Make MLflow's tables in a new file, beside and renamed: a store that was half made is of no use."""
    if file.is_file():
        return
    from mlflow import MlflowClient

    with replacing(file) as fresh:
        MlflowClient(f"{SQLITE}{fresh}", f"{SQLITE}{fresh}").search_experiments(max_results=1)


def relocate(file: Path) -> None:
    """Follow a project that was moved: MLflow keeps the places of artifacts as absolute paths.

    A store outside the project may serve others too, and artifacts on a server do not move: both are left alone.
    """
    if not file.is_file() or not is_below(file, Path.cwd()):
        return
    with closing(sqlite3.connect(file)) as connection:
        try:
            found = connection.execute("SELECT artifact_location FROM experiments").fetchall()
        except sqlite3.Error:
            return  # not made yet, or of a version with other tables: MLflow will say what is wrong
        # A location is `<folder>/mlruns/<experiment>`, with or without `file://` before it.
        roots = {place.rpartition("/")[0] for (place,) in found if place.startswith(("/", "file:///"))}
        moved = {
            root: now
            for root in roots
            if root.endswith("/mlruns") and root != (now := _artifact_root(url=root.startswith("file://")))
        }
        if not moved:
            return
        with connection:
            for table, column in LOCATIONS:
                if column not in {row[1] for row in connection.execute(f"PRAGMA table_info({table})")}:
                    continue
                for there, now in moved.items():
                    connection.execute(
                        f"UPDATE {table} SET {column} = ? || substr({column}, ?) "  # noqa: S608 - names of ours
                        f"WHERE substr({column}, 1, ?) = ?",
                        (now, len(there) + 1, len(there) + 1, f"{there}/"),
                    )


LOCATIONS = (
    ("experiments", "artifact_location"),
    ("runs", "artifact_uri"),
    ("model_versions", "source"),
    ("model_versions", "storage_location"),
)


def _artifact_root(*, url: bool) -> str:
    here = Path.cwd().as_posix()
    return f"file://{quote(here)}/mlruns" if url else f"{here}/mlruns"


class State(NamedTuple):
    """What the store holds of a model."""

    there: bool
    """Whether it still has the run, and as a version of the model if one was asked for."""
    champion: str | None


def registered(settings: Settings, name: str, version: str | None, run_id: str) -> State:
    """Ask what became of a run; an embedded store's file without importing MLflow."""
    file = database(settings)
    if file is not None and not file.is_file():
        return State(False, None)
    if file is not None:
        try:
            return _read_state(file, name, version, run_id)
        except sqlite3.Error:
            pass  # tables of another version: only MLflow can say
    with answering(settings):
        client = open_client(settings)
        champion = champion_version(client, name)
        return State(_is_there(client, name, version, run_id), str(champion.version) if champion else None)


def _read_state(file: Path, name: str, version: str | None, run_id: str) -> State:
    with closing(sqlite3.connect(f"file:{quote(str(file))}?mode=ro", uri=True)) as connection:
        if version is None:
            found = connection.execute(
                "SELECT 1 FROM runs WHERE run_uuid = ? AND lifecycle_stage = 'active'", (run_id,)
            ).fetchone()
        else:
            # MLflow keeps the row of a deleted version, in a stage of its own.
            found = connection.execute(
                "SELECT 1 FROM model_versions WHERE name = ? AND version = ? AND run_id = ? "
                "AND current_stage != 'Deleted_Internal'",
                (name, version, run_id),
            ).fetchone()
        champion = connection.execute(
            "SELECT version FROM registered_model_aliases WHERE name = ? AND alias = ?", (name, CHAMPION)
        ).fetchone()
    return State(found is not None, str(champion[0]) if champion else None)


def _is_there(client: "MlflowClient", name: str, version: str | None, run_id: str) -> bool:
    from mlflow.exceptions import MlflowException

    if version is not None:
        found = find_version(client, name, version)
        return found is not None and found.run_id == run_id
    try:
        return bool(client.get_run(run_id).info.lifecycle_stage == "active")
    except MlflowException as error:
        if error.error_code in MISSING:
            return False
        raise


class Found(NamedTuple):
    """A model version whose artifacts lie on this machine."""

    version: str
    run_id: str
    artifacts: Path


def lookup(settings: Settings, name: str, alias: str | None, version: str) -> Found | None:
    """Ask an embedded store's file for a version, by alias or number, without importing MLflow.

    None where there is none, or where only MLflow can say.
    """
    file = database(settings)
    if file is None or not file.is_file():
        return None
    relocate(file)
    try:
        with closing(sqlite3.connect(f"file:{quote(str(file))}?mode=ro", uri=True)) as connection:
            if alias is not None:
                aliased = connection.execute(
                    "SELECT version FROM registered_model_aliases WHERE name = ? AND alias = ?", (name, alias)
                ).fetchone()
                version = str(aliased[0]) if aliased else ""
            found = connection.execute(
                "SELECT v.version, v.run_id, r.artifact_uri FROM model_versions v "
                "JOIN runs r ON r.run_uuid = v.run_id WHERE v.name = ? AND v.version = ? "
                "AND v.current_stage IS NOT 'Deleted_Internal'",
                (name, version),
            ).fetchone()
    except sqlite3.Error:
        return None
    if found is None or "://" in found[2].removeprefix("file://"):
        return None
    uri = str(found[2])
    artifacts = Path(unquote(uri.removeprefix("file://")) if uri.startswith("file://") else uri)
    return Found(str(found[0]), str(found[1]), artifacts) if artifacts.is_dir() else None


def experiment_id(client: "MlflowClient", name: str) -> str:
    """The experiment's id, made where it is new."""
    found = client.get_experiment_by_name(name)
    if found is None:
        return str(client.create_experiment(name))
    if found.lifecycle_stage == "deleted":
        client.restore_experiment(found.experiment_id)
    return str(found.experiment_id)


def lacks_route(error: "MlflowException") -> bool:
    """Whether a server does not know what it was asked: an answer of MLflow's own has a code of MLflow's."""
    return error.error_code == "ENDPOINT_NOT_FOUND" or "error_code" not in getattr(error, "json", {"error_code": None})


def find_runs(client: "MlflowClient", experiment: str, identity: str) -> "list[Run]":
    """The runs of a model, by the digest of its bundle and evaluation, newest first."""
    return list(client.search_runs([experiment], f"tags.mlops.model = '{identity}'"))


def find_version(client: "MlflowClient", name: str, version: str) -> "ModelVersion | None":
    from mlflow.exceptions import MlflowException

    try:
        return client.get_model_version(name, version)
    except MlflowException as error:
        if error.error_code in MISSING:
            return None
        raise


def champion_version(client: "MlflowClient", name: str) -> "ModelVersion | None":
    """The version that the alias `champion` points to, if there is one."""
    from mlops.registry.aliases import aliased

    return aliased(client, name, CHAMPION)


def versions(client: "MlflowClient", name: str) -> "Iterator[ModelVersion]":
    """All versions of a model: a server need not be able to look for more than its name."""
    token = None
    while True:
        page = client.search_model_versions(f"name = '{name}'", page_token=token)
        yield from page
        token = page.token
        if not token:
            return


def version_of_run(client: "MlflowClient", name: str, run_id: str) -> "ModelVersion | None":
    return next((version for version in versions(client, name) if version.run_id == run_id), None)


def create_version(client: "MlflowClient", name: str, run_id: str) -> "ModelVersion":
    """Register the bundle of a run."""
    run = client.get_run(run_id)
    return client.create_model_version(name, f"{run.info.artifact_uri}/{where(run, 'model')}", run_id)


def download(client: "MlflowClient", run_id: str, path: str, folder: Path | None = None) -> Path:
    """An artifact of a run as a local path: in a folder if one is given, else where it lies, or in a passing one.

    Raises:
        MlflowException, OSError: there is none, or the store does not answer.
    """
    from mlflow.exceptions import MlflowException
    from mlflow.store.artifact.local_artifact_repo import LocalArtifactRepository

    run = client.get_run(run_id)
    try:
        store = artifacts(client, run)
        if folder is None and not isinstance(store, LocalArtifactRepository):
            folder = passing_folder("artifacts-")  # MLflow's own would stay
        return Path(store.download_artifacts(where(run, path), folder and str(folder)))
    except Exception as error:
        if isinstance(error, MlflowException) or not is_foreign(error):
            raise
        raise OSError(said(error)) from error


def artifacts(client: "MlflowClient", run: "Run") -> Any:
    """Where a run's artifacts lie, as MLflow's `ArtifactRepository`.

    MLflow's client would ask for `/logged-models` too, which not every server has.
    """
    from mlflow.store.artifact.artifact_repository_registry import get_artifact_repository

    return get_artifact_repository(run.info.artifact_uri, tracking_uri=client.tracking_uri)


def where(run: "Run", path: str) -> str:
    """Where an artifact of a run lies: under its own name, or where it was last written anew (see `upload`)."""
    again = run.data.tags.get(AGAIN + path.partition("/")[0])
    return f"again-{again}/{path}" if again else path


def upload(client: "MlflowClient", run_id: str, source: Path, folder: str | None = None) -> None:
    """Log a file, or what is in a folder, in place of what was logged by that name before.

    A server need not let that happen: then it goes into a new folder, which a tag of the run names. So what belongs
    together has to be uploaded at once.
    """
    log = client.log_artifacts if source.is_dir() else client.log_artifact
    try:
        log(run_id, str(source), folder)
    except Exception as error:
        if "already exists" not in str(error):
            raise
        again = uuid4().hex[:8]
        log(run_id, str(source), f"again-{again}/{folder}" if folder else f"again-{again}")
        client.set_tag(run_id, AGAIN + (folder or source.name), again)


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
    entries = [Param(key, str(value)[:6000]) for key, value in params.items()]  # type: ignore[no-untyped-call, unused-ignore]
    for start in range(0, len(entries), 100):
        client.log_batch(run_id, params=entries[start : start + 100])
    client.log_batch(
        run_id,
        metrics=[Metric(key, value, now, 0) for key, value in metrics.items() if not math.isnan(value)],
        tags=[RunTag(key, value) for key, value in tags.items()],  # type: ignore[no-untyped-call, unused-ignore]
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
    """Log data sets by name and digest where the server knows of such; none is read for it."""
    from mlflow.entities import Dataset, DatasetInput, InputTag

    found = [
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
    ]
    log_inputs(client, run_id, found)


def log_inputs(client: "MlflowClient", run_id: str, inputs: "list[DatasetInput]") -> None:
    """Log data sets as MLflow has them, where the server knows of such."""
    from mlflow.exceptions import MlflowException

    try:
        client.log_inputs(run_id, datasets=inputs)
    except MlflowException as error:
        if not lacks_route(error):
            raise
