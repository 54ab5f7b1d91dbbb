# The template's: `copier update` renews this file.
"""The regions that an endpoint is in, and what belongs to it there."""

import re
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from mlops.errors import UsageError
from mlops.platforms.aws import modes
from mlops.platforms.aws.session import Session, answering
from mlops.platforms.base import Serving
from mlops.platforms.cloud import shortened

MISSING = re.compile(r"could not find|does not exist", re.IGNORECASE)


@dataclass(frozen=True)
class Place:
    """A region that an endpoint is in, and what belongs to it there."""

    session: Session
    region: str
    bucket: str
    kms_key: str | None
    subnets: tuple[str, ...]
    security_groups: tuple[str, ...]
    alarms: tuple[str, ...]

    @cached_property
    def sagemaker(self) -> Any:
        return self.session.client("sagemaker", self.region)

    @property
    def endpoint(self) -> str:
        return self.session.name

    @property
    def base(self) -> str:
        """What names of models and configurations start with: not too long for a version and two digests."""
        return shortened(self.endpoint, 36)

    @property
    def tags(self) -> list[dict[str, str]]:
        """For the bill."""
        return [{"Key": key, "Value": value} for key, value in {**self.session.tags, "managed-by": "mlops"}.items()]

    def wish(self, serving: Serving) -> modes.Wish:
        return modes.Wish(serving, self.subnets, self.alarms)


def places(session: Session) -> list[Place]:
    """The main region, and the recovery region where MLOPS_AWS_RECOVERY_ENDPOINT is true.

    Raises:
        UsageError: a setting is missing.
    """
    region, recovery = session.regions
    found = [(region, "")]
    if session.aws.recovery_endpoint:
        if not recovery or recovery == region:
            raise UsageError(
                "MLOPS_AWS_RECOVERY_ENDPOINT is true, and [tool.mlops.aws] in pyproject.toml names no other region; "
                "set recovery_region there"
            )
        found.append((recovery, "recovery_"))
    return [
        Place(
            session,
            name,
            session.setting(f"{prefix}bucket"),
            getattr(session.aws, f"{prefix}kms_key_arn"),
            tuple(session.listed(f"{prefix}subnets")),
            tuple(session.listed(f"{prefix}security_groups")),
            tuple(session.listed(f"{prefix}alarms")),
        )
        for name, prefix in found
    ]


def found(ask: Any, **names: Any) -> Any:
    """What AWS says of something; None where there is no such thing."""
    from botocore.exceptions import ClientError

    try:
        return ask(**names)
    except ClientError as error:
        told = error.response.get("Error", {})
        code, message = str(told.get("Code")), told.get("Message", "")
        if code in ("404", "NoSuchKey") or code.startswith("ResourceNotFound") or MISSING.search(message):
            return None
        raise


def image_in(place: Place, image: str) -> str:
    """The image in this region: ECR replicates it under the same name and digest.

    Raises:
        MlopsError: it is not there yet.
    """
    there = image.replace(f".ecr.{place.session.region}.", f".ecr.{place.region}.")
    if there == image:
        return image
    name, _, digest = there.partition("/")[2].partition("@")
    with answering(f"the image {there} cannot be found; let ECR replicate it to {place.region}"):
        place.session.client("ecr", place.region).describe_images(
            repositoryName=name, imageIds=[{"imageDigest": digest}]
        )
    return there
