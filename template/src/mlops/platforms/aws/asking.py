# The template's: `copier update` renews this file.
"""Whether an endpoint answers a row by the version that it was given."""

import json
import time

from mlops.errors import MlopsError
from mlops.platforms.aws.place import Place
from mlops.platforms.aws.session import answering
from mlops.platforms.base import Release
from mlops.platforms.judging import misanswered

ATTEMPTS = 3
"""A serverless endpoint may be too slow to start for the first."""
OF_THE_MODEL = ("ModelError", "ModelNotReadyException", "InternalFailure", "ServiceUnavailable")
"""Errors that say something of the version, and not of who asks."""


def fault(place: Place, release: Release) -> str | None:
    """What is wrong with the answer to the release's sample; None if nothing is.

    Raises:
        MlopsError: the endpoint cannot be asked.
    """
    from botocore.exceptions import ClientError

    runtime = place.session.client("sagemaker-runtime", place.region)
    body = json.dumps({"inputs": [dict(release.sample or {})]})
    why = ""
    for attempt in range(ATTEMPTS):
        if attempt:
            time.sleep(place.session.settings.poll_seconds)
        try:
            with answering(f"version {release.version} serves, but cannot be asked; deploy it again to go on"):
                reply = runtime.invoke_endpoint(EndpointName=place.endpoint, Body=body, ContentType="application/json")
                if (wrong := misanswered(reply["Body"].read(), release)) is None:
                    return None
                why = wrong
        except MlopsError as error:
            refused = error.__cause__
            if not isinstance(refused, ClientError) or refused.response["Error"]["Code"] not in OF_THE_MODEL:
                raise
            why = f"does not answer a row of its own: {refused}"
    return why
