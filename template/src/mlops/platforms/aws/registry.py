# The template's: `copier update` renews this file.
"""The model package group: what MLflow's registry has decided, shown where people of AWS look for it.

MLflow stays the truth. A group that was deleted or changed by hand is brought in line by the next deployment.
"""

import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from mlops.platforms.aws.place import Place, found, image_in
from mlops.platforms.aws.session import Session, answering
from mlops.platforms.base import Release

APPROVAL = {"champion": "Approved", "waiting": "PendingManualApproval", "former": "Rejected"}
MOST = 50
"""Entries that the metadata of a package has at most."""


def show(session: Session, place: Place, release: Release) -> None:
    """Have a package of a release in the group, and each package approved as its version's standing says."""
    with _in_line(session) as group:
        sagemaker = place.sagemaker
        if found(sagemaker.describe_model_package_group, ModelPackageGroupName=group) is None:
            sagemaker.create_model_package_group(
                ModelPackageGroupName=group,
                ModelPackageGroupDescription=f"Champions of {release.model}, as MLflow's registry has them",
                Tags=place.tags,
            )
        if release.version not in {_version(package) for package in _packages(sagemaker, group)}:
            sagemaker.create_model_package(**_package(release, place, group))
    approve(session, place, release.standing)


def approve(session: Session, place: Place, standing: Mapping[str, str]) -> None:
    """Let the approval of each package follow the standing of its version."""
    with _in_line(session) as group:
        for package in _packages(place.sagemaker, group):
            now = standing.get(_version(package) or "", "former")
            if package["ModelApprovalStatus"] != APPROVAL[now]:
                place.sagemaker.update_model_package(
                    ModelPackageArn=package["ModelPackageArn"],
                    ModelApprovalStatus=APPROVAL[now],
                    ApprovalDescription=f"{now} in MLflow's registry",
                )


@contextmanager
def _in_line(session: Session) -> Iterator[str]:
    """The name of the group, for a block that works on it."""
    group = session.aws.model_package_group or session.project.name
    with answering(f"the model package group {group} cannot be brought in line; deploy again once that is mended"):
        yield group


def _packages(sagemaker: Any, group: str) -> list[dict[str, Any]]:
    pages = sagemaker.get_paginator("list_model_packages").paginate(ModelPackageGroupName=group)
    return [package for page in pages for package in page["ModelPackageSummaryList"]]


def _version(package: dict[str, Any]) -> str | None:
    """The version in MLflow that a package stands for: AWS counts its own versions."""
    said = re.search(r" version (\d+)$", package.get("ModelPackageDescription", ""))
    return said and said[1]


def _package(release: Release, place: Place, group: str) -> dict[str, Any]:
    types = ["application/json", "text/csv"]
    key = f"bundles/{release.model}/{release.version}/model.tar.gz"
    container = {"Image": image_in(place, release.image), "ModelDataUrl": f"s3://{place.bucket}/{key}"}
    about = {"version": release.version, "run": release.run_id, **release.about}
    return {
        "ModelPackageGroupName": group,
        "ModelPackageDescription": f"{release.model} version {release.version}",
        "ModelApprovalStatus": APPROVAL[release.standing.get(release.version, "former")],
        "InferenceSpecification": {
            "Containers": [container],
            "SupportedContentTypes": types,
            "SupportedResponseMIMETypes": types,
        },
        "CustomerMetadataProperties": {
            _text(name, 128): _text(value, 256) for name, value in list(about.items())[:MOST] if value
        },
    }


def _text(value: str, most: int) -> str:
    """Of the letters that AWS takes, and no longer than it takes."""
    return re.sub(r"[^\w .:/=+\-@]", "_", value)[:most]
