# The template's: `copier update` renews this file.
"""Which ways of serving go together on SageMaker, as AWS documents it, and the machine that an endpoint gets."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import NamedTuple

from mlops.errors import UsageError
from mlops.platforms.aws import machines
from mlops.platforms.base import Needs, Serving


@dataclass(frozen=True)
class Wish:
    """What is asked of an endpoint in one region."""

    serving: Serving
    subnets: tuple[str, ...] = ()
    alarms: tuple[str, ...] = ()


MODES: dict[str, Callable[[Wish], bool]] = {
    "serverless": lambda wish: wish.serving.serverless,
    "canary": lambda wish: wish.serving.canary_percent > 0,
    "one instance": lambda wish: wish.serving.min_instances == 1 and not wish.serving.serverless,
    "several instances": lambda wish: wish.serving.min_instances > 1,
    "autoscaling": lambda wish: wish.serving.max_instances > wish.serving.min_instances,
    "gpu": lambda wish: wish.serving.needs.gpu > 0,
    "vpc": lambda wish: bool(wish.subnets),
}


class Clash(NamedTuple):
    """Two modes that do not go together."""

    modes: frozenset[str]
    why: str
    """What to do about it where it is refused, or what is done in place of it."""
    refused: bool = True


def _clash(*modes: str, why: str, refused: bool = True) -> Clash:
    return Clash(frozenset(modes), why, refused)


CLASHES = (
    _clash("serverless", "gpu", why="a serverless endpoint has no GPU; set gpu: 0 or serverless: false"),
    _clash(
        *("serverless", "vpc"),
        why="a serverless endpoint runs in no VPC; leave MLOPS_AWS_SUBNETS empty or set serverless: false",
    ),
    _clash(
        *("serverless", "several instances"),
        why="a serverless endpoint has no instances to keep; set min_instances: 1 or serverless: false",
    ),
    _clash(
        *("serverless", "autoscaling"),
        why="max_instances is the number of requests that it works on at once",
        refused=False,
    ),
    _clash(
        *("serverless", "canary"),
        why="a serverless endpoint has no canary: all requests go to the new version at once",
        refused=False,
    ),
    _clash(
        *("canary", "one instance"),
        why="a canary is at most half of the instances, and min_instances is 1: all requests go to the new version at "
        "once, and back if an alarm goes off",
        refused=False,
    ),
)

SERVERLESS_GB = 6
LIMITS: tuple[tuple[Callable[[Wish], bool], str], ...] = (
    (lambda wish: wish.serving.canary_percent > 50, "canary_percent: at most 50"),
    (lambda wish: wish.serving.canary_minutes > 60, "canary_minutes: at most 60"),
    (lambda wish: len(wish.alarms) > 10, "MLOPS_AWS_ALARMS: at most 10 alarms"),
    (
        lambda wish: wish.serving.serverless and wish.serving.needs.memory_gb > SERVERLESS_GB,
        f"memory_gb: at most {SERVERLESS_GB} where serverless is true",
    ),
    (
        lambda wish: wish.serving.serverless and wish.serving.max_instances > 200,
        "max_instances: at most 200 where serverless is true",
    ),
)


def check(wish: Wish) -> list[str]:
    """What is done in another way than asked, in words.

    Raises:
        UsageError: it cannot be done.
    """
    for broken, limit in LIMITS:
        if broken(wish):
            raise UsageError(f"serving in resources.yaml cannot be had on aws: {limit}")
    asked = {name for name, is_asked in MODES.items() if is_asked(wish)}
    met = [clash for clash in CLASHES if clash.modes <= asked]
    for clash in met:
        if clash.refused:
            raise UsageError(f"serving in resources.yaml cannot be had on aws: {clash.why}")
    if not wish.serving.serverless:
        machine(wish.serving.needs)
    unwatched = not wish.alarms and not wish.serving.serverless
    return [clash.why for clash in met] + ["MLOPS_AWS_ALARMS is empty: no alarm turns a bad version back"] * unwatched


def has_canary(wish: Wish) -> bool:
    serving = wish.serving
    return serving.canary_percent > 0 and serving.min_instances > 1 and not serving.serverless


def machine(needs: Needs) -> str:
    """The instance that has what is needed.

    Raises:
        UsageError: there is none.
    """
    return machines.choose(needs, "serving").name
