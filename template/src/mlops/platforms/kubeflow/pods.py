# The template's: `copier update` renews this file.
"""`[tool.mlops.kubeflow]` of pyproject.toml: what pods get that only Kubernetes has, typed and checked."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator

from mlops.errors import UsageError
from mlops.params import checked
from mlops.platforms.base import Needs

FILE, TABLE = Path("pyproject.toml"), ("tool", "mlops", "kubeflow")
NAME = r"^[a-z0-9]([a-z0-9.-]{0,251}[a-z0-9])?$"
LABEL = r"^([A-Za-z0-9]([A-Za-z0-9_.-]{0,61}[A-Za-z0-9])?)?$"


class _Table(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True, frozen=True)


class Toleration(_Table):
    """A taint of nodes that does not keep a pod away."""

    key: str | None = None
    """None with `Exists`: every taint."""
    operator: Literal["Equal", "Exists"] = "Equal"
    value: str | None = None
    effect: Literal["NoSchedule", "PreferNoSchedule", "NoExecute"] | None = None
    toleration_seconds: int | None = Field(default=None, ge=0)

    @model_validator(mode="after")
    def _as_kubernetes_takes_it(self) -> Self:
        if self.operator == "Exists" and self.value is not None:
            raise ValueError("operator Exists takes no value; take it out")
        if self.operator == "Equal" and self.key is None:
            raise ValueError("operator Equal needs a key; give it, or operator = 'Exists'")
        if self.toleration_seconds is not None and self.effect != "NoExecute":
            raise ValueError("toleration_seconds is for the effect NoExecute alone")
        return self

    def written(self) -> dict[str, Any]:
        """As Kubernetes writes it."""
        told = self.model_dump(exclude_none=True)
        return {{"toleration_seconds": "tolerationSeconds"}.get(name, name): value for name, value in told.items()}


class Secret(_Table):
    """A Secret of the namespace, as variables of the environment or as files."""

    name: str = Field(pattern=NAME)
    env: dict[str, str] = {}
    """Variables by key of the Secret."""
    path: str | None = Field(default=None, pattern="^/")
    """Where its keys are files."""

    @model_validator(mode="after")
    def _as_something(self) -> Self:
        if not self.env and self.path is None:
            raise ValueError("it is given to nobody; say env = {KEY = 'VARIABLE'}, or path = '/...'")
        return self


class Volume(_Table):
    """A PersistentVolumeClaim of the namespace."""

    claim: str = Field(pattern=NAME)
    path: str = Field(pattern="^/")


class Pod(_Table):
    """What a pod gets."""

    tolerations: tuple[Toleration, ...] = Field(default=(), strict=False)
    node_selector: dict[str, str] = {}
    labels: dict[str, str] = {}
    annotations: dict[str, str] = {}
    secrets: tuple[Secret, ...] = Field(default=(), strict=False)
    volumes: tuple[Volume, ...] = Field(default=(), strict=False)

    def __add__(self, other: "Pod") -> "Pod":
        """Both together; where both say something of a name, the other holds."""
        return Pod(
            tolerations=self.tolerations + other.tolerations,
            node_selector=self.node_selector | other.node_selector,
            labels=self.labels | other.labels,
            annotations=self.annotations | other.annotations,
            secrets=self.secrets + other.secrets,
            volumes=self.volumes + other.volumes,
        )


class Pods(_Table):
    """All of `[tool.mlops.kubeflow]`."""

    image_pull_secrets: tuple[str, ...] = Field(default=(), strict=False)
    run_as_user: int | None = Field(default=1000, ge=1)
    """The user that steps and endpoint run as, whatever the image says; None leaves it to the image."""
    gpu_resource: str = "nvidia.com/gpu"
    """What nodes call their GPUs."""
    every: Pod = Pod()
    """What each pod gets: steps, scheduled verbs and the endpoint."""
    spot: Pod | None = None
    """What a step gets besides that may be interrupted; None where the cluster has no such nodes."""
    gpu: Pod = Pod()
    """What those get besides that ask for a GPU."""
    checkpoints: str | None = Field(default=None, pattern=NAME)
    """A PersistentVolumeClaim where boosters save themselves in steps that may be interrupted; None: nowhere."""
    steps: dict[str, Pod] = {}
    """What a step gets besides, by the name that `mlops compile` gives it; `endpoint` is the endpoint."""
    prices: dict[str, float] = {}
    """US dollars an hour of the nodes, by name: a cluster knows no prices."""

    def of(self, name: str, needs: Needs) -> Pod:
        """What the pods of a step get.

        Raises:
            UsageError: it asks for spot, and nothing says which nodes these are.
        """
        found = self.every
        if needs.spot:
            if self.spot is None:
                raise UsageError(
                    f"resources.yaml: '{name}' asks for spot, and [{'.'.join(TABLE)}.spot] in {FILE} does not say "
                    "which nodes these are; give node_selector and tolerations there, or set spot: false"
                )
            found += self.spot
        if needs.gpu:
            found += self.gpu
        return found + self.steps.get(name, Pod())


def read_pods(table: Mapping[str, Any]) -> Pods:
    """Check the table.

    Raises:
        UsageError: a key is unknown or has an impossible value.
    """
    return checked(Pods, dict(table), FILE, *TABLE)
