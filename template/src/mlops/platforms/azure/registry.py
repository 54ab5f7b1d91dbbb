# The template's: `copier update` renews this file.
"""The workspace's models, and an Azure Machine Learning registry's: what MLflow's registry has decided, shown there.

MLflow stays the truth. Tags that were changed by hand are brought in line by the next deployment.
"""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from mlops.platforms.azure.bundles import asset
from mlops.platforms.azure.clients import client, found
from mlops.platforms.azure.place import Place
from mlops.platforms.azure.session import Session, answering
from mlops.platforms.base import Release

STANDING = "mlops.standing"
LONGEST = 256
"""Letters of a tag's value."""


def show(session: Session, place: Place, release: Release) -> None:
    """Say of a release's model what is known of it, and of each model how its version stands."""
    about = {"version": release.version, "run": release.run_id, **release.about}
    told = {f"mlops.{name}": value[:LONGEST] for name, value in about.items() if value}
    with _in_line(place):
        _tell(place, place.ml.models.get(asset(release.model), release.version), told)
    mark(place, release.model, release.standing)
    if session.azure.registry:
        _share(session.azure.registry, session, place, release)


def mark(place: Place, model: str, standing: Mapping[str, str]) -> None:
    """Let a tag of each model follow the standing of its version."""
    with _in_line(place):
        for each in place.ml.models.list(name=asset(model)):
            _tell(place, each, {STANDING: standing.get(each.version, "former")})


def _tell(place: Place, model: Any, tags: Mapping[str, str]) -> None:
    if any(model.tags.get(name) != value for name, value in tags.items()):
        model.tags = {**model.tags, **tags}
        place.ml.models.create_or_update(model)


def _share(registry: str, session: Session, place: Place, release: Release) -> None:
    """Have the release's model in the registry, under the model's own name."""
    with answering(f"version {release.version} cannot be shared with the registry {registry}; deploy again to go on"):
        there = client(session, registry=registry)
        if found(there.models.get, release.model, release.version) is None:
            place.ml.models.share(
                asset(release.model),
                release.version,
                share_with_name=release.model,
                share_with_version=release.version,
                registry_name=registry,
            )


@contextmanager
def _in_line(place: Place) -> Iterator[None]:
    with answering(f"the models of {place.workspace} cannot be brought in line; deploy again once that is mended"):
        yield
