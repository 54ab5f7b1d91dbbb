# The template's: `copier update` renews this file.
"""Which model is meant: the champion, an alias, a version or a folder, as a bundle on this machine."""

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from mlops import tracking
from mlops.errors import MlopsError, UsageError
from mlops.project import Project
from mlops.registry.aliases import aliased
from mlops.settings import Settings

if TYPE_CHECKING:
    from mlflow import MlflowClient

    from mlops.registry.bundle import Bundle


@dataclass(frozen=True)
class ModelRef:
    """A model by name; `version` and `run_id` are None where it came as a folder."""

    name: str
    version: str | None
    run_id: str | None
    path: Path
    """The bundle's folder."""

    def load(self) -> "Bundle":
        from mlops.registry.bundle import load_bundle

        return load_bundle(self.path)


def find_model(
    spec: str | None, project: Project, settings: Settings, client: "MlflowClient | None" = None
) -> ModelRef:
    """Find a model and bring its bundle here.

    Args:
        spec: None for the champion, `NAME@ALIAS`, `@ALIAS`, `NAME/VERSION`, `VERSION`, or a folder with a bundle.
        project: This project, whose registered model is meant where `spec` names none.
        settings: Where the registry is.
        client: An open client, to save opening one.

    Raises:
        UsageError: there is no such model, version or alias.
    """
    if spec is not None and (Path(spec) / "bundle.json").is_file():
        return ModelRef(Path(spec).name, None, None, Path(spec))
    name, alias, version = _parse(spec, settings.model_name or project.name)
    if client is None and (known := tracking.lookup(settings, name, alias, version)) is not None:
        bundle = known.artifacts / "model"
        if (bundle / "bundle.json").is_file():
            return ModelRef(name, known.version, known.run_id, bundle)
    from mlflow.exceptions import MlflowException

    client = client or tracking.open_client(settings)
    try:
        found = aliased(client, name, alias) if alias else tracking.find_version(client, name, version)
    except MlflowException as error:
        raise MlopsError(f"the registry {settings.tracking_uri} does not answer: {error.message}") from error
    if found is None:
        meant = f"{name}@{alias}" if alias else f"{name}/{version}"
        advice = "run 'mlops run' to make one" if spec is None else "name another with --model"
        raise UsageError(f"there is no model {meant} in {settings.tracking_uri}; {advice}")
    if found.run_id is None:
        raise UsageError(f"{name} version {found.version} has no run: it was not registered by this pipeline")
    return ModelRef(name, str(found.version), found.run_id, tracking.download(client, found.run_id, "model"))


def _parse(spec: str | None, default: str) -> tuple[str, str | None, str]:
    """Name, alias and version that a spec means."""
    if spec is None:
        return default, tracking.CHAMPION, ""
    spec = spec.removeprefix("models:/")
    if "@" in spec:
        name, _, alias = spec.partition("@")
        return name or default, alias, ""
    name, _, version = spec.rpartition("/")
    if not version.isdecimal():
        raise UsageError(f"'{spec}' names no model; write NAME@ALIAS, NAME/VERSION, VERSION or a bundle's folder")
    return name or default, None, version
