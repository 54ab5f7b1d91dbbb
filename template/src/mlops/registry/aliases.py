# The template's: `copier update` renews this file.
"""The aliases of a registered model, such as `champion`: MLflow's own, or tags of the model where a server has none."""

from typing import TYPE_CHECKING

from mlops.tracking import MISSING, find_version, lacks_route

if TYPE_CHECKING:
    from mlflow import MlflowClient
    from mlflow.entities.model_registry import ModelVersion, RegisteredModel

TAG = "mlops.alias."


def aliases_of(model: "RegisteredModel") -> dict[str, str]:
    """The versions by alias."""
    tagged = {key.removeprefix(TAG): str(value) for key, value in model.tags.items() if key.startswith(TAG)}
    return tagged | {alias: str(version) for alias, version in model.aliases.items()}


def aliased(client: "MlflowClient", name: str, alias: str) -> "ModelVersion | None":
    """The version that an alias points to; None where there is none, or no such model."""
    from mlflow.exceptions import MlflowException

    try:
        return client.get_model_version_by_alias(name, alias)
    except MlflowException as error:
        if error.error_code in MISSING:
            return None
        if not lacks_route(error):
            raise
    try:
        version = aliases_of(client.get_registered_model(name)).get(alias)
    except MlflowException as error:
        if error.error_code in MISSING:
            return None
        raise
    return find_version(client, name, version) if version else None


def set_alias(client: "MlflowClient", name: str, alias: str, version: str) -> None:
    """Have an alias point to a version."""
    from mlflow.exceptions import MlflowException

    try:
        client.set_registered_model_alias(name, alias, version)
    except MlflowException as error:
        if not lacks_route(error):
            raise
        client.set_registered_model_tag(name, TAG + alias, version)


def delete_alias(client: "MlflowClient", name: str, alias: str) -> None:
    """Have an alias point to nothing."""
    from mlflow.exceptions import MlflowException

    try:
        client.delete_registered_model_alias(name, alias)
    except MlflowException as error:
        if not lacks_route(error):
            raise
        client.delete_registered_model_tag(name, TAG + alias)
