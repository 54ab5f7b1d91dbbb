# The template's: `copier update` renews this file.
"""A bundle in its storage account, as a model asset of the workspace, which is never replaced by another."""

from mlops.errors import MlopsError
from mlops.platforms.azure.clients import found
from mlops.platforms.azure.place import Place
from mlops.platforms.azure.session import answering
from mlops.platforms.base import Release

DATASTORE = "mlops"
"""What the workspace calls the container; it has no key of it, but goes there as whoever asks."""
DIGEST = "mlops.sha256"


def asset(model: str) -> str:
    """The name of bundles among the workspace's models: MLflow's own may be there under the name of the model."""
    return f"{model}-bundle"


def upload(place: Place, release: Release) -> str:
    """Bring the bundle to its place, and have a model asset of it; returns its name and version.

    Raises:
        MlopsError: another bundle is there already, or the storage account does not take it.
    """
    name, digest = asset(release.model), release.digest
    folder = f"bundles/{release.model}/{release.version}"
    url = f"abfs://{place.session.azure.container}@{place.account}.dfs.core.windows.net/{folder}"
    with answering(f"the bundle cannot be brought to {url}"):
        there = found(place.ml.models.get, name, release.version)
        if there is None:
            # Nothing reads the folder before the asset is there, so one that was cut short is written over.
            _copy(place, release, folder)
            _make(place, release, name, folder, digest)
    if there is not None and there.tags.get(DIGEST) != digest:
        raise MlopsError(
            f"the model asset {name}:{release.version} of {place.workspace} is another bundle than version "
            f"{release.version} in the registry; was the registry made anew? The version of an asset is never given "
            "again, so set MLOPS_MODEL_NAME to a new name, then train and deploy"
        )
    return f"{name}:{release.version}"


def _copy(place: Place, release: Release, folder: str) -> None:
    import fsspec

    files = fsspec.filesystem("abfs", account_name=place.account, anon=False)
    try:
        files.put(f"{release.bundle}/", f"{place.session.azure.container}/{folder}/", recursive=True)
    except OSError as error:
        raise MlopsError(f"the bundle cannot be brought to {place.account}: {error}") from error


def _make(place: Place, release: Release, name: str, folder: str, digest: str) -> None:
    from azure.ai.ml.entities import AzureBlobDatastore, Model

    if found(place.ml.datastores.get, DATASTORE) is None:
        store = AzureBlobDatastore(
            name=DATASTORE, account_name=place.account, container_name=place.session.azure.container
        )
        place.ml.datastores.create_or_update(store)
    place.ml.models.create_or_update(
        Model(
            name=name,
            version=release.version,
            path=f"azureml://datastores/{DATASTORE}/paths/{folder}",
            type="custom_model",
            description=f"{release.model} version {release.version}, as MLflow's registry has it",
            tags={DIGEST: digest},
        )
    )
