# The template's: `copier update` renews this file.
"""Whose predictions they are: the name and version of the model behind a bundle."""

from typing import TYPE_CHECKING

from mlops.files import folder_hash
from mlops.serving.records import Identity

if TYPE_CHECKING:
    from mlops.registry.bundle import Bundle
    from mlops.registry.models import ModelRef
    from mlops.settings import Settings


def identity_of(bundle: "Bundle", reference: "ModelRef", settings: "Settings") -> Identity:
    """The registry's name and version; of a bundle that came as a folder its own name and its digest.

    What brought the folder may say its version in MLOPS_MODEL_VERSION.
    """
    if reference.version is not None:
        return Identity(reference.name, reference.version, settings.environment)
    version = settings.model_version or f"sha256:{folder_hash(reference.path)[:12]}"
    return Identity(settings.model_name or str(bundle.about["name"]), version, settings.environment)
