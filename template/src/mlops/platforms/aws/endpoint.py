# The template's: `copier update` renews this file.
"""The endpoint: made by the first deployment, updated by canary, turned back by alarms or by a row it does not answer.

SageMaker's deployment guardrails shift the requests and watch the alarms, so a version that is bad is turned back
even if whoever deployed it is gone. Each step can be done again: a deployment that was cut short is taken up by the
next.
"""

import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from mlops.errors import MlopsError, UsageError
from mlops.platforms.aws import modes, registry, scaling
from mlops.platforms.aws.asking import fault
from mlops.platforms.aws.hosting import (
    PREVIOUS,
    PROVED,
    Config,
    make_config,
    make_model,
    note,
    read_config,
    tidy,
)
from mlops.platforms.aws.place import Place, found, places
from mlops.platforms.aws.session import Session, answering
from mlops.platforms.base import Deployment, Release, Say, Serving
from mlops.platforms.cloud import deploy_each, roll_back_each, telling

BUSY = ("Creating", "Updating", "SystemUpdating", "RollingBack", "Deleting")


def deploy(session: Session, release: Release, serving: Serving, say: Say) -> Deployment:
    """Serve a release in the main region, then in the recovery region if that is asked for.

    Raises:
        UsageError: a setting is missing, or ways of serving do not go together.
        MlopsError: it failed; the version before serves again.
    """
    wanted = places(session)
    for told in dict.fromkeys(told for place in wanted for told in modes.check(place.wish(serving))):
        say(told)
    deployed = deploy_each(_endpoints(wanted, say), release, serving)
    registry.show(session, wanted[0], release)
    return deployed


def rollback(session: Session, version: str, standing: Mapping[str, str], say: Say) -> Deployment:
    """Serve a version again as it was served before the present one, all requests at once, in each region.

    Raises:
        MlopsError: a region cannot; the others have done it all the same.
    """
    wanted = places(session)
    deployed = roll_back_each(_endpoints(wanted, say), version)
    registry.approve(session, wanted[0], standing)
    return deployed


def deployment(session: Session) -> Deployment:
    """What the endpoint serves in the main region."""
    return _Endpoint(places(session)[0], lambda _: None).deployment()


def _endpoints(wanted: list[Place], say: Say) -> "dict[str, _Endpoint]":
    """The endpoint in each region."""
    several = len(wanted) > 1
    return {place.region: _Endpoint(place, telling(say, place.region, several=several)) for place in wanted}


@dataclass(frozen=True)
class _Endpoint:
    """The endpoint in one region."""

    place: Place
    say: Say

    @property
    def name(self) -> str:
        return self.place.endpoint

    def deployment(self, *, changed: bool = True) -> Deployment:
        with answering(f"the endpoint {self.name} in {self.place.region} cannot be looked at"):
            now = self._describe()
            if now is None:
                return Deployment(self.name, None)
            config = read_config(self.place, now["EndpointConfigName"])
            before = read_config(self.place, config.previous) if config else None
        region = self.place.region
        address = f"https://runtime.sagemaker.{region}.amazonaws.com/endpoints/{self.name}/invocations"
        version, previous = (each.version if each else None for each in (config, before))
        return Deployment(self.name, version, previous, address, changed)

    def deploy(self, release: Release, serving: Serving) -> Deployment:
        """Serve a release; nothing is changed where it is served already."""
        place = self.place
        before = self._present()
        if serving.serverless and before and not before.serverless:
            raise UsageError(
                f"the endpoint {self.name} in {place.region} has instances, of which AWS makes no serverless one; "
                f"delete it first: aws sagemaker delete-endpoint --region {place.region} --endpoint-name {self.name}"
            )
        config = make_config(place, make_model(place, release), serving)
        changed = self._go_to(config, before, place.wish(serving))
        if changed or not (before and before.proved):
            self._prove(release, config, before if changed else read_config(place, before.previous if before else None))
        with answering(f"the scaling of {self.name} in {place.region} cannot be set"):
            changed = scaling.scale(place, serving) or changed
        done = self.deployment(changed=changed)
        with answering(f"old configurations of {self.name} in {place.region} cannot be deleted"):
            present = read_config(place, config)
            tidy(place, config, present.previous if present else None)
        return done

    def rollback(self, version: str) -> Deployment:
        """Go back to a version; nothing is done where it serves, as where a rollback was cut short."""
        present = self._present()
        if present is not None and present.version == version:
            return self.deployment(changed=False)
        before = read_config(self.place, present.previous if present else None)
        if present is None or before is None or before.version != version:
            raise MlopsError(
                f"the endpoint {self.name} in {self.place.region} did not serve version {version} before; "
                "'mlops deploy' serves it"
            )
        self._go_back(before, present)
        return self.deployment()

    def _describe(self) -> Any:
        return found(self.place.sagemaker.describe_endpoint, EndpointName=self.name)

    def _present(self) -> Config | None:
        """What serves, once nothing is under way; None where there is no endpoint, or one that is of no use."""
        with answering(f"the endpoint {self.name} in {self.place.region} cannot be looked at"):
            now = self._follow()
            if now is not None and now["EndpointStatus"] in ("Failed", "OutOfService"):
                self.say(f"the endpoint {self.name} is {now['EndpointStatus']}: it is made anew")
                self._delete()
                now = None
        if now is None:
            return None
        name = now["EndpointConfigName"]
        return read_config(self.place, name) or Config(name, None, None, False, {})

    def _delete(self) -> None:
        self.place.sagemaker.delete_endpoint(EndpointName=self.name)
        self._follow()

    def _follow(self) -> Any:
        """Wait until what is under way has ended, and tell of it; returns what AWS says then."""
        told = None
        while (now := self._describe()) is not None and now["EndpointStatus"] in BUSY:
            if (stage := _stage(now)) != told:
                self.say(stage)
                told = stage
            time.sleep(self.place.session.settings.poll_seconds)
        return now

    def _go_to(self, config: str, before: Config | None, wish: modes.Wish) -> bool:
        """Have a configuration served; False where it is already.

        Raises:
            MlopsError: it came to nothing; what served before serves.
        """
        place = self.place
        if before is not None and before.name == config:
            return False
        if before is not None and (raised := self._raised()):
            raise MlopsError(
                f"the alarm {raised} is on already and would turn any deployment back; deploy again once it is off, or "
                "go back with 'mlops rollback', whatever alarms say"
            )
        with answering(f"{config} cannot be served by {self.name} in {place.region}"):
            if before is None:
                self.say(f"the endpoint {self.name} is made; that takes some minutes")
                place.sagemaker.create_endpoint(EndpointName=self.name, EndpointConfigName=config, Tags=place.tags)
            else:
                # Before the update, so that whatever is served knows what was served before it.
                note(place, config, PREVIOUS, before.name)
                scaling.let_go(place, before, wish.serving)
                self._update(config, guardrails(wish), keep_size=scaling.wanted(wish.serving))
            now = self._follow()
        if now is None or now["EndpointStatus"] != "InService" or now["EndpointConfigName"] != config:
            raise MlopsError(self._why(now, before))
        return True

    def _update(self, config: str, guardrails: dict[str, Any], *, keep_size: bool) -> None:
        self.place.sagemaker.update_endpoint(
            EndpointName=self.name, EndpointConfigName=config, RetainAllVariantProperties=keep_size, **guardrails
        )

    def _why(self, now: Any, before: Config | None) -> str:
        """Why a deployment failed, and what serves now."""
        reason = (now or {}).get("FailureReason", "")
        if raised := self._raised():
            reason = f"the alarm {raised} went off" + (f" ({reason})" if reason else "")
        reason = reason or "AWS gives no reason; look at the log of the endpoint in CloudWatch"
        if now is not None and now["EndpointStatus"] == "InService" and before is not None:
            return f"the deployment failed: {reason}; {_shown(before)} serves again"
        return f"the endpoint {self.name} in {self.place.region} failed: {reason}; deploy again once that is mended"

    def _raised(self) -> str:
        """The alarms that are on now, of those that turn a deployment back."""
        if not self.place.alarms:
            return ""
        with answering("the alarms cannot be looked at"):
            watch = self.place.session.client("cloudwatch", self.place.region)
            states = watch.describe_alarms(AlarmNames=list(self.place.alarms))["MetricAlarms"]
        return " and ".join(each["AlarmName"] for each in states if each["StateValue"] == "ALARM")

    def _go_back(self, before: Config, present: Config) -> None:
        """Serve an earlier configuration again: at once, and whatever the alarms say."""
        with answering(f"{self.name} in {self.place.region} cannot go back to {_shown(before)}"):
            self.say(f"back to {_shown(before)}, all requests at once")
            scaling.let_go(self.place, present, None if before.serverless else before.variant)
            self._update(before.name, {}, keep_size=False)
            now = self._follow()
        if now is None or now["EndpointStatus"] != "InService" or now["EndpointConfigName"] != before.name:
            raise MlopsError(f"going back to {_shown(before)} failed: {self._why(now, None)}")

    def _prove(self, release: Release, config: str, before: Config | None) -> None:
        """Have the endpoint answer a row by the version that was deployed; else go back to what served before.

        Raises:
            MlopsError: it does not, or it cannot be asked, which is no reason to go back.
        """
        if release.sample is None:
            self.say("the bundle has no row to ask about: only the health check was passed")
        elif (why := fault(self.place, release)) is None:
            self.say(f"version {release.version} answers")
        elif before is not None:
            self._go_back(before, self._present() or before)
            raise MlopsError(f"version {release.version} {why}; {_shown(before)} serves again")
        else:
            with answering(f"the endpoint {self.name} cannot be deleted"):
                self._delete()
            raise MlopsError(f"version {release.version} {why}; the endpoint was deleted, for nothing served before")
        with answering(f"{config} cannot be marked as proved"):
            note(self.place, config, PROVED, release.version)


def _shown(config: Config) -> str:
    return f"version {config.version}" if config.version else config.name


def _stage(now: Any) -> str:
    """Where a deployment is, in words."""
    status = str(now["EndpointStatus"])
    variants = now.get("PendingDeploymentSummary", {}).get("ProductionVariants", [])
    states = {state["Status"] for variant in variants for state in variant.get("VariantStatus", [])}
    if "Baking" in states:
        return "requests go to the new version, and the alarms are watched"
    if "ActivatingTraffic" in states:
        return "requests are turned to the new version"
    return {"Creating": "machines start", "Updating": "machines of the new version start"}.get(status, status)


def guardrails(wish: modes.Wish) -> dict[str, Any]:
    """How an update goes: in two steps, or in one; with alarms that turn it back. A serverless endpoint has neither."""
    serving = wish.serving
    if serving.serverless:
        return {}
    wait = serving.canary_minutes * 60
    routing: dict[str, Any] = {"Type": "ALL_AT_ONCE", "WaitIntervalInSeconds": 0}
    if modes.has_canary(wish):
        size = {"Type": "CAPACITY_PERCENT", "Value": serving.canary_percent}
        routing = {"Type": "CANARY", "CanarySize": size, "WaitIntervalInSeconds": wait}
    policy = {
        "TrafficRoutingConfiguration": routing,
        "TerminationWaitInSeconds": wait,
        "MaximumExecutionTimeoutInSeconds": 3600 + 2 * wait,
    }
    rules: dict[str, Any] = {"BlueGreenUpdatePolicy": policy}
    if wish.alarms:
        rules["AutoRollbackConfiguration"] = {"Alarms": [{"AlarmName": name} for name in wish.alarms]}
    return {"DeploymentConfig": rules}
