# The template's: `copier update` renews this file.
"""Whether a revision answers a row by the version that it was given, before any other request goes to it."""

from mlops.errors import MlopsError
from mlops.platforms.base import Release
from mlops.platforms.judging import OF_WHO_ASKS, misanswered
from mlops.platforms.kubeflow.cluster import Cluster
from mlops.platforms.kubeflow.session import answering, status_of


def fault(cluster: Cluster, revision: str, release: Release) -> str | None:
    """What is wrong with the answer to the release's sample; None if nothing is.

    Raises:
        MlopsError: the revision cannot be asked.
    """
    from kubernetes.client.exceptions import ApiException

    doing = f"version {release.version} is deployed, but cannot be asked; deploy it again to go on"
    with answering(doing):
        pods = cluster.pods(revision)
        if not pods:
            raise MlopsError(f"{doing}: {revision} has no pod that is ready")
        try:
            said = cluster.through(pods[0], "invocations", {"inputs": [dict(release.sample or {})]})
        except ApiException as error:
            status = status_of(error)
            if not status or status in OF_WHO_ASKS:
                raise
            text = (error.body or b"").decode() if isinstance(error.body, bytes) else str(error.body)
            return f"does not answer a row of its own, but says {status}: {text[:200]}"
    return misanswered(said, release)
