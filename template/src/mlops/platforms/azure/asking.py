# The template's: `copier update` renews this file.
"""Whether a deployment answers a row by the version that it was given, before any other request goes to it."""

import json
from typing import Any

from mlops.errors import MlopsError
from mlops.platforms.azure.place import Place
from mlops.platforms.azure.session import answering
from mlops.platforms.base import Release
from mlops.platforms.judging import OF_WHO_ASKS, misanswered


def fault(place: Place, deployment: str, release: Release) -> str | None:
    """What is wrong with the answer to the release's sample; None if nothing is.

    Raises:
        MlopsError: the deployment cannot be asked.
    """
    doing = f"version {release.version} is deployed, but cannot be asked; deploy it again to go on"
    with answering(doing):
        status, said = _ask(place, deployment, json.dumps({"inputs": [dict(release.sample or {})]}))
    if status in OF_WHO_ASKS:
        raise MlopsError(f"{doing}: the endpoint says {status}: {said[:200]}")
    if status != 200:
        return f"does not answer a row of its own, but says {status}: {said[:200]}"
    return misanswered(said, release)


def _ask(place: Place, deployment: str, body: str) -> tuple[int, str]:
    """The status and the text of an answer: Azure's package takes only errors that look like its own."""
    from azure.core import PipelineClient
    from azure.core.pipeline.policies import RetryPolicy
    from azure.core.rest import HttpRequest

    endpoints = place.ml.online_endpoints
    address, token = endpoints.get(place.endpoint).scoring_uri, endpoints.get_keys(place.endpoint).access_token
    headers = {
        "Authorization": f"Bearer {token}",
        "azureml-model-deployment": deployment,
        "Content-Type": "application/json",
    }
    client: Any = PipelineClient(address, policies=[RetryPolicy()])
    with client:
        said = client.send_request(HttpRequest("POST", address, headers=headers, content=body))
        return said.status_code, said.text()
