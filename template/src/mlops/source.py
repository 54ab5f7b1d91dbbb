# The template's: `copier update` renews this file.
"""Where the data come from: a path, a folder, a pattern or any fsspec URL of Parquet or CSV files."""

import json
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING, Any

from mlops.errors import MlopsError, UsageError, redacted
from mlops.files import canonical_hash, file_hash, is_below, read_json, write_json
from mlops.project import extras

if TYPE_CHECKING:
    import polars as pl

FINGERPRINT = Path("data/source.json")
"""What DVC watches in place of the source: the names, sizes and hashes of its files."""
HASHES = Path(".mlops/hashes.json")
"""Hashes of local files by size and time of change, so that an unchanged file is not read again."""
FORMATS = {".parquet": "parquet", ".pq": "parquet", ".csv": "csv", ".csv.gz": "csv", ".csv.zst": "csv"}


@dataclass(frozen=True)
class Source:
    """The files behind `data.source`, local or remote, all of one format."""

    name: str
    """What the user calls it, such as `data.source`."""
    location: str
    filesystem: Any
    paths: tuple[str, ...]
    format: str
    local: bool


def without_secrets(location: str) -> str:
    """A URL without a password and a query that may carry a secret."""
    return redacted(location)


def open_source(location: str, name: str = "data.source") -> Source:
    """Find the files of a source, which messages call by `name`.

    Raises:
        UsageError: an unknown protocol, no such file, or files of an unknown or of several formats.
        MlopsError: the service did not answer or refused.
    """
    shown = without_secrets(location)
    if "://" not in location:
        try:
            filesystem, paths, local = None, _local_paths(Path(location)), True
        except OSError as error:
            raise UsageError(f"{name} '{shown}': {error.strerror}; name a file, a folder or a pattern") from error
    else:
        import fsspec

        try:
            filesystem, path = fsspec.core.url_to_fs(location)
            if any(letter in path for letter in "*?["):
                paths = sorted(filesystem.glob(path))
            elif filesystem.isdir(path):
                paths = sorted(name for name in filesystem.find(path) if _format(name))
            else:
                paths = [path] if filesystem.exists(path) else []
        except ImportError as error:
            raise UsageError(f"{name} '{shown}': {error}{extras()}") from error
        except ValueError as error:
            raise UsageError(f"{name} '{shown}': {error}") from error
        except Exception as error:
            raise MlopsError(f"{name} '{shown}' cannot be reached: {type(error).__name__}: {error}") from error
        local = False
    if not paths:
        raise UsageError(
            f"{name} '{shown}': no such file; "
            f"{'set data.source in params.yaml to' if name == 'data.source' else 'name'} a file, "
            "a folder, a pattern or a URL"
        )
    formats = {_format(path) for path in paths}
    if len(formats) != 1 or None in formats:
        names = ", ".join(sorted({PurePosixPath(path).name for path in paths})[:3])
        raise UsageError(
            f"{name} '{shown}' finds {names}; it must find files of one format, ending in {', '.join(FORMATS)}"
        )
    return Source(name, shown, filesystem, tuple(paths), str(formats.pop()), local)


def _local_paths(path: Path) -> list[str]:
    if path.is_dir():
        return sorted(file.as_posix() for file in path.rglob("*") if _format(file.name))
    if path.is_file():
        return [path.as_posix()]
    if any(letter in str(path) for letter in "*?["):
        anchor = Path(path.anchor) if path.is_absolute() else Path()
        pattern = str(path.relative_to(anchor))
        return sorted(file.as_posix() for file in anchor.glob(pattern) if file.is_file())
    return []


def _format(name: str) -> str | None:
    return next((kind for suffix, kind in FORMATS.items() if name.lower().endswith(suffix)), None)


def fingerprint(location: str) -> dict[str, Any]:
    """The names, sizes and hashes of a source's files.

    Raises:
        UsageError: what `open_source` raises.
        MlopsError: a file cannot be read.
    """
    source = open_source(location)
    try:
        files = [{"path": _shown_path(path), **_identity(source, path)} for path in source.paths]
    except Exception as error:
        raise MlopsError(
            f"{source.name} '{source.location}' cannot be read: {type(error).__name__}: {error}"
        ) from error
    return {"source": source.location, "files": files}


def write_fingerprint(location: str) -> str:
    """Bring `data/source.json` up to date, leaving it alone where nothing changed; return its digest."""
    content = fingerprint(location)
    if not FINGERPRINT.is_file() or _read_or_none(FINGERPRINT) != content:
        write_json(FINGERPRINT, content)
    return canonical_hash(content)


def _shown_path(path: str) -> str:
    file = Path(path)
    if file.is_absolute() and is_below(file, Path.cwd()):
        return file.resolve().relative_to(Path.cwd().resolve()).as_posix()
    return path


def _identity(source: Source, path: str) -> dict[str, Any]:
    if source.local:
        return _local_identity(Path(path))
    info = source.filesystem.info(path)
    # A digest before an ETag where that changes with what is known of a file, too.
    for key in ("ETag", "md5Hash", "crc32c", "etag", "content_md5", "checksum", "sha256"):
        if info.get(key):
            return {"size": info.get("size"), "etag": str(info[key]).strip('"')}
    return {"size": info.get("size"), "etag": str(source.filesystem.ukey(path))}


def _local_identity(path: Path) -> dict[str, Any]:
    status = path.stat()
    known = _read_or_none(HASHES) or {}
    name, mark = str(path.resolve()), [status.st_size, status.st_mtime_ns]
    if known.get(name, {}).get("mark") != mark:
        known[name] = {"mark": mark, "sha256": file_hash(path)}
        write_json(HASHES, known)
    return {"size": status.st_size, "sha256": known[name]["sha256"]}


def _read_or_none(path: Path) -> Any:
    try:
        return read_json(path)
    except (OSError, json.JSONDecodeError, UnicodeDecodeError):
        return None


@contextmanager
def scan_source(source: Source) -> "Iterator[pl.LazyFrame]":
    """Give the source's rows as a lazy table; remote files lie in a temporary folder meanwhile.

    CSV columns are text here: the contract says what they mean, not their first rows.
    """
    import polars as pl

    Path(".mlops").mkdir(exist_ok=True)
    # Beside the project, for /tmp may be small or memory.
    with tempfile.TemporaryDirectory(prefix="download-", dir=".mlops") as folder:
        paths = list(source.paths)
        if not source.local:
            paths = [_download(source, path, Path(folder), number) for number, path in enumerate(paths)]
        if source.format == "parquet":
            yield pl.scan_parquet(paths, glob=False)
        else:
            yield pl.scan_csv(paths, glob=False, infer_schema=False)


def _download(source: Source, path: str, folder: Path, number: int) -> str:
    target = folder / f"{number:06d}-{PurePosixPath(path).name}"
    try:
        source.filesystem.get_file(path, str(target))
    except Exception as error:
        raise MlopsError(
            f"{source.name} '{source.location}' cannot be read: {type(error).__name__}: {error}"
        ) from error
    return str(target)
