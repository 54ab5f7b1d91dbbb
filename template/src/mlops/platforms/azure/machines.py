# The template's: `copier update` renews this file.
"""Azure's machines, and the clusters of this environment: the cheapest that has what a step needs.

A cluster has machines of one size, so which sizes there are is said by MLOPS_AZURE_CLUSTERS.
"""

from collections.abc import Sequence
from typing import NamedTuple

from mlops.errors import UsageError
from mlops.platforms.base import Needs
from mlops.platforms.cloud import has

LOW_PRIORITY = "low_priority"


class Machine(NamedTuple):
    """A size of machine and about what it costs, in US dollars an hour on demand.

    Prices are those with Linux in eastus; other locations cost up to half as much again. They choose
    the cheapest and estimate; the provider's list has what holds today.
    """

    name: str
    cpu: int
    memory_gb: int
    price: float
    disk_gb: int
    """Of the temporary disk, where images and artifacts go."""
    gpu: int = 0


MACHINES = (
    Machine("Standard_DS2_v2", 2, 7, 0.146, 14),
    Machine("Standard_DS3_v2", 4, 14, 0.293, 28),
    Machine("Standard_DS4_v2", 8, 28, 0.585, 56),
    Machine("Standard_DS5_v2", 16, 56, 1.17, 112),
    Machine("Standard_D2ds_v4", 2, 8, 0.113, 75),
    Machine("Standard_D4ds_v4", 4, 16, 0.226, 150),
    Machine("Standard_D8ds_v4", 8, 32, 0.452, 300),
    Machine("Standard_D16ds_v4", 16, 64, 0.904, 600),
    Machine("Standard_D32ds_v4", 32, 128, 1.808, 1200),
    Machine("Standard_D64ds_v4", 64, 256, 3.616, 2400),
    Machine("Standard_E2ds_v4", 2, 16, 0.144, 75),
    Machine("Standard_E4ds_v4", 4, 32, 0.288, 150),
    Machine("Standard_E8ds_v4", 8, 64, 0.576, 300),
    Machine("Standard_E16ds_v4", 16, 128, 1.152, 600),
    Machine("Standard_E32ds_v4", 32, 256, 2.304, 1200),
    Machine("Standard_E64ds_v4", 64, 504, 4.608, 2400),
    Machine("Standard_F2s_v2", 2, 4, 0.085, 16),
    Machine("Standard_F4s_v2", 4, 8, 0.169, 32),
    Machine("Standard_F8s_v2", 8, 16, 0.338, 64),
    Machine("Standard_F16s_v2", 16, 32, 0.677, 128),
    Machine("Standard_F32s_v2", 32, 64, 1.353, 256),
    Machine("Standard_F72s_v2", 72, 144, 3.045, 576),
    Machine("Standard_NC4as_T4_v3", 4, 28, 0.526, 180, 1),
    Machine("Standard_NC8as_T4_v3", 8, 56, 0.752, 360, 1),
    Machine("Standard_NC16as_T4_v3", 16, 110, 1.204, 360, 1),
    Machine("Standard_NC64as_T4_v3", 64, 440, 4.352, 2880, 4),
    Machine("Standard_NC24ads_A100_v4", 24, 220, 3.673, 64, 1),
    Machine("Standard_NC48ads_A100_v4", 48, 440, 7.346, 128, 2),
    Machine("Standard_NC96ads_A100_v4", 96, 880, 14.692, 256, 4),
)
SIZES = {machine.name.lower(): machine for machine in MACHINES}


class Cluster(NamedTuple):
    """A compute cluster of the workspace."""

    name: str
    machine: Machine
    spot: bool


def clusters(said: str) -> list[Cluster]:
    """The clusters that MLOPS_AZURE_CLUSTERS names.

    Raises:
        UsageError: it is not written so, or names a size that is not known here.
    """
    found = []
    for part in filter(None, map(str.strip, said.split(","))):
        name, _, rest = part.partition("=")
        size, _, tier = rest.partition(":")
        if not name or not size or tier not in ("", LOW_PRIORITY):
            raise UsageError(f"MLOPS_AZURE_CLUSTERS: '{part}': write NAME=SIZE, or NAME=SIZE:{LOW_PRIORITY}")
        if size.lower() not in SIZES:
            known = ", ".join(machine.name for machine in MACHINES)
            raise UsageError(f"MLOPS_AZURE_CLUSTERS: what '{size}' has is not known here; choose from {known}")
        found.append(Cluster(name, SIZES[size.lower()], tier == LOW_PRIORITY))
    return found


def choose(there: Sequence[Cluster], needs: Needs, whose: str) -> Cluster:
    """The cheapest cluster whose machines have all of it; one with GPUs, or that can be taken away, only if asked for.

    Raises:
        UsageError: there is none; the message says that `whose` asks for it.
    """
    fitting = [
        cluster
        for cluster in there
        if has(cluster.machine, needs) and cluster.machine.disk_gb >= needs.disk_gb and cluster.spot == needs.spot
    ]
    if not fitting:
        spot = ", spot" if needs.spot else ""
        raise UsageError(
            f"resources.yaml: no cluster has what {whose} asks for: cpu {needs.cpu:g}, memory_gb {needs.memory_gb:g}, "
            f"gpu {needs.gpu}, disk_gb {needs.disk_gb}{spot}; MLOPS_AZURE_CLUSTERS has "
            f"{', '.join(_described(cluster) for cluster in there)}"
        )
    return min(fitting, key=lambda cluster: cluster.machine.price)


def _described(cluster: Cluster) -> str:
    machine = cluster.machine
    gpu = f", gpu {machine.gpu}" if machine.gpu else ""
    spot = ", spot" if cluster.spot else ""
    return f"{cluster.name} (cpu {machine.cpu}, memory_gb {machine.memory_gb}, disk_gb {machine.disk_gb}{gpu}{spot})"
