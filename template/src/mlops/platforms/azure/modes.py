# The template's: `copier update` renews this file.
"""Which ways of serving a managed online endpoint has, as Azure documents it, and the machine that it gets."""

from mlops.errors import UsageError
from mlops.platforms.azure.machines import MACHINES, Machine
from mlops.platforms.base import Needs, Serving
from mlops.platforms.cloud import has

MOST_COPIES = 50
"""The most percent of the requests that may be mirrored."""
FAMILIES = ("Standard_DS", "Standard_F", "Standard_NC")
"""What compute clusters and endpoints both have."""
SERVED = (
    *(machine for machine in MACHINES if machine.name.startswith(FAMILIES)),
    *(Machine(f"Standard_D{cpu}as_v4", cpu, 4 * cpu, 0.048 * cpu, 8 * cpu) for cpu in (2, 4, 8, 16, 32, 64)),
    *(Machine(f"Standard_E{cpu}s_v3", cpu, 8 * cpu, 0.063 * cpu, 16 * cpu) for cpu in (2, 4, 8, 16, 32)),
)
"""Sizes of managed online endpoints; prices as those of clusters."""


def check(serving: Serving) -> list[str]:
    """What is done in another way than asked, in words.

    Raises:
        UsageError: it cannot be done.
    """
    if serving.serverless:
        raise UsageError(
            "serving in resources.yaml cannot be had on azure: a managed online endpoint has instances all the time; "
            "set serverless: false"
        )
    machine(serving.needs)
    if serving.canary_percent > MOST_COPIES:
        return [f"copies are made of {MOST_COPIES} % of the requests, which is the most that Azure mirrors"]
    return []


def machine(needs: Needs) -> Machine:
    """The cheapest machine with all that is needed, and some memory more: Azure's own containers run beside ours.

    Raises:
        UsageError: there is none.
    """
    fitting = [each for each in SERVED if has(each, needs) and each.memory_gb > needs.memory_gb]
    if not fitting:
        raise UsageError(
            f"serving in resources.yaml cannot be had on azure: no machine of an endpoint has cpu {needs.cpu:g}, more "
            f"than memory_gb {needs.memory_gb:g} and gpu {needs.gpu}; ask for less"
        )
    return min(fitting, key=lambda each: each.price)
