# The template's: `copier update` renews this file.
"""`mlops pull`: brings home what a run made elsewhere: its dvc.lock, data by DVC's remote, bundle and evaluation."""

from pathlib import Path
from typing import TYPE_CHECKING

from mlops import tracking
from mlops.errors import MlopsError, UsageError
from mlops.files import copy_whole, read_json, write_json
from mlops.lineage import commit_and_author, git
from mlops.pipeline.paths import BUNDLE, EVALUATION, METRICS
from mlops.project import load_project
from mlops.registry.judge import identity_of
from mlops.registry.promotion import Promotions
from mlops.settings import load_settings
from mlops.source import FINGERPRINT

if TYPE_CHECKING:
    from mlflow.entities import Run

LOCK = Path("dvc.lock")


def pull_run(name: str, *, force: bool) -> None:
    """Bring a run home and say what came.

    Args:
        name: The platform's name of the run, MLflow's, a version, or an alias.
        force: Overwrite changes of dvc.lock that are not committed.

    Raises:
        UsageError: there is no such run, or dvc.lock has changes.
        MlopsError: the run lacks what it should keep, or a store does not answer.
    """
    project, settings = load_project(), load_settings()
    if not force and (git("status", "--porcelain", "--", str(LOCK)) or "").strip():
        raise UsageError(f"{LOCK} has changes that are not committed; commit them, or overwrite them with --force")
    client = tracking.open_client(settings)
    promotions = Promotions(client, project, settings)
    from mlflow.exceptions import MlflowException

    with tracking.answering(settings):
        run = _find(promotions, settings.experiment or project.name, name)
        try:
            source, bundle, evaluation = (
                tracking.download(client, run.info.run_id, part) for part in ("source", "model", "evaluation")
            )
        except (MlflowException, OSError) as error:
            raise MlopsError(f"the run {run.info.run_id} lacks what it should keep: {error}") from error
    if not (source / LOCK).is_file():
        raise MlopsError(f"the run {run.info.run_id} kept no {LOCK}, so there is nothing to go by")
    if identity_of(bundle, evaluation) != run.data.tags.get("mlops.model"):
        raise MlopsError(f"the artifacts of the run {run.info.run_id} were changed since they were logged")
    copy_whole(source / LOCK, LOCK)
    if (source / FINGERPRINT.name).is_file():
        copy_whole(source / FINGERPRINT.name, FINGERPRINT)
    copy_whole(bundle, BUNDLE)
    copy_whole(evaluation, EVALUATION)
    write_json(METRICS, read_json(evaluation / "evaluation.json")["metrics"])
    missing = _data(settings.data_remote, force=force)
    commit, here = str(run.data.tags.get("mlops.commit")), commit_and_author()[0]
    print(f"{LOCK}, {BUNDLE} and {EVALUATION} are those of the run {run.info.run_id}")
    if missing:
        print(f"not in DVC's remote, so not here: {', '.join(missing)}")
    if commit != here:
        print(f"It ran at the commit {commit[:12]}, and you are at {here[:12]}: 'git switch --detach {commit[:12]}'")


def _find(promotions: Promotions, experiment: str, name: str) -> "Run":
    """The run of a platform's name, of MLflow's own, or of a version.

    Raises:
        UsageError: there is none.
    """
    from mlflow.exceptions import MlflowException

    client = promotions.client
    found = client.get_experiment_by_name(experiment)
    if found is not None and "'" not in name:
        tag = "tags.mlops.platform_run"
        for wanted in (f"= '{name}'", f"LIKE '%/{name}'"):
            if runs := client.search_runs([found.experiment_id], f"{tag} {wanted}", max_results=1):
                return runs[0]
    try:
        return client.get_run(name)
    except MlflowException:
        pass  # it is no name of MLflow's
    try:
        return client.get_run(str(promotions.resolve(name).run_id))
    except UsageError as error:
        raise UsageError(f"'{name}' is no run that a model came of, and no version of one") from error


def _data(url: str | None, *, force: bool) -> list[str]:
    """Take what is here into DVC's cache and fetch what its remote has; the outputs that are still not here.

    `force`: remove files in their places that are in no cache.
    """
    from dvc.exceptions import DvcException
    from dvc.repo import Repo

    from mlops import remote

    if url is not None:
        remote.use(url)
    with Repo() as repo, repo.lock:
        for out in [out for stage in repo.index.stages for out in stage.outs]:
            if out.exists and out.use_cache and not out.workspace_status():
                try:
                    out.commit()
                except DvcException as error:
                    raise MlopsError(f"'{out}' does not get into DVC's cache: {error}") from error
    remote.pull(some=True, force=force)
    with Repo() as repo:
        return [str(out) for stage in repo.index.stages for out in stage.outs if not out.exists]
