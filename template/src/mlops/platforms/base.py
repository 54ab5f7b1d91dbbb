# The template's: `copier update` renews this file.
"""The interface between the machinery and a platform: what is handed over, and what an adapter has to offer.

An adapter is a module or package `mlops.platforms.NAME` with a function `connect(project, settings)` that returns a
`Platform`. Where asking the platform takes packages of an extra, `SDK` names a module of theirs, and the adapter
imports them where it asks. Nothing outside it knows the platform by name.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Literal, Protocol

from mlops.files import folder_hash

State = Literal["running", "succeeded", "failed", "stopped"]


@dataclass(frozen=True)
class Needs:
    """What a step or an endpoint needs, in no cloud's words."""

    cpu: float = 2
    memory_gb: float = 4
    gpu: int = 0
    nodes: int = 1
    spot: bool = False
    disk_gb: int = 30
    timeout_minutes: int = 60
    retries: int = 1


@dataclass(frozen=True)
class Serving:
    """How the model is served, in no cloud's words: `serving` in resources.yaml."""

    needs: Needs = Needs()
    serverless: bool = False
    min_instances: int = 1
    max_instances: int = 1
    requests_per_minute: int = 1000
    """Of one instance, before another is added."""
    canary_percent: int = 10
    """Of the traffic, which a new version gets first; 0 for all of it at once."""
    canary_minutes: int = 10


@dataclass(frozen=True)
class Abilities:
    """What a platform can do; a request that it cannot meet is refused with exit code 2."""

    images: bool = False
    """Whether it runs steps in the pipeline image; without, they run in the environment that is here."""
    spot: bool = False
    several_nodes: bool = False
    gpu: bool = False
    schedules: bool = False
    endpoints: bool = False
    serverless: bool = False
    components: bool = False
    """Whether it keeps steps by themselves, for pipelines that are put together there."""


@dataclass(frozen=True)
class Port:
    """A file or folder that goes from one step to another."""

    path: str
    """As dvc.yaml names it."""
    name: str
    """Legal on every platform: lower-case letters, digits and hyphens."""
    step: str | None = None
    """Of an input: the step that makes it."""


@dataclass(frozen=True)
class Step:
    """What runs in one container: a stage, or the stages of a group in their order."""

    name: str
    """Legal on every platform, and unique."""
    stages: tuple[str, ...]
    """Names in dvc.yaml, such as `train@large`."""
    inputs: tuple[Port, ...]
    outputs: tuple[Port, ...]
    needs: Needs
    cacheable: bool
    """Whether the same inputs give the same outputs, so that a platform may take those of an earlier run."""
    reads_source: bool = False
    """Whether it reads `data.source`, and pushes what it made of it to the DVC remote."""


@dataclass(frozen=True)
class Job:
    """What belongs to one run of the pipeline and not to its definition."""

    steps: tuple[Step, ...]
    image: str
    """The pipeline image, by digest."""
    lineage: Mapping[str, str]
    """Tags such as `mlops.commit`, as text; never part of what a cache keys on."""
    data_source: str | None = None
    """In place of `data.source`."""
    data_version: str | None = None
    """A digest of the source's files: part of what the cache of a step keys on that reads them."""


@dataclass(frozen=True)
class Status:
    """How a run stands; `reason` says why it failed, in a line."""

    run: str
    state: State
    steps: Mapping[str, State] = field(default_factory=dict)
    reason: str | None = None


@dataclass(frozen=True)
class Schedule:
    """What is started regularly: a verb of `mlops` in the pipeline image, or the whole pipeline."""

    name: str
    cron: str
    """Five fields, in UTC."""
    command: tuple[str, ...] | None
    """Such as ("mlops", "monitor"); None for the pipeline."""


@dataclass(frozen=True)
class Release:
    """A model version to be served."""

    model: str
    version: str
    run_id: str
    bundle: Path
    """Its folder on this machine."""
    image: str
    """The serving image, by digest."""
    sample: Mapping[str, object] | None = None
    """A row that the endpoint has to answer before the release counts as done."""
    environment: Mapping[str, str] = field(default_factory=dict)
    """Variables of the server, save those that the platform knows better, such as where the log goes."""
    about: Mapping[str, str] = field(default_factory=dict)
    """What a registry of the platform's own shows of it, such as its commit and its metrics."""
    standing: Mapping[str, str] = field(default_factory=dict)
    """`champion`, `waiting` or `former` of each version of the model that was ever a candidate."""

    @cached_property
    def digest(self) -> str:
        """SHA-256 of the bundle's files."""
        return folder_hash(self.bundle)


@dataclass(frozen=True)
class Deployment:
    """An endpoint as it is now."""

    endpoint: str
    version: str | None
    """The model version that all requests go to; None where there is no endpoint."""
    previous: str | None = None
    """The version that `rollback` would go back to."""
    address: str | None = None
    changed: bool = True
    """Whether anything had to be done for it."""


@dataclass(frozen=True)
class Variable:
    """A setting that the platform needs, as `mlops doctor --on` and the workflows know it."""

    name: str
    value: str | None
    purpose: str
    required: bool = True
    login: str | None = None
    """Of a role that workflows log in as: which one, plan, apply, train or deploy. Runs have no need of it."""
    planned: bool = False
    """Whether a plan of the infrastructure needs it as well: that job is in no environment."""
    told: str | None = None
    """The command that prints it; None for an output of Terraform that has its name."""


Say = Callable[[str], None]
"""Tells the user of progress, in a line."""


class Platform(Protocol):
    """One platform. Each method raises `UsageError` for what it cannot do, `MlopsError` for what failed there."""

    name: str
    can: Abilities

    def variables(self) -> Sequence[Variable]:
        """The settings it needs and what they are now."""
        ...

    def check(self) -> Sequence[tuple[str, str, str | None]]:
        """Look at credentials, storage and tracking there: (what, what was found, how to mend it or None)."""
        ...

    def repository(self, target: str) -> str:
        """Where images of a target (`pipeline` or `serving`) are kept, without a tag."""
        ...

    def image(self, target: str, tag: str) -> str:
        """The digest reference of an image (`pipeline` or `serving`) by its tag.

        Raises:
            UsageError: there is none; the message names the command that makes it.
        """
        ...

    def compile(self, job: Job) -> Mapping[str, str]:
        """The platform's own definition of the pipeline: texts by file name. Nothing is asked of the platform."""
        ...

    def submit(self, job: Job, *, token: str) -> str:
        """Create or update the pipeline there and start it; the same token starts it once. Returns the run.

        One that ended badly does not count: then the same token starts it anew.
        """
        ...

    def status(self, run: str) -> Status:
        """How a run stands."""
        ...

    def register(self, job: Job) -> Sequence[str]:
        """Keep the steps as components for pipelines that are put together there; return their names."""
        ...

    def schedule(self, schedules: Sequence[Schedule], job: Job) -> str | None:
        """Bring what is started regularly to these schedules; others of this project are removed.

        Returns:
            Why nothing is, where a setting for it is missing.
        """
        ...

    def deploy(self, release: Release, serving: Serving, say: Say) -> Deployment:
        """Serve a version: create the endpoint, or go over to it by canary and go back where that fails.

        Raises:
            MlopsError: it failed, and the version before serves again.
        """
        ...

    def rollback(self, version: str, standing: Mapping[str, str], say: Say) -> Deployment:
        """Serve a version again, which served before the present one; `standing` is as of a `Release`."""
        ...

    def deployment(self) -> Deployment:
        """What the endpoint serves."""
        ...

    def publish(self, metrics: Mapping[str, float], dimensions: Mapping[str, str]) -> None:
        """Write metrics where the platform's alarms look."""
        ...

    def prices(self) -> Mapping[str, float]:
        """US dollars an hour of what this project's steps and endpoint would run on, by name of the machine."""
        ...
