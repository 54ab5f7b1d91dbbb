# The template's: `copier update` renews this file.
"""`mlops replicate`: brings to a second cloud what it needs to take over: data, runs, bundles and the champion.

What is there is told by tags, so that it is brought once, and goes on after a cut where it was. A copy of a run has
the first one's id as a tag, so that the first cloud knows its own when it is replicated back.
"""

import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pydantic_settings import BaseSettings, SettingsConfigDict

from mlops import remote, tracking
from mlops.errors import MlopsError, UsageError
from mlops.pipeline.paths import BUNDLE, EVALUATION, METRICS
from mlops.platforms import available
from mlops.platforms.deploying import DEPLOYED
from mlops.project import Project, load_project
from mlops.registry.audit import Entry
from mlops.registry.promotion import GATE, Promotions
from mlops.settings import Settings, load_settings

if TYPE_CHECKING:
    from mlflow import MlflowClient
    from mlflow.entities import FileInfo, Metric, Run
    from mlflow.entities.model_registry import ModelVersion

ORIGIN = "mlops.origin_run"
"""The tag with the id of the run that a run is a copy of."""
OF_THE_SERVER = ("mlflow.runName", "azureml.", tracking.AGAIN, DEPLOYED)
"""Beginnings of tags that say something of where a run or version is, and not of what it is."""
KEPT_BY_THE_RUN = {path.as_posix() for path in (BUNDLE, EVALUATION, METRICS)}
"""What is brought with the run where DVC has it nowhere, as what a platform trained."""
REASON = 1500
"""Characters of a reason that is quoted."""


class Place(BaseSettings):
    """Where a cloud keeps what the project has: variables that start with `MLOPS_<CLOUD>_`."""

    model_config = SettingsConfigDict(env_file=".env", extra="ignore")

    tracking_uri: str | None = None
    """MLflow's tracking server and registry there: MLOPS_TRACKING_URI of what runs there."""
    data_remote: str | None = None
    """Where DVC keeps data and models there: MLOPS_DATA_REMOTE of what runs there."""

    @classmethod
    def of(cls, cloud: str) -> "Place":
        return cls(_env_prefix=f"MLOPS_{cloud.upper()}_")  # type: ignore[call-arg]


def replicate(on: str, *, every: bool) -> None:
    """Bring the champion, or `every` version that ever passed the gate, to the cloud `on`, and say what was new.

    Raises:
        UsageError: there is no such cloud or no champion, or it is where the champion is.
        MlopsError: a store does not answer or refuses; run again to go on.
    """
    project, settings = load_project(), load_settings()
    place = _place(on, settings)
    os.environ.setdefault("MLFLOW_SUPPRESS_PRINTING_URL_TO_STDOUT", "true")
    here = _Registry(project, settings)
    there = _Registry(project, settings.model_copy(update={"tracking_uri": place.tracking_uri}))
    with here.asked():
        champion = here.promotions.champion()
        entries = here.promotions.history()
        if champion is None:
            raise UsageError(f"{here.name} has no champion, so there is nothing to replicate; 'mlops run' makes one")
        passed = [str(entry.to_version) for entry in entries if entry.action == "register"] if every else []
        numbers = dict.fromkeys([*passed, champion])
        versions = [found for each in numbers if (found := tracking.find_version(here.client, here.name, each))]
    for version in versions:
        _Copy(here, there, version, entries).bring(str(place.data_remote), is_champion=str(version.version) == champion)


def _place(on: str, settings: Settings) -> Place:
    """The second cloud's place, which is another one than the present.

    Raises:
        UsageError: it is no cloud of the project's, a variable is missing, or it is the same.
    """
    if on not in available() or on == "local":
        clouds = ", ".join(name for name in available() if name != "local")
        raise UsageError(f"--on '{on}': this project has {clouds}; others are added by copier update")
    place = Place.of(on)
    here = {"tracking_uri": tracking.shown_uri(settings), "data_remote": settings.data_remote or remote.default()}
    for name, own in here.items():
        variable, value = f"MLOPS_{on.upper()}_{name.upper()}", getattr(place, name)
        if not value:
            raise UsageError(f"{variable} is not set: it is MLOPS_{name.upper()} of what runs on {on}")
        if value.partition("?")[0].rstrip("/") == own.partition("?")[0].rstrip("/"):
            raise UsageError(f"{variable} is {own}, which is where the champion is; replicate to another cloud")
    return place


class _Registry:
    """A tracking server with the project's model in it."""

    def __init__(self, project: Project, settings: Settings) -> None:
        self.settings = settings
        self.promotions = Promotions(tracking.open_client(settings), project, settings)
        self.name, self.shown = self.promotions.name, tracking.shown_uri(settings)
        self.experiment = settings.experiment or project.name

    @property
    def client(self) -> "MlflowClient":
        return self.promotions.client

    @contextmanager
    def asked(self) -> Iterator["MlflowClient"]:
        """Have MLflow's plugins log in to this server, and errors name it."""
        from mlflow import set_tracking_uri

        set_tracking_uri(self.settings.tracking_uri)
        with tracking.answering(self.settings):
            yield self.client

    def copy_of(self, origin: str) -> "Run | None":
        """The run here that is a run of elsewhere, or a copy of it."""
        from mlflow.exceptions import MlflowException

        experiment = tracking.experiment_id(self.client, self.experiment)
        if copies := self.client.search_runs([experiment], f"tags.{ORIGIN} = '{origin}'", max_results=1):
            return copies[0]
        try:
            run = self.client.get_run(origin)
        except MlflowException as error:
            if error.error_code in tracking.MISSING:
                return None
            raise
        return run if run.info.lifecycle_stage == "active" else None

    def listed(self, run: "Run") -> dict[str, dict[str, int | None]]:
        """The run's artifacts: of each file or folder at the top, its files by name and their sizes in bytes."""
        store = tracking.artifacts(self.client, run)
        again = {tag.removeprefix(tracking.AGAIN) for tag in run.data.tags if tag.startswith(tracking.AGAIN)}
        top = {file.path: file for file in store.list_artifacts()}
        names = {name for name in top if not name.startswith("again-")} | again
        found = {}
        for name in sorted(names):
            place = tracking.where(run, name)
            inside = {file.path.removeprefix(place): file.file_size for file in _files(store, place)}
            found[name] = inside or {"": top[place].file_size}
        return found


@dataclass(frozen=True)
class _Copy:
    """A version of one registry that is brought to another."""

    here: _Registry
    there: _Registry
    version: "ModelVersion"
    entries: list[Entry]
    """Of the audit log here."""

    def bring(self, data_remote: str, *, is_champion: bool) -> None:
        with self.here.asked() as client:
            run = client.get_run(str(self.version.run_id))
            outs = self._outs(client)
        new = self._data(outs, data_remote)
        copy, artifacts = self._run(run)
        new += artifacts
        with self.there.asked():
            number, changed = self._register(copy, is_champion=is_champion)
        what = f"version {self.version.version} of {self.here.name} is version {number} on {self.there.shown}"
        print(f"{'' if new or changed else 'Nothing to do: '}{what}{', and its champion' if is_champion else ''}.")

    def _outs(self, client: "MlflowClient") -> dict[str, str]:
        """The paths by their hashes of what the run's dvc.lock names."""
        import yaml
        from mlflow.exceptions import MlflowException

        run_id = str(self.version.run_id)
        try:
            text = tracking.download(client, run_id, "source/dvc.lock").read_text(encoding="utf-8")
        except (MlflowException, OSError) as error:
            raise MlopsError(f"the run {run_id} of version {self.version.version} kept no dvc.lock: {error}") from error
        stages = yaml.safe_load(text)["stages"].values()
        return {out["md5"]: out["path"] for stage in stages for out in stage.get("outs", [])}

    def _data(self, outs: dict[str, str], url: str) -> int:
        """Bring what the run's lock names; what DVC has nowhere is told, unless the run itself has it."""
        new, lost = remote.carry(outs, self.here.settings.data_remote, url)
        print(f"data: {len(outs) - len(lost)} files and folders, {new} of them new", flush=True)
        if missing := sorted({outs.get(each, each) for each in lost} - KEPT_BY_THE_RUN):
            print(f"neither here nor in DVC's remote, so not brought: {', '.join(missing)}")
        return new

    def _run(self, run: "Run") -> "tuple[Run, int]":
        """Bring the run with its artifacts; return the copy, and how many artifacts were new."""
        origin = run.data.tags.get(ORIGIN, run.info.run_id)
        with self.there.asked():
            copy = self.there.copy_of(origin)
            if copy is not None and copy.info.run_id == origin:
                return copy, 0  # it comes home, and is what it was
            there = self.there.listed(copy) if copy else {}
        with self.here.asked() as client:
            here = self.here.listed(run)
            known = copy.data.metrics if copy else {}
            metrics = [
                each
                for name in run.data.metrics
                if name not in known
                for each in client.get_metric_history(run.info.run_id, name)
            ]
        with self.there.asked() as client:
            copy = copy or self._create(run, origin)
            self._log(run, copy, metrics)
        lacking = [name for name, files in here.items() if there.get(name) != files]
        for name in lacking:
            print(f"run {run.info.run_id}: {name}", flush=True)
            self._artifact(run, copy, name)
        with self.there.asked() as client:
            if copy.info.status != run.info.status:
                client.set_terminated(copy.info.run_id, run.info.status, run.info.end_time)
            return client.get_run(copy.info.run_id), len(lacking)

    def _create(self, run: "Run", origin: str) -> "Run":
        client = self.there.client
        experiment = tracking.experiment_id(client, self.there.experiment)
        tags = {**_kept(run.data.tags), ORIGIN: origin}
        return client.create_run(experiment, run.info.start_time, tags, run.info.run_name)

    def _log(self, run: "Run", copy: "Run", metrics: "list[Metric]") -> None:
        client, run_id = self.there.client, copy.info.run_id
        params = {name: value for name, value in run.data.params.items() if name not in copy.data.params}
        if params:
            tracking.log_values(client, run_id, params=params, metrics={}, tags={})
        for start in range(0, len(metrics), 100):
            client.log_batch(run_id, metrics=metrics[start : start + 100])
        inputs, known = ((each.inputs and each.inputs.dataset_inputs) or [] for each in (run, copy))
        if inputs and not known:
            tracking.log_inputs(client, run_id, inputs)

    def _artifact(self, run: "Run", copy: "Run", name: str) -> None:
        """Bring a file or a folder of the run, through a folder of this machine."""
        Path(".mlops").mkdir(exist_ok=True)
        with tempfile.TemporaryDirectory(prefix="replicate-", dir=".mlops") as folder:
            with self.here.asked() as client:
                found = tracking.download(client, run.info.run_id, name, Path(folder))
            with self.there.asked() as client:
                tracking.upload(client, copy.info.run_id, found, name if found.is_dir() else None)

    def _register(self, copy: "Run", *, is_champion: bool) -> tuple[str, bool]:
        """Register the copy as a version, and promote it if it is the champion; both in the audit log there."""
        client, promotions = self.there.client, self.there.promotions
        promotions.open()
        version = tracking.version_of_run(client, self.there.name, copy.info.run_id)
        version = version or tracking.create_version(client, self.there.name, copy.info.run_id)
        number = str(version.version)
        for key, value in _kept(self.version.tags).items():
            if version.tags.get(key) != value:
                client.set_model_version_tag(self.there.name, number, key, value)
        done = [self._entry(promotions, "register", number)]
        if is_champion and promotions.champion() != number:
            done.append(self._entry(promotions, "promote", number))
        return number, any(done)

    def _entry(self, promotions: Promotions, action: str, number: str) -> Entry | None:
        """Record there what the log here says of the version, in the name of who answered for it."""
        mine = [entry for entry in self.entries if entry.to_version == str(self.version.version)]
        registered = [entry for entry in mine if entry.action == "register"][-1:]
        last = (registered if action == "register" else [entry for entry in mine if entry.action != "register"])[-1:]
        told = f": {last[0].time[:16]} {last[0].action}, {last[0].reason}" if last else ""
        reason = f"replicated from version {self.version.version} of {self.here.shown}{told}"[:REASON]
        if action == "register":
            return promotions.register(number, reason, trainer=last[0].actor if last else None)
        return promotions.promote(number, approver=(last[0].approver if last else None) or GATE, reason=reason)


def _files(store: Any, folder: str) -> "Iterator[FileInfo]":
    """The files in a folder of artifacts, at any depth."""
    for file in store.list_artifacts(folder):
        if file.is_dir:
            yield from _files(store, file.path)
        elif file.path != folder:
            yield file


def _kept(tags: dict[str, str]) -> dict[str, str]:
    """Tags that hold wherever a run or version is."""
    return {name: value for name, value in tags.items() if not name.startswith(OF_THE_SERVER)}
