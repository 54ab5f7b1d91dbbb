# The template's: `copier update` renews this file.
"""The model that serves: loaded in the background, and replaced when the registry has a new champion."""

import logging
from collections.abc import Callable
from pathlib import Path
from threading import Event, Thread
from typing import TYPE_CHECKING

from mlops import tracking
from mlops.errors import MlopsError, UsageError
from mlops.interpreter import roomy
from mlops.project import Project, find_root, load_project
from mlops.registry.aliases import aliased
from mlops.registry.models import ModelRef, find_model
from mlops.serving.locate import brought_bundle
from mlops.serving.served import Served

if TYPE_CHECKING:
    from mlflow import MlflowClient

    from mlops.settings import Settings

logger = logging.getLogger("mlops.serving")
BREATH = 1.0
"""Seconds between a model that is ready and what can wait."""


class Models:
    """What serves now, in `current`; None until the first model is loaded.

    A bundle that was brought is loaded once. A champion is followed: the next one is loaded while the
    old one answers, and takes its place between two requests. A registry that does not answer changes nothing.
    """

    def __init__(self, spec: str | None, settings: "Settings") -> None:
        self.settings = settings
        self.current: Served | None = None
        self.failure: MlopsError | None = None
        """Why there will never be a model."""
        self.on_failure: Callable[[], None] = lambda: None
        self.settled = Event()
        """Set once there is a model, or none is to be waited for."""
        self.swaps = 0
        self.registry_failures = 0
        self._spec = spec
        self._bundle = brought_bundle(spec, settings)
        self._project = None if self._bundle else _project(settings)
        self._client: MlflowClient | None = None
        self._stop = Event()
        self._thread = Thread(target=self._run, name="models", daemon=True)

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        self._stop.set()

    @roomy
    def _run(self) -> None:
        try:
            if self._bundle is not None:
                reference = ModelRef(self._bundle.name, None, None, self._bundle)
                self._take(Served.load(reference, self.settings))
                return
            while not self._stop.is_set():
                self._follow()
                self.settled.set()
                self._stop.wait(self.settings.poll_seconds)
        except Exception as error:
            self.failure = error if isinstance(error, MlopsError) else MlopsError(f"{type(error).__name__}: {error}")
            self.on_failure()
        finally:
            self.settled.set()

    def _follow(self) -> None:
        """Look once for the model that is meant, and load it if it is another than the present one."""
        assert self._project is not None
        present = self.current
        try:
            if present is not None and self._version() == present.identity.version:
                return
            reference = find_model(self._spec or self.settings.model, self._project, self.settings)
            if present is None or reference.version != present.identity.version:
                self._take(Served.load(reference, self.settings))
        except UsageError:
            # Without any model there is nothing to wait for; with one, an alias may be gone for a moment.
            if present is None:
                raise
            self._complain("the registry has no champion")
        except Exception as error:
            self._complain(str(error).splitlines()[0])

    def _version(self) -> str:
        """The version that is meant now, asked as cheaply as can be."""
        assert self._project is not None and self.current is not None
        if self._spec or self.settings.model:
            alias = (self._spec or self.settings.model or "").partition("@")[2]
            if not alias:
                return self.current.identity.version  # a version stays what it is
        else:
            alias = tracking.CHAMPION
        name = self.current.identity.name
        if (found := tracking.lookup(self.settings, name, alias, "")) is not None:
            return found.version
        if tracking.database(self.settings) is not None:
            # MLflow would make the file anew where it is gone.
            state = tracking.registered(self.settings, name, None, "")
            if alias != tracking.CHAMPION or state is None or state.champion is None:
                raise MlopsError(f"{self.settings.tracking_uri} has no {name}@{alias}")
            return state.champion
        self._client = self._client or tracking.open_client(self.settings)
        if (version := aliased(self._client, name, alias)) is None:
            raise MlopsError(f"{self.settings.tracking_uri} has no {name}@{alias}")
        return str(version.version)

    def _take(self, served: Served) -> None:
        old, self.current = self.current, served
        self.settled.set()
        self.swaps += old is not None
        logger.info(
            "model loaded",
            extra={
                "model": served.identity.name,
                "version": served.identity.version,
                "instead_of": old.identity.version if old else None,
            },
        )
        # Pandera is slow to import. No request is to wait for it, nor do the first ones share the interpreter with it.
        if self._stop.wait(BREATH):
            return
        try:
            _ = served.contract.checks
        except Exception as error:
            logger.warning("rows in text cannot be checked", extra={"why": str(error)})

    def _complain(self, why: str) -> None:
        self.registry_failures += 1
        if self.registry_failures == 1 or self.registry_failures % 100 == 0:
            logger.warning("registry does not answer", extra={"why": why, "times": self.registry_failures})


def _project(settings: "Settings") -> Project:
    """The project whose champion is meant; outside of one, MLOPS_MODEL_NAME says its name."""
    try:
        find_root()
    except UsageError as error:
        if settings.model_name is None:
            raise UsageError(
                "there is no model to serve: no bundle was brought (--model, MLOPS_MODEL), "
                "and this is no project with a champion"
            ) from error
        return Project(root=Path.cwd(), name=settings.model_name, package="")
    return load_project()
