# The template's: `copier update` renews this file.
"""What an endpoint is made of: a model and an endpoint configuration, each named by its content.

So a deployment that was cut short is taken up where it ended, and what is there already is not made again.
"""

import math
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from mlops.files import canonical_hash
from mlops.platforms.aws import modes
from mlops.platforms.aws.bundles import upload
from mlops.platforms.aws.place import Place, found, image_in
from mlops.platforms.aws.session import answering
from mlops.platforms.base import Release, Serving

VARIANT = "AllTraffic"
"""The one production variant; alarms and scaling name it too."""
PREVIOUS = "mlops:previous"
"""A tag of a configuration: the one that served before it."""
PROVED = "mlops:proved"
"""A tag of a configuration: the version by which it has answered a row."""
KEPT = 3
"""Configurations that stay, the newest first, beside the present one and the one before."""


def make_model(place: Place, release: Release) -> str:
    """The model of a release, made unless it is there; returns its name."""
    main = f"s3://{place.session.setting('bucket')}/"
    log = release.environment.get("MLOPS_LOG_URI", f"{main}logs/predictions")
    if log.startswith(main):  # a region writes into its own bucket, for the other may be away
        log = f"s3://{place.bucket}/{log.removeprefix(main)}"
    content: dict[str, Any] = {
        "PrimaryContainer": {
            "Image": image_in(place, release.image),
            "ModelDataUrl": upload(place, release),
            "Environment": {**release.environment, "MLOPS_LOG_URI": log},
        },
        "ExecutionRoleArn": place.session.setting("endpoint_role_arn"),
    }
    if place.subnets:
        content["VpcConfig"] = {"Subnets": list(place.subnets), "SecurityGroupIds": list(place.security_groups)}
    name = f"{place.base}-{release.version}-{canonical_hash(content)[:8]}"
    with answering(f"the model {name} cannot be made in {place.region}"):
        if found(place.sagemaker.describe_model, ModelName=name) is None:
            place.sagemaker.create_model(ModelName=name, Tags=place.tags, **content)
    return name


def variant_of(model: str, serving: Serving) -> dict[str, Any]:
    """What serves a model."""
    named = {"VariantName": VARIANT, "ModelName": model}
    if serving.serverless:
        memory = 1024 * math.ceil(serving.needs.memory_gb)
        return {**named, "ServerlessConfig": {"MemorySizeInMB": memory, "MaxConcurrency": serving.max_instances}}
    machines = {"InstanceType": modes.machine(serving.needs), "InitialInstanceCount": serving.min_instances}
    return {**named, **machines, "InitialVariantWeight": 1.0}


def make_config(place: Place, model: str, serving: Serving) -> str:
    """The endpoint configuration of a model, made unless it is there; returns its name."""
    content: dict[str, Any] = {"ProductionVariants": [variant_of(model, serving)]}
    if place.kms_key and not serving.serverless:
        content["KmsKeyId"] = place.kms_key
    name = f"{model}-{canonical_hash(content)[:8]}"
    with answering(f"the endpoint configuration {name} cannot be made in {place.region}"):
        if found(place.sagemaker.describe_endpoint_config, EndpointConfigName=name) is None:
            place.sagemaker.create_endpoint_config(EndpointConfigName=name, Tags=place.tags, **content)
    return name


@dataclass(frozen=True)
class Config:
    """An endpoint configuration as it is there."""

    name: str
    version: str | None
    """The model version that it serves; None if something else made it."""
    previous: str | None
    """The name of the one before."""
    proved: bool
    """Whether it has answered a row of its own."""
    variant: Mapping[str, Any]

    @property
    def serverless(self) -> bool:
        return "ServerlessConfig" in self.variant


def read_config(place: Place, name: str | None) -> Config | None:
    """A configuration by its name; None where there is none."""
    with answering(f"the endpoint configuration {name} in {place.region} cannot be looked at"):
        sagemaker = place.sagemaker
        if name is None or (about := found(sagemaker.describe_endpoint_config, EndpointConfigName=name)) is None:
            return None
        tags = sagemaker.list_tags(ResourceArn=about["EndpointConfigArn"])["Tags"]
        variant = about["ProductionVariants"][0]
        model = found(sagemaker.describe_model, ModelName=variant.get("ModelName", "")) or {}
    environment = model.get("PrimaryContainer", {}).get("Environment", {})
    said = {tag["Key"]: tag["Value"] for tag in tags}
    return Config(name, environment.get("MLOPS_MODEL_VERSION"), said.get(PREVIOUS), PROVED in said, variant)


def note(place: Place, name: str, tag: str, value: str) -> None:
    """Write a tag of ours on a configuration."""
    about = place.sagemaker.describe_endpoint_config(EndpointConfigName=name)
    place.sagemaker.add_tags(ResourceArn=about["EndpointConfigArn"], Tags=[{"Key": tag, "Value": value}])


def tidy(place: Place, *in_use: str | None) -> None:
    """Delete old configurations and models of this endpoint; those in use and the newest few stay."""
    ours = re.compile(rf"{re.escape(place.base)}-\d+-[0-9a-f]{{8}}(-[0-9a-f]{{8}})?")
    sagemaker = place.sagemaker

    def names(verb: str, listed: str, field: str) -> Iterator[str]:
        pages = sagemaker.get_paginator(verb).paginate(
            NameContains=place.base, SortBy="CreationTime", SortOrder="Descending"
        )
        return (each[field] for page in pages for each in page[listed] if ours.fullmatch(each[field]))

    configs = list(names("list_endpoint_configs", "EndpointConfigs", "EndpointConfigName"))
    kept = {*configs[:KEPT], *filter(None, in_use)}
    for name in configs:
        if name not in kept:
            sagemaker.delete_endpoint_config(EndpointConfigName=name)
    models = {name.rpartition("-")[0] for name in kept}
    for name in list(names("list_models", "Models", "ModelName")):
        if name not in models:
            sagemaker.delete_model(ModelName=name)
