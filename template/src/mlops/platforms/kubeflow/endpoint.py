# The template's: `copier update` renews this file.
"""The endpoint: an InferenceService of KServe, whose requests go to the revision before and to the new one.

A new revision starts with none of them, answers a row, gets a share, then all; what is wrong turns them back. The
cluster is asked for what is so each time, so that a deployment that was cut short is taken up by the next.
"""

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, NoReturn

from mlops.errors import MlopsError, UsageError
from mlops.platforms.base import Deployment, Release, Say, Serving
from mlops.platforms.kubeflow import hosting
from mlops.platforms.kubeflow.asking import fault
from mlops.platforms.kubeflow.bundles import upload
from mlops.platforms.kubeflow.cluster import MERGE, REVISIONS, SERVICES, Cluster
from mlops.platforms.kubeflow.hosting import CONTENT, VERSION
from mlops.platforms.kubeflow.session import Session, answering
from mlops.platforms.kubeflow.watching import Watch

PATIENCE = 20 * 60
"""Seconds that a revision may take to start, and requests to be turned: Knative itself gives up before."""


def deploy(session: Session, release: Release, serving: Serving, say: Say) -> Deployment:
    """Serve a release.

    Raises:
        UsageError: a setting is missing, or it cannot be served so.
        MlopsError: it failed; the version before serves again.
    """
    endpoint = _Endpoint(session, say)
    endpoint.require_knative()
    return endpoint.deploy(release, serving)


def rollback(session: Session, version: str, standing: Mapping[str, str], say: Say) -> Deployment:
    """Serve a version again as it was served before the present one, all requests at once.

    Raises:
        MlopsError: it did not serve before.
    """
    return _Endpoint(session, say).rollback(version)


def deployment(session: Session) -> Deployment:
    """What the endpoint serves."""
    endpoint = _Endpoint(session, lambda _: None)
    with answering(f"the endpoint {endpoint.name} cannot be looked at"):
        return endpoint.shown(endpoint.look())


@dataclass(frozen=True)
class _Now:
    """The InferenceService and its revisions as they are."""

    service: Any = None
    revisions: Mapping[str, Any] = field(default_factory=dict)

    @property
    def told(self) -> Mapping[str, Any]:
        """What KServe says of the predictor."""
        status = (self.service or {}).get("status") or {}
        return status.get("components", {}).get("predictor", {})  # type: ignore[no-any-return]

    def revision(self, which: str) -> str | None:
        """The name of a revision, such as `latestCreatedRevision`, where it is still there."""
        found = self.told.get(which)
        return found if found in self.revisions else None

    @property
    def live(self) -> str | None:
        """The revision that was given all requests last."""
        return self.revision("latestRolledoutRevision")

    @property
    def previous(self) -> str | None:
        found = self.revision("previousRolledoutRevision")
        return found if found != self.live else None

    @property
    def content(self) -> str | None:
        """The content of the newest revision that was asked for."""
        return self.service["spec"]["predictor"].get("labels", {}).get(CONTENT) if self.service else None

    @property
    def percent(self) -> int | None:
        """The share that the newest revision is to get; None for all."""
        return self.service["spec"]["predictor"].get("canaryTrafficPercent") if self.service else None

    def label(self, revision: str | None, name: str) -> str | None:
        return self.revisions[revision]["metadata"]["labels"].get(name) if revision else None

    def share(self, revision: str) -> int:
        """The percent of the requests that go to a revision."""
        return sum(
            each.get("percent") or 0 for each in self.told.get("traffic", []) if each.get("revisionName") == revision
        )


@dataclass(frozen=True)
class _Endpoint:
    session: Session
    say: Say
    cluster: Cluster = field(init=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "cluster", Cluster(self.session))

    @property
    def name(self) -> str:
        return hosting.name(self.session)

    def require_knative(self) -> None:
        with answering("the cluster cannot be looked at"):
            for group, what in {"serving.kserve.io": "KServe", "serving.knative.dev": "Knative Serving"}.items():
                if self.cluster.found(f"apis/{group}") is None:
                    raise UsageError(
                        f"the cluster has no {what}; a version can get a share of the requests only where KServe runs "
                        "on Knative, so install both"
                    )

    def deploy(self, release: Release, serving: Serving) -> Deployment:
        """Serve a release; nothing is changed where it is served already."""
        wanted = hosting.predictor(self.session, release, serving, upload(self.session, release))
        with answering(f"the endpoint {self.name} cannot be changed"):
            now = self.look()
            content = wanted["labels"][CONTENT]
            if now.live is not None and now.label(now.live, CONTENT) == content:
                return self.shown(now, changed=self._turned_back(now, content))
            if now.content != content:
                self._put(now, wanted)
            new = self._started(now.live, content, release)
            self._introduce(self.look(), new, release, serving)
            return self.shown(self.look())

    def rollback(self, version: str) -> Deployment:
        """Go back to a version; nothing is done where it serves, as where a rollback was cut short."""
        with answering(f"{self.name} cannot go back to version {version}"):
            now = self.look()
            if now.live is not None and now.label(now.live, VERSION) == version:
                return self.shown(now, changed=False)
            if now.previous is None or now.label(now.previous, VERSION) != version:
                raise MlopsError(
                    f"the endpoint {self.name} did not serve version {version} before; 'mlops deploy' serves it"
                )
            self.say(f"back to version {version}, all requests at once")
            self._turn(0, now.previous)
            return self.shown(self.look())

    def look(self) -> _Now:
        """What there is; without a service if there is none."""
        service = self.cluster.found(f"{SERVICES}/{self.name}")
        if service is None:
            return _Now()
        selector = f"serving.kserve.io/inferenceservice={self.name}"
        listed = self.cluster.ask("GET", REVISIONS, labelSelector=selector)["items"]
        return _Now(service, {each["metadata"]["name"]: each for each in listed})

    def shown(self, now: _Now, *, changed: bool = True) -> Deployment:
        live, previous = (now.label(each, VERSION) for each in (now.live, now.previous))
        address = (now.service or {}).get("status", {}).get("url")
        return Deployment(self.name, live, previous, address and f"{address}/invocations", changed)

    def _put(self, now: _Now, predictor: Mapping[str, Any]) -> None:
        """Have KServe make a revision, which gets no requests yet where another one has them."""
        content = hosting.service(self.session, predictor)
        if now.service is None:
            self.say(f"the endpoint {self.name} is made")
            self.cluster.ask("POST", SERVICES, content)
            return
        self.say("a revision starts beside the one that serves; that takes some minutes")
        if now.live is not None:
            content["spec"]["predictor"]["canaryTrafficPercent"] = 0
        its = now.service["metadata"]
        for name in ("labels", "annotations"):
            content["metadata"][name] = {**its.get(name, {}), **content["metadata"][name]}
        # Two deployments at once: the second one is refused.
        content["metadata"]["resourceVersion"] = its["resourceVersion"]
        self.cluster.ask("PUT", f"{SERVICES}/{self.name}", content)

    def _started(self, live: str | None, content: str, release: Release) -> str:
        """The revision of this content, once it is ready.

        Raises:
            MlopsError: it does not become so.
        """
        end = time.monotonic() + PATIENCE
        while True:
            now = self.look()
            revision = now.revision("latestCreatedRevision")
            ready = _ready(now.revisions[revision]) if revision else {}
            if revision and now.label(revision, CONTENT) == content:
                if ready.get("status") == "True" and now.revision("latestReadyRevision") == revision:
                    return revision
                if ready.get("status") == "False":
                    why = ready.get("message") or ready.get("reason") or "KServe gives no reason"
                    self._give_up(live, f"version {release.version} does not start: {why}")
            if time.monotonic() > end:
                self._give_up(live, f"version {release.version} has not started in {PATIENCE // 60} minutes")
            time.sleep(self.session.settings.poll_seconds)

    def _introduce(self, now: _Now, new: str, release: Release, serving: Serving) -> None:
        """Have a new revision get all requests, or the one before.

        Raises:
            MlopsError: it came to nothing.
        """
        live = now.live if now.live != new else None
        if release.sample is None:
            self.say("the bundle has no row to ask about: only the health check was passed")
        elif (why := fault(self.cluster, new, release)) is not None:
            self._give_up(live, f"version {release.version} {why}")
        else:
            self.say(f"version {release.version} answers")
        if live is None:
            self._wait(lambda found: found.live == new, "to have all requests")
            return
        steps = [serving.canary_percent, 100] if 0 < serving.canary_percent < 100 else [100]
        reached = steps.index(now.percent) if now.percent in steps else 0
        watch = Watch(self.cluster, new, live)
        for percent in steps[reached:]:
            if why := self._step(watch, percent, serving.canary_minutes):
                self._give_up(live, f"version {release.version} {why}")

    def _step(self, watch: Watch, percent: int, minutes: int) -> str | None:
        """Give the new revision its share; returns what is wrong with it then, or that nobody can say."""
        try:
            watch.begin()
            self.say("all requests go to it" if percent == 100 else f"{percent} % of the requests go to it")
            self._turn(percent, watch.new)
            return watch.fault(minutes)
        except MlopsError as error:
            return f"cannot be watched: {error}"

    def _turned_back(self, now: _Now, content: str) -> bool:
        """Whether a revision that another deployment left on its way had to be taken the requests from."""
        if now.content == content or not now.percent:
            return False
        assert now.live is not None
        self._turn(0, now.live)
        return True

    def _turn(self, percent: int, revision: str) -> None:
        """Have the newest revision get so much, and wait until it is so.

        Args:
            revision: What gets the percent, or, where that is 0, all.
        """
        patch = {"spec": {"predictor": {"canaryTrafficPercent": percent}}}
        self.cluster.ask("PATCH", f"{SERVICES}/{self.name}", patch, kind=MERGE)
        share = percent or 100
        self._wait(
            lambda now: now.share(revision) == share and (share < 100 or now.live == revision),
            f"to have {share} % of the requests",
        )

    def _wait(self, is_so: Callable[[_Now], bool], what: str) -> None:
        end = time.monotonic() + PATIENCE
        while not is_so(self.look()):
            if time.monotonic() > end:
                raise MlopsError(f"a revision of {self.name} was {what}, and KServe has not done so; deploy it again")
            time.sleep(self.session.settings.poll_seconds)

    def _give_up(self, live: str | None, why: str) -> NoReturn:
        """Turn all requests back; without a revision that served, the service is taken away."""
        if live is None:
            self.cluster.ask("DELETE", f"{SERVICES}/{self.name}")
            raise MlopsError(f"{why}; nothing served before")
        version = self.look().label(live, VERSION)
        self._turn(0, live)
        raise MlopsError(f"{why}; version {version} serves again")


def _ready(revision: Any) -> Mapping[str, str]:
    """The condition `Ready` of a revision."""
    conditions = revision.get("status", {}).get("conditions", [])
    return next((each for each in conditions if each["type"] == "Ready"), {})
