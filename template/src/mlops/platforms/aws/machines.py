# The template's: `copier update` renews this file.
"""SageMaker's machines: the cheapest that has what a step needs.

Other kinds are left out that cost more for the same; a larger one can be had by a larger need.
"""

from typing import NamedTuple

from mlops.errors import UsageError
from mlops.platforms.base import Needs
from mlops.platforms.cloud import has


class Machine(NamedTuple):
    """A machine and about what it costs, in US dollars an hour on demand.

    Prices are those in us-east-1; other regions cost up to half as much again. They choose
    the cheapest and estimate; the provider's list has what holds today.
    """

    name: str
    cpu: int
    memory_gb: int
    price: float
    gpu: int = 0
    disk_gb: int = 0
    """Of disks in it, which are used in place of a volume and encrypted by themselves; 0 where it has none."""


MACHINES = (
    Machine("ml.m5.large", 2, 8, 0.115),
    Machine("ml.r5.large", 2, 16, 0.151),
    Machine("ml.c5.xlarge", 4, 8, 0.204),
    Machine("ml.m5.xlarge", 4, 16, 0.23),
    Machine("ml.r5.xlarge", 4, 32, 0.302),
    Machine("ml.c5.2xlarge", 8, 16, 0.408),
    Machine("ml.m5.2xlarge", 8, 32, 0.461),
    Machine("ml.r5.2xlarge", 8, 64, 0.605),
    Machine("ml.c5.4xlarge", 16, 32, 0.816),
    Machine("ml.m5.4xlarge", 16, 64, 0.922),
    Machine("ml.r5.4xlarge", 16, 128, 1.21),
    Machine("ml.c5.9xlarge", 36, 72, 1.836),
    Machine("ml.m5.12xlarge", 48, 192, 2.765),
    Machine("ml.r5.12xlarge", 48, 384, 3.629),
    Machine("ml.c5.18xlarge", 72, 144, 3.672),
    Machine("ml.m5.24xlarge", 96, 384, 5.53),
    Machine("ml.r5.24xlarge", 96, 768, 7.258),
    Machine("ml.g4dn.xlarge", 4, 16, 0.736, 1, 125),
    Machine("ml.g4dn.2xlarge", 8, 32, 0.94, 1, 225),
    Machine("ml.g4dn.4xlarge", 16, 64, 1.505, 1, 225),
    Machine("ml.g4dn.8xlarge", 32, 128, 2.72, 1, 900),
    Machine("ml.g4dn.12xlarge", 48, 192, 4.89, 4, 900),
    Machine("ml.g5.48xlarge", 192, 768, 20.36, 8, 7600),
)


def choose(needs: Needs, whose: str) -> Machine:
    """The cheapest machine that has all of it; one with a GPU only where one is asked for.

    Raises:
        UsageError: there is none; the message says that `whose` asks for it.
    """
    fitting = [
        machine
        for machine in MACHINES
        if has(machine, needs) and (not machine.disk_gb or machine.disk_gb >= needs.disk_gb)
    ]
    if not fitting:
        kind = [machine for machine in MACHINES if bool(machine.gpu) == bool(needs.gpu)]
        most = (max(getattr(machine, name) for machine in kind) for name in ("cpu", "memory_gb", "gpu"))
        raise UsageError(
            f"resources.yaml: no machine of AWS has what {whose} asks for: cpu {needs.cpu:g}, memory_gb "
            f"{needs.memory_gb:g}, gpu {needs.gpu}, disk_gb {needs.disk_gb}; the most there is: "
            f"{', '.join(f'{name} {value}' for name, value in zip(('cpu', 'memory_gb', 'gpu'), most, strict=True))}"
        )
    return min(fitting, key=lambda machine: machine.price)
