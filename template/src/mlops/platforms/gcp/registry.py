# The template's: `copier update` renews this file.
"""Vertex AI's Model Registry: what MLflow's registry has decided, shown there.

MLflow stays the truth. Aliases that were changed by hand are brought in line by the next deployment.
"""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager

from mlops.platforms.base import Release
from mlops.platforms.gcp.bundles import alias
from mlops.platforms.gcp.clients import found
from mlops.platforms.gcp.place import Place
from mlops.platforms.gcp.session import answering

CHAMPION = "champion"
DEFAULT = "default"
"""The alias of the version that is meant where none is named; a model always has one."""


def show(place: Place, release: Release) -> None:
    """Say of a release's version what is known of it, and which version is the champion."""
    about = {"version": release.version, "run": release.run_id, **release.about}
    told = "\n".join(f"{name}: {value}" for name, value in about.items() if value)
    model = place.model_name(release.model)
    with _in_line(model):
        there = place.models.get_model(name=f"{model}@{alias(release.version)}")
        if there.version_description != told:
            there = {"name": f"{model}@{there.version_id}", "version_description": told}
            place.models.update_model(model=there, update_mask={"paths": ["version_description"]})
    mark(place, release.model, release.standing)


def mark(place: Place, name: str, standing: Mapping[str, str]) -> None:
    """Let an alias follow the champion; no version has it where the champion was never deployed."""
    model = place.model_name(name)
    champion = next((version for version, how in standing.items() if how == "champion"), None)
    with _in_line(model):
        now = found(place.models.get_model, name=f"{model}@{CHAMPION}")
        wanted = champion and found(place.models.get_model, name=f"{model}@{alias(champion)}")
        if wanted and not {CHAMPION, DEFAULT} <= set(wanted.version_aliases):
            _merge(place, f"{model}@{wanted.version_id}", CHAMPION, DEFAULT)
        elif now is not None and not wanted:
            _merge(place, f"{model}@{now.version_id}", f"-{CHAMPION}")


def _merge(place: Place, version: str, *aliases: str) -> None:
    """Give a version aliases, which another loses that had them; with a hyphen before it, it loses one."""
    place.models.merge_version_aliases(name=version, version_aliases=aliases)


@contextmanager
def _in_line(model: str) -> Iterator[None]:
    with answering(f"{model} cannot be brought in line; deploy again once that is mended"):
        yield
