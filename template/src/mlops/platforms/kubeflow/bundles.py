# The template's: `copier update` renews this file.
"""A bundle as a folder of the bucket, which is never replaced by another."""

from typing import Any

from mlops.errors import MlopsError
from mlops.platforms.base import Release
from mlops.platforms.kubeflow.session import Session, answering

LAST = "bundle.json"
"""The file that is brought last, with the digest of the whole folder: where it is, all is."""


def upload(session: Session, release: Release) -> str:
    """Bring the bundle to its place; returns the URL of its folder.

    Raises:
        MlopsError: another bundle is there already, or the store does not take it.
    """
    bucket, folder = session.setting("bucket"), f"bundles/{release.model}/{release.version}/"
    url, digest = f"s3://{bucket}/{folder}", release.digest
    with answering(f"the bundle cannot be brought to {url}"):
        s3 = store(session)
        there = _head(s3, bucket, folder + LAST)
        if there is None:
            files = sorted(file for file in release.bundle.rglob("*") if file.is_file())
            for file in sorted(files, key=lambda file: file == release.bundle / LAST):
                path = file.relative_to(release.bundle).as_posix()
                s3.upload_file(str(file), bucket, folder + path, ExtraArgs={"Metadata": {"sha256": digest}})
            return url
    if there["Metadata"].get("sha256") != digest:
        # Pods fetch it anew when they are started, so it must never change under them.
        raise MlopsError(
            f"{url} holds another bundle than version {release.version} in the registry; was the registry made anew? "
            "Move that folder of the bucket away, then deploy again"
        )
    return url


def store(session: Session) -> Any:
    """A client of the store, with the login of whoever works here (AWS_*)."""
    import os

    import boto3

    address = os.environ.get("AWS_ENDPOINT_URL") or session.kubeflow.object_store
    region = os.environ.get("AWS_REGION") or os.environ.get("AWS_DEFAULT_REGION") or "us-east-1"
    return boto3.client("s3", endpoint_url=address, region_name=region)


def _head(s3: Any, bucket: str, key: str) -> Any:
    from botocore.exceptions import ClientError

    try:
        return s3.head_object(Bucket=bucket, Key=key)
    except ClientError as error:
        if error.response["Error"]["Code"] in ("404", "NoSuchKey"):
            return None
        raise
