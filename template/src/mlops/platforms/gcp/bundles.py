# The template's: `copier update` renews this file.
"""A bundle in the bucket, as a version of a model in Vertex AI's registry, which is never replaced by another.

Vertex AI numbers versions itself, and a version has its container's variables in it: other settings of the server make
another one. So aliases say what a version is: `v3` serves version 3 of MLflow's registry, and `v3-BUNDLE-CONTAINER` has
digests of both.
"""

from collections.abc import Mapping
from typing import Any

from mlops.errors import MlopsError
from mlops.files import canonical_hash
from mlops.platforms.base import Release
from mlops.platforms.gcp.clients import done, found
from mlops.platforms.gcp.place import Place
from mlops.platforms.gcp.session import answering

DIGITS = 16


def alias(version: str) -> str:
    """What Vertex AI's registry calls a version of MLflow's: an alias there starts with a letter."""
    return f"v{version}"


def upload(place: Place, release: Release, container: Mapping[str, Any]) -> str:
    """Bring a release to Vertex AI, to be served in such a container; returns the name of the model's version.

    Raises:
        MlopsError: another bundle is there already, or the bucket does not take it.
    """
    model, short, digest = place.model_name(release.model), alias(release.version), release.digest[:DIGITS]
    whole = f"{short}-{digest}-{canonical_hash(container)[:DIGITS]}"
    with answering(f"the model {model} cannot be looked at"):
        there, same = (found(place.models.get_model, name=f"{model}@{each}") for each in (short, whole))
    if there is not None and not any(each.startswith(f"{short}-{digest}-") for each in there.version_aliases):
        raise MlopsError(
            f"{short} of {model} is another bundle than version {release.version} in the registry; was the registry "
            "made anew? Set MLOPS_MODEL_NAME to a new name, then train and deploy"
        )
    if same is None:
        # Nothing reads the folder before the model is there, so one that was cut short is written over.
        uri = f"gs://{place.session.setting('bucket')}/bundles/{release.model}/{release.version}"
        if there is None:
            _copy(release, uri)
        with answering(f"version {release.version} cannot be brought to Vertex AI's models in {place.region}"):
            same = _make(place, release, container, uri, whole)
    if short not in same.version_aliases:
        with answering(f"{model} cannot be told which is {short}"):
            place.models.merge_version_aliases(name=f"{model}@{same.version_id}", version_aliases=[short])
    return f"{model}@{same.version_id}"


def _copy(release: Release, uri: str) -> None:
    import fsspec

    with answering(f"the bundle cannot be brought to {uri}"):
        try:
            fsspec.filesystem("gs").put(f"{release.bundle}/", f"{uri}/", recursive=True)
        except OSError as error:
            raise MlopsError(f"the bundle cannot be brought to {uri}: {error}") from error


def _make(place: Place, release: Release, container: Mapping[str, Any], uri: str, whole: str) -> Any:
    model = place.model_name(release.model)
    request: dict[str, Any] = {
        "parent": place.parent,
        "model": {
            "display_name": release.model,
            "description": "Versions of MLflow's registry, as 'mlops deploy' brought them here",
            "container_spec": container,
            "artifact_uri": uri,
            "version_aliases": [whole],
            "labels": place.labels,
            "encryption_spec": place.encryption,
        },
    }
    if found(place.models.get_model, name=model) is None:
        request["model_id"] = model.rpartition("/")[2]
    else:
        request["parent_model"] = model
    done(place.session, place.models.upload_model(request=request))
    return place.models.get_model(name=f"{model}@{whole}")
