# The template's: `copier update` renews this file.
"""Where the bundle lies that a person or a platform brought, if one did."""

import os
from pathlib import Path

from mlops.errors import MlopsError, UsageError
from mlops.files import passing_folder
from mlops.settings import Settings
from mlops.source import without_secrets

SAGEMAKER = "/opt/ml"
KSERVE = Path("/mnt/models")


def brought_bundle(spec: str | None, settings: Settings) -> Path | None:
    """The folder of a bundle; None where a registry is to be asked.

    One that is remote is downloaded, and removed again when the process ends.
    The first of: `spec`, MLOPS_MODEL, SageMaker's folder, AZUREML_MODEL_DIR, AIP_STORAGE_URI, KServe's folder.
    SageMaker's lies in SAGEMAKER_BASE_DIR, as its own toolkits have it.

    Raises:
        UsageError: what was named holds no bundle, or several.
        MlopsError: it cannot be downloaded.
    """
    for name, named in (("--model", spec), ("MLOPS_MODEL", settings.model)):
        if named:
            if "://" in named:
                return _within(_download(name, named), name, named)
            return _within(Path(named), name, named) if Path(named).exists() else None
    if (found := _search(Path(os.environ.get("SAGEMAKER_BASE_DIR") or SAGEMAKER, "model"))) is not None:
        return found
    for name in ("AZUREML_MODEL_DIR", "AIP_STORAGE_URI"):
        if place := os.environ.get(name):
            return _within(_download(name, place) if "://" in place else Path(place), name, place)
    return _search(KSERVE)


def _within(folder: Path, name: str, place: str) -> Path:
    found = _search(folder)
    if found is None:
        raise UsageError(f"{name} '{without_secrets(place)}' holds no model bundle: there is no bundle.json in it")
    return found


def _search(folder: Path) -> Path | None:
    """The folder itself, or the one folder in it, that is a bundle."""
    if (folder / "bundle.json").is_file():
        return folder
    found = sorted(file.parent for file in folder.glob("*/bundle.json"))
    if len(found) > 1:
        raise UsageError(f"{folder} holds {len(found)} model bundles, such as {found[0].name}; name one with --model")
    return found[0] if found else None


def _download(name: str, url: str) -> Path:
    import fsspec

    shown = without_secrets(url)
    folder = passing_folder("bundle-")
    try:
        filesystem, path = fsspec.core.url_to_fs(url)
        filesystem.get(path.rstrip("/") + "/", f"{folder}/", recursive=True)
    except (ImportError, ValueError) as error:
        raise UsageError(f"{name} '{shown}': {error}") from error
    except Exception as error:
        raise MlopsError(f"{name} '{shown}' cannot be downloaded: {type(error).__name__}: {error}") from error
    return folder
