# The template's: `copier update` renews this file.
"""Which ways of serving an endpoint of Vertex AI has, as Google documents it, and the machine that it gets."""

from typing import NamedTuple

from mlops.errors import UsageError
from mlops.platforms.base import Needs, Serving
from mlops.platforms.cloud import has


class Machine(NamedTuple):
    """A machine of a deployed model and about what it costs, in US dollars an hour.

    Prices are those of online prediction in us-central1; other regions cost up to half as much again. They choose the
    cheapest and estimate; the provider's list has what holds today.
    """

    name: str
    cpu: int
    memory_gb: float
    price: float
    gpu: int = 0
    accelerator: str = ""

    @property
    def spec(self) -> dict[str, str | int]:
        """As Vertex AI is asked for it."""
        found: dict[str, str | int] = {"machine_type": self.name}
        if self.gpu:
            found |= {"accelerator_type": self.accelerator, "accelerator_count": self.gpu}
        return found


L4 = {4: 1, 8: 1, 12: 1, 16: 1, 24: 2, 32: 1, 48: 4, 96: 8}
"""GPUs of a machine with so many cores."""
MACHINES = (
    *(Machine(f"e2-standard-{cpu}", cpu, 4 * cpu, 0.0385 * cpu) for cpu in (2, 4, 8, 16, 32)),
    *(Machine(f"e2-highmem-{cpu}", cpu, 8 * cpu, 0.052 * cpu) for cpu in (2, 4, 8, 16)),
    *(Machine(f"e2-highcpu-{cpu}", cpu, cpu, 0.0285 * cpu) for cpu in (2, 4, 8, 16, 32)),
    *(Machine(f"n2-standard-{cpu}", cpu, 4 * cpu, 0.0559 * cpu) for cpu in (48, 64, 80, 96)),
    *(Machine(f"n2-highmem-{cpu}", cpu, 8 * cpu, 0.0754 * cpu) for cpu in (32, 48, 64, 80)),
    *(
        Machine(f"n1-standard-{cpu}", cpu, 3.75 * cpu, 0.0547 * cpu + 0.4025 * gpu, gpu, "NVIDIA_TESLA_T4")
        for cpu, gpu in ((4, 1), (8, 1), (16, 1), (16, 2), (32, 2), (32, 4), (64, 4))
    ),
    *(
        Machine(f"g2-standard-{cpu}", cpu, 4 * cpu, 0.0422 * cpu + 0.644 * gpu, gpu, "NVIDIA_L4")
        for cpu, gpu in L4.items()
    ),
    *(
        Machine(f"a2-highgpu-{gpu}g", 12 * gpu, 85 * gpu, 4.2245 * gpu, gpu, "NVIDIA_TESLA_A100")
        for gpu in (1, 2, 4, 8)
    ),
)


def check(serving: Serving) -> None:
    """Raises UsageError where Vertex AI does not serve so."""
    if serving.serverless:
        raise UsageError(
            "serving in resources.yaml cannot be had on gcp: an endpoint of Vertex AI keeps a replica all the time "
            "(scaling to none is a preview there); set serverless: false"
        )
    machine(serving.needs)


def machine(needs: Needs) -> Machine:
    """The cheapest machine with all that is needed, and some memory more: Vertex AI's own processes run beside ours.

    Raises:
        UsageError: there is none.
    """
    fitting = [each for each in MACHINES if has(each, needs) and each.memory_gb > needs.memory_gb]
    if not fitting:
        raise UsageError(
            f"serving in resources.yaml cannot be had on gcp: no machine of an endpoint has cpu {needs.cpu:g}, more "
            f"than memory_gb {needs.memory_gb:g} and gpu {needs.gpu}; ask for less"
        )
    return min(fitting, key=lambda each: each.price)
