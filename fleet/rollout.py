"""Brings projects up: a few first, and the rest only if those are green."""

import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

from fleet import github
from fleet.api import Api
from fleet.errors import FleetError, ProjectError
from fleet.projects import Sight

GREEN = "success"
_THREADS = 4


@dataclass
class Step:
    """One project's update: `planned`, `started`, `not started`, or how its run ended."""

    name: str
    repository: str | None
    first: bool
    outcome: str
    url: str = ""

    @property
    def failed(self) -> bool:
        return self.outcome not in {GREEN, "planned", "started"}


@dataclass(frozen=True)
class Pace:
    """How often to ask, and for how long, in seconds."""

    interval: float = 10.0
    timeout: float = 3600.0
    pause: float = 1.0
    """Between two starts, as GitHub asks of who makes things."""


def plan(sights: Sequence[Sight], first: int) -> list[Step]:
    """Who comes when, by name."""
    steps = []
    for sight in sights:
        try:
            repository: str | None = github.repository_of(sight)
            outcome = "planned"
        except ProjectError as error:
            repository, outcome = None, f"not started: {error}"
        steps.append(Step(sight.project.name, repository, False, outcome))
    for step in [step for step in steps if step.repository][:first]:
        step.first = True
    return steps


def roll_out(
    steps: Sequence[Step], version: str, api: Api, pace: Pace, *, detach: bool, say: Callable[[Step], None]
) -> None:
    """Start the first, wait for them, then the rest; `detach` does not wait for the rest."""
    first = [step for step in steps if step.first]
    rest = [step for step in steps if step.repository and not step.first]
    _wave(first, version, api, pace, wait=True, say=say)
    red = [step.name for step in first if step.failed]
    if red:
        for step in rest:
            step.outcome = f"not started: {', '.join(red)} failed"
        return
    _wave(rest, version, api, pace, wait=not detach, say=say)


def _wave(
    steps: Sequence[Step], version: str, api: Api, pace: Pace, *, wait: bool, say: Callable[[Step], None]
) -> None:
    runs: dict[str, github.Run] = {}
    for number, step in enumerate(steps):
        if number:
            time.sleep(pace.pause)
        try:
            run = github.start(api, str(step.repository), version, interval=pace.interval, patience=120)
        except FleetError as error:
            step.outcome = f"not started: {error}"
        else:
            runs[step.name] = run
            step.outcome, step.url = "started", run.url
        say(step)
    if not wait:
        return
    deadline = time.monotonic() + pace.timeout

    def follow(step: Step) -> Step:
        try:
            step.outcome = github.wait(api, runs[step.name], interval=pace.interval, deadline=deadline)
        except FleetError as error:
            step.outcome = str(error)
        return step

    with ThreadPoolExecutor(_THREADS) as threads:
        for step in threads.map(follow, [step for step in steps if step.name in runs]):
            say(step)
