# The template's: `copier update` renews this file.
"""Images in Azure Container Registry, by the part of Docker's API that a login of Azure opens."""

from typing import Any

from mlops.errors import UsageError
from mlops.platforms.azure.session import Session, answering
from mlops.platforms.cloud import MANIFESTS, no_image

AUDIENCE = "https://containerregistry.azure.net/.default"


def digest(session: Session, repository: str, tag: str) -> str:
    """The digest reference of an image.

    Raises:
        UsageError: there is none, or the repository is not written as one.
    """
    host, _, name = repository.partition("/")
    if not name:
        raise UsageError(f"'{repository}' is no repository; write REGISTRY.azurecr.io/NAME")
    from azure.core import PipelineClient
    from azure.core.pipeline.policies import RetryPolicy
    from azure.core.rest import HttpRequest

    client: PipelineClient[Any, Any] = PipelineClient(f"https://{host}", policies=[RetryPolicy()])
    with answering(f"the image {repository}:{tag} cannot be looked up"), client:

        def ask(method: str, path: str, **more: Any) -> Any:
            said = client.send_request(HttpRequest(method, f"https://{host}{path}", **more))
            if said.status_code != 404:
                said.raise_for_status()
            return said

        login = {"grant_type": "access_token", "access_token": session.credential.get_token(AUDIENCE).token}
        refresh = ask("POST", "/oauth2/exchange", data={**login, "service": host}).json()["refresh_token"]
        wanted = {"grant_type": "refresh_token", "refresh_token": refresh, "scope": f"repository:{name}:pull"}
        token = ask("POST", "/oauth2/token", data={**wanted, "service": host}).json()["access_token"]
        headers = {"Authorization": f"Bearer {token}", "Accept": MANIFESTS}
        said = ask("HEAD", f"/v2/{name}/manifests/{tag}", headers=headers)
    if said.status_code == 404:
        raise no_image(repository, tag)
    return f"{repository}@{said.headers['Docker-Content-Digest']}"
