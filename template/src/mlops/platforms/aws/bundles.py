# The template's: `copier update` renews this file.
"""A bundle in its bucket, as SageMaker takes it: model.tar.gz, which is never replaced by another."""

import gzip
import tarfile
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO

from mlops.errors import MlopsError
from mlops.platforms.aws.place import Place, found
from mlops.platforms.aws.session import answering
from mlops.platforms.base import Release


def upload(place: Place, release: Release) -> str:
    """Bring the bundle to its place in the bucket, as SageMaker takes it; returns its URL.

    Raises:
        MlopsError: another bundle is there already, or the bucket does not take it.
    """
    s3 = place.session.client("s3", place.region)
    key = f"bundles/{release.model}/{release.version}/model.tar.gz"
    url, digest = f"s3://{place.bucket}/{key}", release.digest
    with answering(f"the bundle cannot be brought to {url}"):
        there = found(s3.head_object, Bucket=place.bucket, Key=key)
        if there is None:
            keyed = {"SSEKMSKeyId": place.kms_key, "ServerSideEncryption": "aws:kms"} if place.kms_key else {}
            with _tarball(release.bundle) as stream:
                s3.put_object(Bucket=place.bucket, Key=key, Body=stream, Metadata={"sha256": digest}, **keyed)
            return url
    if there["Metadata"].get("sha256") != digest:
        # Running instances fetch it anew when they are scaled, so it must never change under them.
        raise MlopsError(
            f"{url} holds another bundle than version {release.version} in the registry; was the registry made anew? "
            "Move that folder of the bucket away, then deploy again"
        )
    return url


@contextmanager
def _tarball(folder: Path) -> Iterator[IO[bytes]]:
    """A folder's files as model.tar.gz, the same bytes for the same files."""
    with tempfile.TemporaryFile() as stream:
        with (
            gzip.GzipFile(filename="", mode="wb", fileobj=stream, mtime=0) as packed,
            tarfile.open(fileobj=packed, mode="w", format=tarfile.PAX_FORMAT) as archive,
        ):
            for file in sorted(folder.rglob("*")):
                if file.is_file():
                    entry = tarfile.TarInfo(file.relative_to(folder).as_posix())
                    entry.size, entry.mode = file.stat().st_size, 0o644
                    with file.open("rb") as content:
                        archive.addfile(entry, content)
        stream.seek(0)
        yield stream
