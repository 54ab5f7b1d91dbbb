# The template's: `copier update` renews this file.
"""The endpoint: its requests go to one of two deployments, blue and green, and a new version gets them step by step.

Copies of requests first, then a share of them, then all; after each step the metrics are watched, and what is wrong
turns all requests back. Each step can be done again: a deployment that was cut short is taken up by the next.
"""

import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, NamedTuple, NoReturn

from mlops.errors import MlopsError
from mlops.platforms.azure import hosting, modes, registry, scaling
from mlops.platforms.azure.asking import fault
from mlops.platforms.azure.clients import done, found
from mlops.platforms.azure.hosting import CONTENT, SETTLED, VERSION, Sizes
from mlops.platforms.azure.place import Place, places
from mlops.platforms.azure.session import Session, answering
from mlops.platforms.azure.watching import watch
from mlops.platforms.base import Deployment, Release, Say, Serving
from mlops.platforms.cloud import deploy_each, roll_back_each, telling

COLOURS = ("blue", "green")
LIVE = "mlops.live"
"""A tag of the endpoint: the content of the deployment that was given all requests last."""
PREVIOUS = "mlops.previous"
"""The content of the one before it, which waits for a rollback."""


def deploy(session: Session, release: Release, serving: Serving, say: Say) -> Deployment:
    """Serve a release in the main location, then in the recovery location if that is asked for.

    Raises:
        UsageError: a setting is missing, or it cannot be served so.
        MlopsError: it failed; the version before serves again.
    """
    wanted = places(session)
    for told in modes.check(serving):
        say(told)
    deployed = deploy_each(_endpoints(wanted, say), release, serving)
    registry.show(session, wanted[0], release)
    return deployed


def rollback(session: Session, version: str, standing: Mapping[str, str], say: Say) -> Deployment:
    """Serve a version again as it was served before the present one, all requests at once, in each location.

    Raises:
        MlopsError: a location cannot; the others have done it all the same.
    """
    wanted = places(session)
    deployed = roll_back_each(_endpoints(wanted, say), version)
    registry.mark(wanted[0], session.settings.model_name or session.project.name, standing)
    return deployed


def deployment(session: Session) -> Deployment:
    """What the endpoint serves in the main location."""
    hand = _Endpoint(places(session)[0], lambda _: None)
    with answering(f"the endpoint {hand.name} cannot be looked at"):
        return hand.shown(hand.look())


def _endpoints(wanted: list[Place], say: Say) -> "dict[str, _Endpoint]":
    """The endpoint in each location."""
    several = len(wanted) > 1
    return {place.location: _Endpoint(place, telling(say, place.location, several=several)) for place in wanted}


@dataclass(frozen=True)
class _Now:
    """The endpoint and its deployments as they are."""

    endpoint: Any = None
    deployments: dict[str, Any] = field(default_factory=dict)

    def of(self, tag: str) -> Any:
        """The deployment that a tag of the endpoint means."""
        content = self.endpoint.tags.get(tag) if self.endpoint else None
        return next((each for each in self.deployments.values() if content and _content(each) == content), None)

    def gets(self, traffic: Mapping[str, int], mirror: Mapping[str, int]) -> bool:
        """Whether requests go so."""
        now = ({name: share for name, share in (said or {}).items() if share} for said in self.traffic)
        return tuple(now) == (traffic, mirror)

    @property
    def traffic(self) -> tuple[Mapping[str, int], Mapping[str, int]]:
        return self.endpoint.traffic, self.endpoint.mirror_traffic


class _Step(NamedTuple):
    traffic: dict[str, int]
    mirror: dict[str, int]
    told: str


@dataclass(frozen=True)
class _Endpoint:
    """The endpoint in one location."""

    place: Place
    say: Say

    @property
    def name(self) -> str:
        return self.place.endpoint

    def deploy(self, release: Release, serving: Serving) -> Deployment:
        """Serve a release; nothing is changed where it is served already."""
        with answering(f"the endpoint {self.name} in {self.place.location} cannot be made"):
            now = self._present()
        wanted = hosting.wanted(self.place, release, serving, _client_id(now.endpoint))
        live, changed = now.of(LIVE), True
        if live is None or _content(live) != _content(wanted):
            self._introduce(now, live, wanted, release, serving)
        elif not now.gets({live.name: 100}, {}):
            self._turn({live.name: 100}, {})
        else:
            changed = False
        now = self.look()
        with answering(f"the number of instances of {self.name} in {self.place.location} cannot be set"):
            changed = scaling.scale(self.place, now.of(LIVE), Sizes.of(serving)) or changed
            if (previous := now.of(PREVIOUS)) is not None:
                scaling.rest(self.place, previous)
        return self.shown(now, changed=changed)

    def rollback(self, version: str) -> Deployment:
        """Go back to a version; nothing is done where it serves, as where a rollback was cut short."""
        with answering(f"{self.name} in {self.place.location} cannot go back to version {version}"):
            now = self._settled()
            live, previous = now.of(LIVE), now.of(PREVIOUS)
            if live is not None and live.tags.get(VERSION) == version:
                return self.shown(now, changed=False)
            if live is None or previous is None or previous.tags.get(VERSION) != version:
                raise MlopsError(
                    f"the endpoint {self.name} in {self.place.location} did not serve version {version} before; "
                    "'mlops deploy' serves it"
                )
            self.say(f"back to version {version}, all requests at once")
            sizes = Sizes.read(previous)
            scaling.rest(self.place, previous, max(previous.instance_count, sizes.least))
            self._turn({previous.name: 100}, {}, {LIVE: _content(previous), PREVIOUS: ""})
            scaling.scale(self.place, previous, sizes)
            self._take_away(live)
            return self.shown(self.look())

    def look(self) -> _Now:
        """What there is; without an endpoint if there is none."""
        endpoint = found(self.place.ml.online_endpoints.get, self.name)
        if endpoint is None:
            return _Now()
        return _Now(endpoint, {each.name: each for each in self.place.ml.online_deployments.list(self.name)})

    def shown(self, now: _Now, *, changed: bool = True) -> Deployment:
        live, previous = (
            each.tags.get(VERSION) if each is not None else None for each in (now.of(LIVE), now.of(PREVIOUS))
        )
        address = now.endpoint.scoring_uri if now.endpoint else None
        return Deployment(self.name, live, previous, address, changed)

    def _present(self) -> _Now:
        """What there is, once nothing is under way; an endpoint is made where there is none of use."""
        now = self._settled()
        if now.endpoint is not None and now.endpoint.provisioning_state != "Succeeded" and not now.deployments:
            self.say(f"the endpoint {self.name} is {now.endpoint.provisioning_state}: it is made anew")
            done(self.place.ml.online_endpoints.begin_delete, self.name)
            now = _Now()
        if now.endpoint is None:
            self.say(f"the endpoint {self.name} is made")
            self._make()
            now = self.look()
        return now

    def _settled(self) -> _Now:
        """What there is, once what someone else began has ended."""
        while True:
            now = self.look()
            parts = [now.endpoint, *now.deployments.values()]
            busy = [each.name for each in parts if each and each.provisioning_state not in (None, *SETTLED)]
            if not busy:
                return now
            self.say(f"waiting for {busy[0]}, which is being changed")
            time.sleep(self.place.session.settings.poll_seconds)

    def _make(self) -> None:
        from azure.ai.ml.entities import IdentityConfiguration, ManagedIdentityConfiguration, ManagedOnlineEndpoint

        runs_as = IdentityConfiguration(
            type="user_assigned",
            user_assigned_identities=[ManagedIdentityConfiguration(resource_id=self.place.identity)],
        )
        # Who asks is known by a token of Entra: there is no key that could get lost.
        endpoint = ManagedOnlineEndpoint(name=self.name, auth_mode="aad_token", identity=runs_as, tags=self.place.tags)
        done(self.place.ml.online_endpoints.begin_create_or_update, endpoint)

    def _introduce(self, now: _Now, live: Any, wanted: Any, release: Release, serving: Serving) -> None:
        """Have a new deployment serve, or what served before.

        Raises:
            MlopsError: it came to nothing.
        """
        new = next((each for each in now.deployments.values() if _content(each) == _content(wanted)), None)
        if new is None or new.provisioning_state != "Succeeded":
            new = self._stand(now, live, wanted)
        if release.sample is None:
            self.say("the bundle has no row to ask about: only the health check was passed")
        elif (why := fault(self.place, new.name, release)) is not None:
            self._give_up(live, new, f"version {release.version} {why}")
        else:
            self.say(f"version {release.version} answers")
        steps = _steps(live.name, new.name, serving) if live is not None else []
        reached = next((number for number, step in enumerate(steps) if now.gets(step.traffic, step.mirror)), 0)
        for step in steps[reached:]:
            self.say(step.told)
            self._turn(step.traffic, step.mirror)
            if why := self._watch(new, live, serving.canary_minutes):
                self._give_up(live, new, f"version {release.version} {why}")
        self._turn({new.name: 100}, {}, {LIVE: _content(new), PREVIOUS: _content(live) if live is not None else ""})

    def _stand(self, now: _Now, live: Any, wanted: Any) -> Any:
        """Start a deployment that gets no requests, in the colour that is free."""
        from azure.core.exceptions import HttpResponseError

        if live is not None and not now.gets({live.name: 100}, {}):
            self._turn({live.name: 100}, {})  # another was on its way
        serves = live.name if live is not None else max(now.endpoint.traffic, key=now.endpoint.traffic.get, default="")
        wanted.name = next(colour for colour in COLOURS if colour != serves or not now.endpoint.traffic.get(colour))
        try:
            with answering(
                f"version {wanted.tags[VERSION]} cannot be deployed to {self.name} in {self.place.location}"
            ):
                if wanted.name in now.deployments:
                    self._take_away(now.deployments[wanted.name])
                self.say(f"the deployment {wanted.name} starts; that takes some minutes")
                return hosting.put(self.place, wanted)
        except MlopsError as error:
            if not isinstance(error.__cause__, HttpResponseError):
                raise
            self._give_up(live, self.look().deployments.get(wanted.name), str(error))

    def _watch(self, new: Any, live: Any, minutes: int) -> str | None:
        """What is wrong with a deployment that gets requests; also that nobody can say."""
        try:
            return watch(self.place, new.name, live.name, minutes)
        except MlopsError as error:
            return f"cannot be watched: {error}"

    def _turn(self, traffic: dict[str, int], mirror: dict[str, int], tags: Mapping[str, str] | None = None) -> None:
        """Have requests go so; tags are written by the same change."""
        with answering(f"the requests to {self.name} in {self.place.location} cannot be turned"):
            endpoint = self.place.ml.online_endpoints.get(self.name)
            endpoint.traffic, endpoint.mirror_traffic = traffic, mirror
            endpoint.tags = {**endpoint.tags, **(tags or {})}
            done(self.place.ml.online_endpoints.begin_create_or_update, endpoint)

    def _take_away(self, deployment: Any) -> None:
        scaling.rest(self.place, deployment, deployment.instance_count)
        hosting.delete(self.place, deployment.name)

    def _give_up(self, live: Any, new: Any, why: str) -> NoReturn:
        """Turn all requests back, and take the new deployment away."""
        if live is not None:
            self._turn({live.name: 100}, {})
        if new is not None:
            with answering(f"the deployment {new.name} of {self.name} cannot be deleted"):
                self._take_away(new)
        serves = f"version {live.tags.get(VERSION)} serves again" if live is not None else "nothing served before"
        raise MlopsError(f"{why}; {serves}")


def _content(deployment: Any) -> str:
    return str((deployment.tags or {}).get(CONTENT, ""))


def _client_id(endpoint: Any) -> str | None:
    """The client id of the identity that the endpoint runs as."""
    identities = (endpoint.identity and endpoint.identity.user_assigned_identities) or []
    # The package hands this one on under the name that it has in Azure's answer.
    return next((vars(each).get("clientId") or each.client_id for each in identities), None)


def _steps(old: str, new: str, serving: Serving) -> list[_Step]:
    """How a new deployment gets the requests."""
    share, steps = serving.canary_percent, []
    if share:
        copies = min(share, modes.MOST_COPIES)
        split = {name: part for name, part in ((old, 100 - share), (new, share)) if part}
        steps = [
            _Step({old: 100}, {new: copies}, f"{new} gets copies of {copies} % of the requests, and answers nobody"),
            _Step(split, {}, f"{share} % of the requests go to {new}"),
        ]
    return [*steps, _Step({new: 100}, {}, f"all requests go to {new}")]
