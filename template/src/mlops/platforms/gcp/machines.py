# The template's: `copier update` renews this file.
"""The choice of the cheapest machine that has what a step needs, of those that jobs of Vertex AI get."""

from mlops.errors import UsageError
from mlops.platforms.base import Needs
from mlops.platforms.cloud import has
from mlops.platforms.gcp.modes import MACHINES, Machine

ONLY_SERVING = ("e2-standard-2", "e2-highcpu-2", "e2-highcpu-4", "e2-highcpu-8")
JOBS = tuple(machine for machine in MACHINES if machine.name not in ONLY_SERVING)


def choose(needs: Needs, whose: str) -> Machine:
    """The cheapest machine that has all of it; one with a GPU only where one is asked for.

    Raises:
        UsageError: there is none; the message says that `whose` asks for it.
    """
    fitting = [machine for machine in JOBS if has(machine, needs)]
    if not fitting:
        kind = [machine for machine in JOBS if bool(machine.gpu) == bool(needs.gpu)]
        most = ", ".join(
            f"{name} {max(getattr(each, name) for each in kind):g}" for name in ("cpu", "memory_gb", "gpu")
        )
        raise UsageError(
            f"resources.yaml: no machine of Google Cloud has what {whose} asks for: cpu {needs.cpu:g}, "
            f"memory_gb {needs.memory_gb:g}, gpu {needs.gpu}; the most there is: {most}"
        )
    return min(fitting, key=lambda machine: machine.price)
