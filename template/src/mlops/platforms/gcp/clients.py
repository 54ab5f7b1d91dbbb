# The template's: `copier update` renews this file.
"""Clients of Vertex AI: those that its package is made from, since all of it takes twice as long to import."""

import time
from collections.abc import Callable
from functools import cache
from importlib import import_module
from typing import Any

from mlops.platforms.gcp.session import Session


@cache
def client(session: Session, service: str, region: str) -> Any:
    """The client of a service of a region, such as `EndpointService`; it speaks REST, which proxies let through."""
    module = import_module("google.cloud.aiplatform_v1")
    return getattr(module, f"{service}Client")(
        credentials=session.credentials,
        transport="rest",
        client_options={"api_endpoint": f"{region}-aiplatform.googleapis.com"},
    )


def found(ask: Callable[..., Any], **names: Any) -> Any:
    """What Google says of something; None where there is no such thing."""
    from google.api_core.exceptions import NotFound

    try:
        return ask(**names)
    except NotFound:
        return None


def done(session: Session, operation: Any) -> Any:
    """What an operation comes to in the end, however long that takes; a lost connection does not end it."""
    from google.api_core.retry import Retry

    while not operation.done(retry=Retry()):
        time.sleep(session.settings.poll_seconds)
    return operation.result()
