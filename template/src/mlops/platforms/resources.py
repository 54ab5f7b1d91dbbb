# The template's: `copier update` renews this file.
"""`resources.yaml`: what stages and the endpoint need, which stages share a container, and what runs when."""

import hashlib
import re
import shlex
from collections.abc import Mapping
from dataclasses import fields
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ConfigDict, Field, field_validator, model_validator

from mlops.errors import UsageError
from mlops.params import checked, read_yaml
from mlops.platforms.base import Needs, Port, Schedule, Serving, Step
from mlops.platforms.dag import PARAMS, Dag, Stage, sort
from mlops.source import FINGERPRINT

FILE = Path("resources.yaml")
LOCK = "dvc.lock"
"""Goes from step to step as an artifact of its own, so that the last one has the whole."""
LONGEST = 40
"""Letters of a name: platforms put it into longer ones."""


class _Section(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True, frozen=True)


class StageNeeds(_Section):
    """What a stage needs; see `mlops.platforms.base.Needs`."""

    group: str | None = None
    cpu: float = Field(default=2, gt=0)
    memory_gb: float = Field(default=4, gt=0)
    gpu: int = Field(default=0, ge=0)
    nodes: int = Field(default=1, ge=1)
    spot: bool = False
    disk_gb: int = Field(default=30, ge=1)
    timeout_minutes: int = Field(default=60, ge=1)
    retries: int = Field(default=1, ge=0, le=20)


class ServingNeeds(_Section):
    """What the endpoint needs; see `mlops.platforms.base.Serving`."""

    cpu: float = Field(default=2, gt=0)
    memory_gb: float = Field(default=4, gt=0)
    gpu: int = Field(default=0, ge=0)
    serverless: bool = False
    min_instances: int = Field(default=2, ge=1)
    max_instances: int = Field(default=4, ge=1)
    requests_per_minute: int = Field(default=1000, ge=1)
    canary_percent: int = Field(default=10, ge=0, le=100)
    canary_minutes: int = Field(default=10, ge=0)

    @model_validator(mode="after")
    def _least_first(self) -> "ServingNeeds":
        if self.max_instances < self.min_instances:
            raise ValueError(f"max_instances is {self.max_instances}, less than min_instances; raise it")
        return self


class When(_Section):
    """What is started regularly."""

    cron: str
    """Five fields, in UTC."""
    command: str | None = None
    """A verb, in which {platform} is the platform's name; default: the pipeline."""

    @field_validator("cron")
    @classmethod
    def _five_fields(cls, value: str) -> str:
        if not re.fullmatch(r"[\d*,/-]+( +[\d*,/A-Za-z-]+){4}", value.strip()):
            raise ValueError("it needs five fields: minute, hour, day, month, day of the week")
        return value.strip()


class Resources(_Section):
    """All of resources.yaml. What it leaves out is as in the file that a new project gets."""

    stages: dict[str, dict[str, Any] | None] = {}
    serving: ServingNeeds = ServingNeeds()
    schedules: dict[str, When] = {"monitor": When(cron="0 5 * * *", command="mlops monitor --on {platform}")}


DEFAULTS: Mapping[str, Mapping[str, Any]] = {
    "ingest": {"group": "prepare", "cpu": 2, "memory_gb": 8},
    "validate": {"group": "prepare"},
    "split": {"group": "prepare"},
    "train": {"group": "train", "cpu": 4, "memory_gb": 16, "spot": True, "timeout_minutes": 240},
    "evaluate": {"group": "judge", "cpu": 2, "memory_gb": 8},
    "register": {"group": "judge"},
}
"""The stages of a new project."""


def read_resources(file: Path = FILE) -> Resources:
    """Read and check resources.yaml; a project without one has the defaults.

    Raises:
        UsageError: it is no YAML, or a key is unknown or has an impossible value.
    """
    if not file.is_file():
        return Resources()
    return checked(Resources, read_yaml(file) or {}, file)


def serving(resources: Resources) -> Serving:
    told = resources.serving.model_dump()
    needs = Needs(**{name: told.pop(name) for name in ("cpu", "memory_gb", "gpu")})
    return Serving(needs=needs, **told)


def schedules(resources: Resources, platform: str) -> list[Schedule]:
    """What is started regularly on a platform.

    Raises:
        UsageError: two have names that are the same there.
    """
    names: dict[str, str] = {}
    for name in resources.schedules:
        if (other := names.setdefault(legal(name), name)) != name:
            raise UsageError(f"{FILE}: the schedules '{other}' and '{name}' are both '{legal(name)}' on a platform")
    return [
        Schedule(
            legal(name),
            when.cron,
            tuple(shlex.split(when.command.replace("{platform}", platform))) if when.command else None,
        )
        for name, when in resources.schedules.items()
    ]


def steps(dag: Dag, resources: Resources, *, grouped: bool = True) -> tuple[Step, ...]:
    """The containers that the pipeline runs in, each after those that it needs.

    Raises:
        UsageError: resources.yaml names no stage of dvc.yaml, a group would need itself, or names are the same.
    """
    known = dict.fromkeys(part for stage in dag.stages for part in (_family(stage), stage))
    if unknown := [name for name in resources.stages if name not in known]:
        raise UsageError(f"{FILE}: stages names '{unknown[0]}', which dvc.yaml lacks; choose from {', '.join(known)}")
    needs = {name: _needs(name, resources) for name in dag.stages}
    group = {name: (need.group if grouped and need.group else name) for name, need in needs.items()}
    members: dict[str, list[str]] = {}
    for name in dag.order:
        members.setdefault(group[name], []).append(name)
    for name, its in group.items():
        if its != name and its in dag.stages and needs[its].group != its:
            raise UsageError(f"{FILE}: the group '{its}' has the name of a stage that is not in it; rename the group")
    before: dict[str, list[str]] = {name: [] for name in members}
    for edge in dag.edges:
        if group[edge.source] != group[edge.target]:
            before[group[edge.target]].append(group[edge.source])
    order = sort(members, before, f"{FILE}: these groups would wait for each other")
    names: dict[str, str] = {}
    for name in order:
        if (other := names.setdefault(legal(name), name)) != name:
            raise UsageError(f"'{other}' and '{name}' are both '{legal(name)}' on a platform; rename one of them")
    ports = _port_names(dag)
    return tuple(
        _step(legal(name), members[name], dag, {stage: legal(group[stage]) for stage in dag.stages}, needs, ports)
        for name in order
    )


def legal(name: str) -> str:
    """A name that every platform takes: lower-case letters, digits and hyphens, a letter first, not too long."""
    plain = re.sub(r"[^a-z0-9]+", "-", name.lower()).strip("-")
    plain = plain if plain[:1].isalpha() else f"x-{plain}".rstrip("-")
    return plain if len(plain) <= LONGEST else f"{plain[: LONGEST - 9].rstrip('-')}-{_digest(name)}"


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()[:8]


def _family(stage: str) -> str:
    """The name of a stage in dvc.yaml, which foreach and matrix lengthen."""
    return stage.rpartition("@")[0] or stage


def _needs(name: str, resources: Resources) -> StageNeeds:
    told = {**DEFAULTS.get(_family(name), {})}
    for entry in dict.fromkeys((_family(name), name)):
        told |= resources.stages.get(entry) or {}
    return checked(StageNeeds, told, FILE, "stages", name)


def _port_names(dag: Dag) -> dict[str, str]:
    """A name for each output; two that would have the same get a mark of their own."""
    paths = [out for stage in dag.stages.values() for out in stage.outs]
    plain = [legal(path) for path in paths]
    names = {
        path: f"{name[: LONGEST - 9]}-{_digest(path)}" if plain.count(name) > 1 or name == "lock" else name
        for path, name in zip(paths, plain, strict=True)
    }
    return {**names, LOCK: "lock"}


def _step(
    name: str,
    stages: list[str],
    dag: Dag,
    step_of: Mapping[str, str],
    needs: Mapping[str, StageNeeds],
    ports: Mapping[str, str],
) -> Step:
    taken = {edge.path: step_of[edge.source] for edge in dag.edges if edge.target in stages}
    taken = {path: step for path, step in taken.items() if step != name}
    inputs = [Port(path, ports[path], step) for path, step in taken.items()]
    inputs += [Port(LOCK, ports[LOCK], step) for step in dict.fromkeys(taken.values())]
    outputs = [Port(out, ports[out]) for stage in stages for out in dag.stages[stage].outs]
    return Step(
        name=name,
        stages=tuple(stages),
        inputs=tuple(inputs),
        outputs=(*outputs, Port(LOCK, ports[LOCK])),
        needs=_together([needs[stage] for stage in stages]),
        cacheable=not any(dag.stages[stage].always_changed for stage in stages),
        reads_source=any(reads_source(dag.stages[stage]) for stage in stages),
    )


def reads_source(stage: Stage) -> bool:
    """Whether a stage reads `data.source`, by what it declares."""
    keys = stage.params.get(PARAMS)
    watched = keys is not None and (not keys or any(key.split(".")[0] == "data" for key in keys))
    return watched or FINGERPRINT.as_posix() in stage.deps


def _together(needs: list[StageNeeds]) -> Needs:
    """What stages need that run one after another in one container."""
    found: dict[str, Any] = {
        each.name: max(getattr(need, each.name) for need in needs)
        for each in fields(Needs)
        if each.name not in ("spot", "timeout_minutes")
    }
    spot = all(need.spot for need in needs)
    return Needs(**found, spot=spot, timeout_minutes=sum(need.timeout_minutes for need in needs))
