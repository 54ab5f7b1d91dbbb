# The template's: `copier update` renews this file.
"""Images in Artifact Registry, by the part of Docker's API that a login of Google Cloud opens."""

from mlops.errors import UsageError
from mlops.platforms.cloud import MANIFESTS, no_image
from mlops.platforms.gcp.session import Session, answering


def digest(session: Session, repository: str, tag: str) -> str:
    """The digest reference of an image.

    Raises:
        UsageError: there is none, or the repository is not written as one.
    """
    host, _, name = repository.partition("/")
    if not name:
        raise UsageError(f"'{repository}' is no repository; write REGION-docker.pkg.dev/PROJECT/REPOSITORY/NAME")
    from google.api_core.exceptions import from_http_response

    with answering(f"the image {repository}:{tag} cannot be looked up"):
        url = f"https://{host}/v2/{name}/manifests/{tag}"
        said = session.http.head(url, headers={"Accept": MANIFESTS}, timeout=60)
        if not said.ok and said.status_code != 404:
            raise from_http_response(said)
    if said.status_code == 404:
        raise no_image(repository, tag)
    return f"{repository}@{said.headers['Docker-Content-Digest']}"
