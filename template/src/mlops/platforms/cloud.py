# The template's: `copier update` renews this file.
"""What adapters of clouds have in common: where a project is there, what a doctor sees, and each region in its turn."""

import hashlib
import tomllib
from collections.abc import Callable, Mapping
from functools import cached_property
from typing import Any, ClassVar, Protocol

from pydantic_settings import BaseSettings

from mlops.errors import MlopsError, UsageError
from mlops.files import canonical_hash
from mlops.platforms.base import Deployment, Needs, Release, Say, Serving, Variable
from mlops.project import Project
from mlops.settings import Settings

Row = tuple[str, str, str | None]
"""What was looked at, what was found, and how to mend it: None where all is well, empty where that is not known."""
ATTEMPTS = 10
"""How many runs of the same thing may fail before a person has to give a token of their own."""
MANIFESTS = ", ".join(
    (
        "application/vnd.oci.image.index.v1+json",
        "application/vnd.oci.image.manifest.v1+json",
        "application/vnd.docker.distribution.manifest.list.v2+json",
        "application/vnd.docker.distribution.manifest.v2+json",
    )
)
"""What a registry of images may answer with, as its API wants to be told."""


class CloudSession:
    """A project's place in a cloud."""

    cloud: ClassVar[str]
    """As `--on` names it."""
    purposes: ClassVar[Mapping[str, str]]
    """What each setting is, of those that start with `MLOPS_<CLOUD>_`."""

    def __init__(self, project: Project, settings: Settings, own: BaseSettings) -> None:
        self.project, self.settings, self._own = project, settings, own

    @property
    def name(self) -> str:
        """The name of this project's things in this environment, such as `flight-delays-dev`."""
        return f"{self.project.name}-{self.settings.environment}"

    @property
    def tags(self) -> dict[str, str]:
        """What this project's things are found and billed by."""
        return {"project": self.project.name, "environment": self.settings.environment}

    @cached_property
    def table(self) -> Mapping[str, Any]:
        """`[tool.mlops.<cloud>]` of pyproject.toml."""
        said = tomllib.loads((self.project.root / "pyproject.toml").read_text(encoding="utf-8"))
        return said.get("tool", {}).get("mlops", {}).get(self.cloud, {})  # type: ignore[no-any-return]

    def setting(self, name: str) -> str:
        """A setting that is needed.

        Raises:
            UsageError: it is not set.
        """
        value = getattr(self._own, name)
        if not value:
            raise UsageError(
                f"{self._variable(name)} is not set: {self.purposes[name]}; "
                f"'mlops doctor --on {self.cloud}' says where it comes from"
            )
        return str(value)

    def variable(
        self,
        name: str,
        purpose: str,
        *,
        required: bool = False,
        login: str | None = None,
        planned: bool = False,
        told: str | None = None,
    ) -> Variable:
        """A setting as `mlops doctor --on` and the workflows know it."""
        value = str(getattr(self._own, name) or "") or None
        return Variable(self._variable(name), value, purpose, required, login, planned, told)

    def _variable(self, name: str) -> str:
        return f"MLOPS_{self.cloud.upper()}_{name.upper()}"


def shortened(name: str, longest: int) -> str:
    """A name, or where it is too long its beginning and a digest of it."""
    return name if len(name) <= longest else f"{name[: longest - 9].rstrip('-')}-{canonical_hash(name)[:8]}"


def start_once(name: str, token: str, start: Callable[[str], str | None]) -> str:
    """The run that a token stands for, which is started unless it is there.

    Args:
        name: What is run.
        start: Given a digest, returns the run that it stands for, there or started now; None where that ended badly,
            and the next one takes its place.

    Raises:
        MlopsError: the same has failed too often.
    """
    for attempt in range(ATTEMPTS):
        if (run := start(hashlib.sha256(f"{token}/{attempt}".encode()).hexdigest())) is not None:
            return run
    raise MlopsError(f"the same has failed {ATTEMPTS} times on {name}; --token with another word starts it")


class Machine(Protocol):
    """What a machine has."""

    @property
    def cpu(self) -> float: ...

    @property
    def memory_gb(self) -> float: ...

    @property
    def gpu(self) -> int: ...


def has(machine: Machine, needs: Needs) -> bool:
    """Whether a machine has what is needed, save disks; one with a GPU only where one is asked for."""
    return (
        machine.cpu >= needs.cpu
        and machine.memory_gb >= needs.memory_gb
        and machine.gpu >= needs.gpu
        and bool(machine.gpu) == bool(needs.gpu)
    )


def no_image(repository: str, tag: str) -> UsageError:
    """What is to be said where a repository does not have an image."""
    return UsageError(f"there is no image {repository}:{tag}; the workflow image.yml makes it")


def looked(what: str, look: Callable[[], str], is_denied: Callable[[BaseException | None], bool], advice: str) -> Row:
    """What a look found; one that the cloud does not allow says nothing of what is there.

    Args:
        what: What is looked at.
        look: Returns what is there; raises `MlopsError`, with advice after a semicolon or none.
        is_denied: Whether what the cloud raised means that this login may not look.
        advice: Where the error has none.
    """
    try:
        return what, look(), None
    except MlopsError as error:
        if is_denied(error.__cause__):
            return what, "not known, for this login may not look at it", ""
        message, _, own = str(error).partition("; ")
        return what, message, own or advice


class Endpoint(Protocol):
    """A project's endpoint in one region."""

    def deploy(self, release: Release, serving: Serving) -> Deployment: ...

    def rollback(self, version: str) -> Deployment: ...


def deploy_each(endpoints: Mapping[str, Endpoint], release: Release, serving: Serving) -> Deployment:
    """Serve a release in each region, the main one first.

    Raises:
        MlopsError: it failed in one; the version before serves there.
    """
    made: list[Deployment] = []
    for region, endpoint in endpoints.items():
        try:
            made.append(endpoint.deploy(release, serving))
        except MlopsError as error:
            if not made:
                raise
            raise MlopsError(
                f"version {release.version} serves in {next(iter(endpoints))}, but not in {region}: {error}; "
                "deploy it again to go on"
            ) from error
    first = made[0]
    changed = any(each.changed for each in made)
    return Deployment(first.endpoint, release.version, first.previous, first.address, changed)


def roll_back_each(endpoints: Mapping[str, Endpoint], version: str) -> Deployment:
    """Serve a version again as it was served before the present one, in each region.

    Raises:
        MlopsError: a region cannot; the others have done it all the same.
    """
    made, failed = [], []
    for endpoint in endpoints.values():
        try:
            made.append(endpoint.rollback(version))
        except MlopsError as error:
            failed.append(error)
    if failed:
        raise failed[0]
    return made[0]


def telling(say: Say, region: str, *, several: bool) -> Say:
    """Tells with the region's name, where there are several."""
    return (lambda told: say(f"{region}: {told}")) if several else say
