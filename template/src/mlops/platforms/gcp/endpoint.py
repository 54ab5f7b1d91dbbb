# The template's: `copier update` renews this file.
"""The endpoint: its requests go to one of two deployed models, and a new version gets them step by step.

A share of the requests first, then all; after each step the metrics are watched, and what is wrong turns all requests
back. Each step can be done again: a deployment that was cut short is taken up by the next.
"""

import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple, NoReturn

from mlops.errors import MlopsError
from mlops.platforms.base import Deployment, Release, Say, Serving
from mlops.platforms.cloud import deploy_each, roll_back_each, telling
from mlops.platforms.gcp import hosting, modes, registry, scaling
from mlops.platforms.gcp.asking import address, fault
from mlops.platforms.gcp.clients import done, found
from mlops.platforms.gcp.place import Place, places
from mlops.platforms.gcp.session import Session, answering
from mlops.platforms.gcp.watching import watch

LIVE = "mlops-live"
"""A label of the endpoint: the id of the deployed model that was given all requests last."""
PREVIOUS = "mlops-previous"
"""The id of the one before it, which waits for a rollback."""
LEAST = "mlops-previous-least"
"""How many replicas that one had at least, for it waits with one."""


def deploy(session: Session, release: Release, serving: Serving, say: Say) -> Deployment:
    """Serve a release in the main region, then in the recovery region if that is asked for.

    Raises:
        UsageError: a setting is missing, or it cannot be served so.
        MlopsError: it failed; the version before serves again.
    """
    wanted = places(session)
    modes.check(serving)
    deployed = deploy_each(_endpoints(wanted, say), release, serving)
    registry.show(wanted[0], release)
    return deployed


def rollback(session: Session, version: str, standing: Mapping[str, str], say: Say) -> Deployment:
    """Serve a version again as it was served before the present one, all requests at once, in each region.

    Raises:
        MlopsError: a region cannot; the others have done it all the same.
    """
    wanted = places(session)
    deployed = roll_back_each(_endpoints(wanted, say), version)
    registry.mark(wanted[0], session.settings.model_name or session.project.name, standing)
    return deployed


def deployment(session: Session) -> Deployment:
    """What the endpoint serves in the main region."""
    hand = _Endpoint(places(session)[0], lambda _: None)
    with answering(f"the endpoint {hand.name} cannot be looked at"):
        return hand.shown(hand.look())


def _endpoints(wanted: list[Place], say: Say) -> "dict[str, _Endpoint]":
    """The endpoint in each region."""
    several = len(wanted) > 1
    return {place.region: _Endpoint(place, telling(say, place.region, several=several)) for place in wanted}


@dataclass(frozen=True)
class _Now:
    """The endpoint as it is."""

    endpoint: Any = None

    def of(self, label: str) -> Any:
        """The deployed model that a label of the endpoint means."""
        return self.deployed.get(self.endpoint.labels.get(label, "")) if self.endpoint else None

    @property
    def deployed(self) -> dict[str, Any]:
        """Deployed models by id."""
        return {each.id: each for each in self.endpoint.deployed_models}

    @property
    def traffic(self) -> dict[str, int]:
        """Percent of the requests by id, of those that get any."""
        return {name: share for name, share in self.endpoint.traffic_split.items() if share}


class _Step(NamedTuple):
    traffic: dict[str, int]
    told: str


@dataclass(frozen=True)
class _Endpoint:
    """The endpoint in one region."""

    place: Place
    say: Say

    @property
    def name(self) -> str:
        return self.place.endpoint

    def deploy(self, release: Release, serving: Serving) -> Deployment:
        """Serve a release; nothing is changed where it is served already."""
        now = self._present()
        wanted = hosting.wanted(self.place, release, serving)
        live, changed = now.of(LIVE), True
        if live is None or live.id != wanted.id:
            self._introduce(now, live, wanted, release, serving)
        elif now.traffic != {live.id: 100}:
            self._turn({live.id: 100})
        else:
            changed = False
        now = self.look()
        live, previous = now.of(LIVE), now.of(PREVIOUS)
        with answering(f"the number of replicas of {self.name} in {self.place.region} cannot be set"):
            changed = scaling.scale(self.place, live, serving) or changed
            if previous is not None:
                scaling.keep(self.place, previous)
        self._clear(now, live, previous)
        return self.shown(now, changed=changed)

    def rollback(self, version: str) -> Deployment:
        """Go back to a version; nothing is done where it serves, as where a rollback was cut short."""
        with answering(f"{self.name} in {self.place.region} cannot go back to version {version}"):
            now = self._settled()
            live, previous = now.of(LIVE), now.of(PREVIOUS)
            if hosting.version(live) == version:
                return self.shown(now, changed=False)
            if live is None or hosting.version(previous) != version:
                raise MlopsError(
                    f"the endpoint {self.name} in {self.place.region} did not serve version {version} before; "
                    "'mlops deploy' serves it"
                )
            self.say(f"back to version {version}, all requests at once")
            scaling.keep(self.place, previous, int(now.endpoint.labels[LEAST]))
            self._turn({previous.id: 100}, {LIVE: previous.id, PREVIOUS: "", LEAST: ""})
            hosting.delete(self.place, live.id)
            return self.shown(self.look())

    def look(self) -> _Now:
        """What there is; without an endpoint if there is none."""
        return _Now(found(self.place.endpoints.get_endpoint, name=self.place.endpoint_name))

    def shown(self, now: _Now, *, changed: bool = True) -> Deployment:
        live, previous = hosting.version(now.of(LIVE)), hosting.version(now.of(PREVIOUS))
        asked = f"{address(self.place, now.endpoint)}:predict" if now.endpoint else None
        return Deployment(self.name, live, previous, asked, changed)

    def _present(self) -> _Now:
        """What there is, once nothing is under way; an endpoint is made where there is none."""
        with answering(f"the endpoint {self.name} in {self.place.region} cannot be made"):
            now = self._settled()
            if now.endpoint is None:
                self.say(f"the endpoint {self.name} is made")
                self._make()
                now = self.look()
            return now

    def _settled(self) -> _Now:
        """What there is, once what someone else began has ended."""
        while (now := self.look()).endpoint is not None and (busy := next(self._under_way(), None)):
            self.say(f"waiting for operation {busy}, which is under way")
            time.sleep(self.place.session.settings.poll_seconds)
        return now

    def _under_way(self) -> Iterator[str]:
        """What the endpoint is being changed by."""
        page = ""
        while True:
            asked = {"name": self.place.endpoint_name, "page_token": page}
            said = self.place.endpoints.list_operations(asked)
            yield from (each.name.rpartition("/")[2] for each in said.operations if not each.done)
            if not (page := said.next_page_token):
                return

    def _make(self) -> None:
        endpoint = {
            "display_name": self.name,
            "labels": self.place.labels,
            "encryption_spec": self.place.encryption,
            # A name of its own: requests of up to 10 MB instead of 1.5, apart from those of other customers.
            "dedicated_endpoint_enabled": True,
        }
        request = {"parent": self.place.parent, "endpoint": endpoint, "endpoint_id": self.name}
        done(self.place.session, self.place.endpoints.create_endpoint(request=request))

    def _introduce(self, now: _Now, live: Any, wanted: Any, release: Release, serving: Serving) -> None:
        """Have a new deployed model serve, or what served before.

        Raises:
            MlopsError: it came to nothing.
        """
        if (new := now.deployed.get(wanted.id)) is None:
            new = self._stand(now, live, wanted)
        else:  # it may be one that waited for a rollback
            with answering(f"the number of replicas of {self.name} in {self.place.region} cannot be set"):
                scaling.scale(self.place, new, serving)
        steps = _steps(live, new, release.version, serving)
        reached = next((number for number, step in enumerate(steps) if now.traffic == step.traffic), 0)
        asked = release.sample is None
        if asked:
            self.say("the bundle has no row to ask about: only the health check was passed")
        for step in steps[reached:]:
            self.say(step.told)
            self._turn(step.traffic)
            why = None if asked else self._ask(new, live, release, step.traffic[new.id])
            asked = True
            why = why or (self._watch(new, live, serving.canary_minutes) if live is not None else None)
            if why:
                self._give_up(live, new, f"version {release.version} {why}")
        least = str(scaling.least(live)) if live is not None else ""
        self._turn({new.id: 100}, {LIVE: new.id, PREVIOUS: live.id if live is not None else "", LEAST: least})

    def _stand(self, now: _Now, live: Any, wanted: Any) -> Any:
        """Start a deployed model that gets no requests, in place of those that serve none."""
        from google.api_core.exceptions import GoogleAPICallError

        if live is not None and now.traffic != {live.id: 100}:
            self._turn({live.id: 100})  # another was on its way
        try:
            with answering(
                f"version {hosting.version(wanted)} cannot be deployed to {self.name} in {self.place.region}"
            ):
                self._clear(now, live)
                self.say(f"version {hosting.version(wanted)} is deployed; that takes some minutes")
                hosting.put(self.place, wanted)
                return self.look().deployed[wanted.id]
        except MlopsError as error:
            if not isinstance(error.__cause__, GoogleAPICallError):
                raise
            self._give_up(live, self.look().deployed.get(wanted.id), str(error))

    def _ask(self, new: Any, live: Any, release: Release, share: int) -> str | None:
        """What is wrong with the answer of a deployed model that gets a share of the requests.

        Raises:
            MlopsError: it cannot be asked; then it is left alone, without requests.
        """
        try:
            why = fault(self.place, self.look().endpoint, new.id, release, share)
        except MlopsError:
            self._turn({live.id: 100} if live is not None else {})
            raise
        if why is None:
            self.say(f"version {release.version} answers")
        return why

    def _watch(self, new: Any, live: Any, minutes: int) -> str | None:
        """What is wrong with a deployed model that gets requests; also that nobody can say."""
        try:
            return watch(self.place, new, live, minutes)
        except MlopsError as error:
            return f"cannot be watched: {error}"

    def _turn(self, traffic: dict[str, int], labels: Mapping[str, str] | None = None) -> None:
        """Have requests go so; labels are written by the same change."""
        with answering(f"the requests to {self.name} in {self.place.region} cannot be turned"):
            endpoint = self.look().endpoint
            changed = {
                "name": self.place.endpoint_name,
                "etag": endpoint.etag,
                "traffic_split": traffic,
                "labels": {**endpoint.labels, **(labels or {})},
            }
            self.place.endpoints.update_endpoint(endpoint=changed, update_mask={"paths": ["traffic_split", "labels"]})

    def _clear(self, now: _Now, *kept: Any) -> None:
        """Take away what gets no requests and waits for none."""
        for name in set(now.deployed) - {each.id for each in kept if each is not None}:
            hosting.delete(self.place, name)

    def _give_up(self, live: Any, new: Any, why: str) -> NoReturn:
        """Turn all requests back, and take the new deployed model away."""
        self._turn({live.id: 100} if live is not None else {})
        if new is not None:
            with answering(f"{new.display_name} of {self.name} cannot be taken away"):
                hosting.delete(self.place, new.id)
        serves = f"version {hosting.version(live)} serves again" if live is not None else "nothing served before"
        raise MlopsError(f"{why}; {serves}")


def _steps(live: Any, new: Any, version: str, serving: Serving) -> list[_Step]:
    """How a new deployed model gets the requests."""
    share, steps = serving.canary_percent, [_Step({new.id: 100}, f"all requests go to version {version}")]
    if live is not None and 0 < share < 100:
        split = {live.id: 100 - share, new.id: share}
        steps.insert(0, _Step(split, f"{share} % of the requests go to version {version}"))
    return steps
