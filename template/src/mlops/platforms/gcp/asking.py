# The template's: `copier update` renews this file.
"""Whether a deployed model answers a row by the version that it was given.

Vertex AI has no way to ask a deployed model that gets no requests. So the endpoint is asked as soon as a share of them
goes there, until an answer says in its headers that it came from the new one.
"""

import json
import math
from typing import Any

from mlops.errors import MlopsError
from mlops.platforms.base import Release
from mlops.platforms.gcp.place import Place
from mlops.platforms.gcp.session import answering
from mlops.platforms.judging import OF_WHO_ASKS, misanswered

ANSWERED_BY = "X-Vertex-AI-Deployed-Model-Id"
MISSED = 1e-6
"""How likely it may be that none of the requests comes to a deployed model that gets its share of them."""


def address(place: Place, endpoint: Any) -> str:
    """Where an endpoint is asked, without the method."""
    return f"https://{endpoint.dedicated_endpoint_dns.removeprefix('https://')}/v1/{place.endpoint_name}"


def fault(place: Place, endpoint: Any, deployed: str, release: Release, share: int) -> str | None:
    """What is wrong with the answer of a deployed model, which gets a share in percent, to the release's sample.

    Returns:
        None if nothing is wrong.

    Raises:
        MlopsError: the endpoint cannot be asked.
    """
    doing = f"version {release.version} is deployed, but cannot be asked; deploy it again to go on"
    url, body = f"{address(place, endpoint)}:rawPredict", json.dumps({"instances": [dict(release.sample or {})]})
    last = "it answered nothing"
    for _ in range(_times(share)):
        with answering(doing):
            said = place.session.http.post(url, data=body, headers={"Content-Type": "application/json"}, timeout=60)
        if said.status_code in OF_WHO_ASKS:
            raise MlopsError(f"{doing}: the endpoint says {said.status_code}: {said.text[:200]}")
        if said.headers.get(ANSWERED_BY) == deployed:
            if said.status_code != 200:
                return f"does not answer a row of its own, but says {said.status_code}: {said.text[:200]}"
            return misanswered(said.content, release)
        # Without the header nobody knows whose answer it is; the version before may not know all that is in the row.
        if said.status_code != 200:
            last = f"the last answer was {said.status_code}: {said.text[:200]}"
    return f"did not answer a row of its own in {_times(share)} requests, of which {share} % go there; {last}"


def _times(share: int) -> int:
    return 1 if share >= 100 else math.ceil(math.log(MISSED) / math.log(1 - share / 100))
