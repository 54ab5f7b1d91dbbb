# The template's: `copier update` renews this file.
"""`mlops deploy` and `mlops rollback --on`: a version of the registry, served on a platform.

The registry decides what may be served; the platform's adapter knows how. What serves where is written on the
registered model, in the tag `mlops.deployed.ENVIRONMENT`.
"""

from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from mlops import tracking
from mlops.errors import UsageError
from mlops.files import read_json
from mlops.platforms import connect
from mlops.platforms.base import Deployment, Platform, Release, Serving
from mlops.platforms.resources import read_resources, serving
from mlops.project import load_project
from mlops.registry.audit import Entry, champion_of
from mlops.registry.models import find_model
from mlops.registry.promotion import Promotions
from mlops.settings import Settings, load_settings

if TYPE_CHECKING:
    from mlflow.entities.model_registry import ModelVersion

DEPLOYED = "mlops.deployed."
FREE = ("local", "dev")
"""Environments in which a version may be served that was never champion."""
PASSED_ON = ("body_limit", "row_limit", "log_sample", "log_redact", "log_rows", "log_seconds", "log_buffer")
"""Settings of the server that hold where the model is served, too."""


def deploy(on: str, spec: str | None) -> None:
    """Serve the champion, or the version that is named, and say so.

    Raises:
        UsageError: there is no such version or it may not be served there, or the platform cannot serve it so.
        MlopsError: it failed, and the version before serves again.
    """
    promotions, platform = _open(on)
    with tracking.answering(promotions.settings):
        version = _allowed(promotions, spec)
        _serve(promotions, platform, version, serving(read_resources()))


def look(on: str, spec: str | None) -> None:
    """Print as JSON which version `deploy` would serve, if there is one, and which one each environment serves."""
    import json

    promotions, _ = _open(on)
    with tracking.answering(promotions.settings):
        found: dict[str, Any] = {"model": promotions.name, "version": None, "deployed": {}}
        if spec is not None or promotions.champion() is not None:
            found["version"] = str(promotions.resolve(spec).version)
            tags = promotions.client.get_registered_model(promotions.name).tags
            found["deployed"] = {
                name.removeprefix(DEPLOYED): served for name, served in tags.items() if name.startswith(DEPLOYED)
            }
    print(json.dumps(found, indent=2))


def roll_back(on: str, approver: str | None, reason: str) -> None:
    """Go back to the champion before, in the registry and then on the platform.

    A registry that was rolled back when the platform did not follow is not rolled back once more.

    Raises:
        MlopsError: there is no champion before, or the platform failed.
    """
    from mlops.registry import verbs

    promotions, platform = _open(on)
    with tracking.answering(promotions.settings):
        served = platform.deployment()
        last = promotions.history()[-1:]
        # Until the rollback is written down, it was cut short: before the endpoint went back, or after.
        unfinished = {served.version, _recorded(promotions)}
        if any(entry.action == "rollback" and entry.from_version in unfinished for entry in last):
            print(f"Version {last[0].from_version} of {promotions.name} was rolled back before; the endpoint follows.")
        else:
            verbs.rollback(approver, reason)
        champion = promotions.resolve(None)
        number = str(champion.version)
        if served.version is None:
            print(f"Nothing serves on {platform.name}: 'mlops deploy --on {platform.name}' does.")
        elif served.version != number and served.previous == number:
            done = platform.rollback(number, _standing(promotions.history()), _say)
            _record(promotions, done)
            print(f"{done.endpoint} serves version {done.version} of {promotions.name} again.")
        else:
            at_once = replace(serving(read_resources()), canary_percent=0, canary_minutes=0)
            _serve(promotions, platform, champion, at_once)


def _open(on: str) -> tuple[Promotions, Platform]:
    project, settings = load_project(), load_settings()
    platform = connect(on, project, settings)
    if not platform.can.endpoints:
        raise UsageError(f"--on {on} has no endpoints; 'mlops serve' serves the champion here")
    return Promotions(tracking.open_client(settings), project, settings), platform


def _allowed(promotions: Promotions, spec: str | None) -> "ModelVersion":
    """The version that is meant, if it may be served in this environment."""
    champion = promotions.champion()
    version = promotions.resolve(spec)
    number, environment = str(version.version), promotions.settings.environment
    if number != champion and environment not in FREE:
        moves = [entry for entry in promotions.history() if entry.action != "register"]
        if not any(entry.to_version == number for entry in moves):
            raise UsageError(
                f"version {number} of {promotions.name} was never champion, so {environment} does not serve it; "
                f"'mlops promote {number} --reason TEXT' makes it champion"
            )
    return version


def _serve(promotions: Promotions, platform: Platform, version: "ModelVersion", how: Serving) -> None:
    release = _release(promotions, platform, version)
    print(f"{release.model} version {release.version} to {platform.name}, {promotions.settings.environment}")
    done = platform.deploy(release, how, _say)
    _record(promotions, done)
    if not done.changed:
        print(f"Nothing to do: {done.endpoint} serves version {done.version} of {release.model}.")
        return
    was = f"; version {done.previous} served before" if done.previous else ""
    print(f"{done.endpoint} serves version {done.version} of {release.model}{was}.")
    print(done.address)


def _say(told: str) -> None:
    print(f"  {told}", flush=True)


def _release(promotions: Promotions, platform: Platform, version: "ModelVersion") -> Release:
    from mlops.images import image_tag

    project, settings, number = promotions.project, promotions.settings, str(version.version)
    image = platform.image("serving", image_tag("serving", project.root))
    model = find_model(number, project, settings, promotions.client)
    assert model.run_id is not None
    return Release(
        model=promotions.name,
        version=number,
        run_id=model.run_id,
        bundle=model.path,
        image=image,
        sample=sample_row(model.path),
        environment=_environment(settings, promotions.name, number),
        about=_about(promotions, version),
        standing=_standing(promotions.history()),
    )


def _environment(settings: Settings, model: str, version: str) -> dict[str, str]:
    """Variables of a server that serves this version."""
    said = {"MLOPS_ENVIRONMENT": settings.environment, "MLOPS_MODEL_NAME": model, "MLOPS_MODEL_VERSION": version}
    for name in PASSED_ON:
        if name in settings.model_fields_set:
            value = getattr(settings, name)
            said[f"MLOPS_{name.upper()}"] = ",".join(value) if isinstance(value, tuple) else str(value)
    if "://" in settings.log_uri:
        said["MLOPS_LOG_URI"] = settings.log_uri
    return said


def _about(promotions: Promotions, version: "ModelVersion") -> dict[str, str]:
    run = promotions.client.get_run(str(version.run_id))
    tags = {**run.data.tags, **version.tags}
    wanted = ("mlops.commit", "mlops.author", "mlops.data_md5", "mlops.template_version", "mlops.gate")
    told = {name.removeprefix("mlops."): tags[name] for name in wanted if tags.get(name)}
    return told | {f"metric {name}": f"{value:.6g}" for name, value in sorted(run.data.metrics.items())}


def _standing(entries: list[Entry]) -> dict[str, str]:
    """What each version of the registry is by the audit log: `champion`, `waiting` or `former` champion."""
    once = {entry.to_version for entry in entries if entry.action != "register"}
    found = {version: "former" if version in once else "waiting" for entry in entries if (version := entry.to_version)}
    return {**found, champion: "champion"} if (champion := champion_of(entries)) else found


def _record(promotions: Promotions, done: Deployment) -> None:
    """Write down what serves in this environment: on the registered model, and since when on its version."""
    client, name, tag = promotions.client, promotions.name, DEPLOYED + promotions.settings.environment
    version = str(done.version)
    if _recorded(promotions) != version:
        client.set_model_version_tag(name, version, tag, datetime.now(UTC).isoformat(timespec="seconds"))
        client.set_registered_model_tag(name, tag, version)


def _recorded(promotions: Promotions) -> str | None:
    """The version that serves in this environment, as it is written down."""
    tags: dict[str, str] = promotions.client.get_registered_model(promotions.name).tags
    return tags.get(DEPLOYED + promotions.settings.environment)


def sample_row(bundle: Path) -> dict[str, Any] | None:
    """A row of those that a bundle was trained with, as JSON has it; None where it keeps none."""
    import json

    import polars as pl

    file = bundle / "reference.parquet"
    if not file.is_file():
        return None
    known = list(read_json(bundle / "bundle.json")["inputs"])
    row = pl.read_parquet(file, columns=known, n_rows=1)
    moments = [name for name, dtype in row.schema.items() if dtype.is_temporal()]
    row = row.with_columns(pl.col(moments).dt.to_string("iso:strict"))
    (found,) = json.loads(row.write_json())
    return {name: value for name, value in found.items() if value is not None}
