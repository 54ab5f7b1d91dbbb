# The template's: `copier update` renews this file.
"""How a revision does while requests go to it, by the metrics that its own servers give Prometheus."""

from dataclasses import dataclass, field

from mlops.platforms import judging
from mlops.platforms.kubeflow.cluster import REVISIONS, Cluster
from mlops.platforms.kubeflow.session import answering


@dataclass
class Done:
    """What servers have done so far."""

    requests: float = 0
    failed: float = 0
    seconds: float = 0

    def __sub__(self, other: "Done") -> "Done":
        return Done(self.requests - other.requests, self.failed - other.failed, self.seconds - other.seconds)

    @property
    def figures(self) -> judging.Figures:
        count = self.requests or 1
        return judging.Figures(self.failed / count, 1000 * self.seconds / count)


@dataclass
class _Pods:
    """What a revision's pods have done since the first look; a pod that has gone keeps what it had done."""

    start: dict[str, Done] = field(default_factory=dict)
    now: dict[str, Done] = field(default_factory=dict)

    def look(self, cluster: Cluster, revision: str, *, first: bool = False) -> Done:
        for pod in cluster.pods(revision):
            self.now[pod] = read(cluster.through(pod, "metrics"))
            # One that came later has done all of it since.
            self.start.setdefault(pod, self.now[pod] if first else Done())
        return _sum([found - self.start[pod] for pod, found in self.now.items()])

    @property
    def total(self) -> Done:
        """What they have done since they started."""
        return _sum(list(self.now.values()))


def _sum(parts: list[Done]) -> Done:
    return Done(*(sum(getattr(part, name) for part in parts) for name in ("requests", "failed", "seconds")))


class Watch:
    """A new revision beside the one before it, which has fewer requests from step to step and none in the end."""

    def __init__(self, cluster: Cluster, new: str, old: str) -> None:
        self.cluster, self.new, self.old = cluster, new, old
        self._new, self._old = _Pods(), _Pods()

    def begin(self) -> None:
        """Look at both before the new one gets another share: what it did up to here counts no more."""
        self._new = _Pods()
        self._look(first=True)

    def fault(self, minutes: int) -> str | None:
        """Look at the new one for so long, at least once; returns what is wrong with it, as soon as something is."""
        pause = self.cluster.session.settings.poll_seconds
        return judging.watch(lambda _: _readiness(self.cluster, self.new) or self._worse(), minutes, pause)

    def _worse(self) -> str | None:
        new, old = self._look()
        return judging.worse(new.figures, old.figures, "took {:.0f} ms for a request")

    def _look(self, *, first: bool = False) -> tuple[Done, Done]:
        with answering(f"the metrics of {self.new} cannot be looked at"):
            new = self._new.look(self.cluster, self.new, first=first)
            old = self._old.look(self.cluster, self.old, first=first)
        return new, old if old.requests else self._old.total


def read(text: str) -> Done:
    """The figures of a server, of what it gives Prometheus."""
    from prometheus_client.parser import text_string_to_metric_families

    found = Done()
    for family in text_string_to_metric_families(text):
        for sample in family.samples:
            if sample.name == "mlops_requests_total":
                found.requests += sample.value
                found.failed += sample.value if sample.labels["status"].startswith("5") else 0
            elif sample.name == "mlops_request_seconds_sum":
                found.seconds += sample.value
    return found


def _readiness(cluster: Cluster, revision: str) -> str | None:
    """Why a revision is not ready any more."""
    with answering(f"{revision} cannot be looked at"):
        said = cluster.ask("GET", f"{REVISIONS}/{revision}")
    for each in said.get("status", {}).get("conditions", []):
        if each["type"] == "Ready" and each["status"] == "False":
            return f"is not ready any more: {each.get('message') or each.get('reason')}"
    return None
