# The template's: `copier update` renews this file.
"""Azure Resource Manager, asked directly: for what is no machine learning, and where its package takes too long."""

import os
from functools import cache
from typing import Any

from mlops.platforms.azure.session import Session


def ask(session: Session, path: str, version: str, *, method: str = "GET", body: Any = None, **query: str) -> Any:
    """What it says of a resource, by its whole id.

    Raises:
        ResourceNotFoundError: there is no such thing.
        AzureError: it refuses or does not answer; to be used within `answering`.
    """
    from azure.core.exceptions import ResourceNotFoundError
    from azure.core.pipeline.policies import BearerTokenCredentialPolicy, RetryPolicy
    from azure.core.rest import HttpRequest
    from azure.mgmt.core import ARMPipelineClient

    login = BearerTokenCredentialPolicy(session.credential, f"{address()}/.default")
    asked = HttpRequest(method, f"{address()}{path}", params={"api-version": version, **query}, json=body)
    client: ARMPipelineClient[Any, Any] = ARMPipelineClient(address(), policies=[RetryPolicy(), login])
    with client:
        said = client.send_request(asked)
        if said.status_code == 404:
            raise ResourceNotFoundError(response=said)
        said.raise_for_status()
        return said.json() if said.content else {}


@cache
def address() -> str:
    """Where it is: in another cloud of Microsoft's, ARM_CLOUD_METADATA_URL tells."""
    where = os.environ.get("ARM_CLOUD_METADATA_URL")
    if not where:
        return "https://management.azure.com"
    from azure.core import PipelineClient
    from azure.core.pipeline.policies import RetryPolicy
    from azure.core.rest import HttpRequest

    client: PipelineClient[Any, Any] = PipelineClient(where, policies=[RetryPolicy()])
    with client:
        said = client.send_request(HttpRequest("GET", where))
        said.raise_for_status()
        clouds = [str(cloud["resourceManager"]).rstrip("/") for cloud in said.json()]
    return next((cloud for cloud in clouds if cloud in where), clouds[0])
