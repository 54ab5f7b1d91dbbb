# The template's: `copier update` renews this file.
"""Clients of Azure Machine Learning, whose package takes seconds to import and says more than there is to know."""

import io
import logging
from collections.abc import Callable
from contextlib import redirect_stdout
from functools import cache
from typing import Any

from mlops.platforms.azure.session import Session


def workspace(session: Session) -> Any:
    """The client of this environment's workspace."""
    return client(session, session.setting("resource_group"), session.setting("workspace"))


@cache
def client(session: Session, group: str | None = None, name: str | None = None, registry: str | None = None) -> Any:
    """The client of a workspace or of a registry."""
    from azure.ai.ml import MLClient

    logging.getLogger("azure.ai.ml").setLevel(logging.ERROR)  # which of its classes may change
    return MLClient(
        session.credential,
        session.setting("subscription"),
        group,
        name,
        registry_name=registry,
        show_progress=False,
        enable_telemetry=False,
    )


def found(ask: Callable[..., Any], *args: Any, **names: Any) -> Any:
    """What Azure says of something; None where there is no such thing."""
    from azure.core.exceptions import ResourceNotFoundError

    try:
        return ask(*args, **names)
    except ResourceNotFoundError:
        return None


def done(begin: Callable[..., Any], *args: Any, **names: Any) -> Any:
    """What an operation comes to in the end; Azure's package would print a dot for each time that it asks."""
    with redirect_stdout(io.StringIO()):
        return begin(*args, **names).result()
