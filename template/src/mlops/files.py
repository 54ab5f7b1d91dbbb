# The template's: `copier update` renews this file.
"""Files that are whole or not there, their hashes, and tables read in pieces."""

import atexit
import glob
import hashlib
import json
import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import polars as pl

PARTIAL = ".partial"
"""The end of the name of a folder in which something is written; git ignores those."""
BATCH_ROWS = 100_000
"""Rows that are held at a time by whatever walks over a table."""


@contextmanager
def replacing(path: Path) -> Iterator[Path]:
    """Give a path beside `path` to write a file or a folder to, renamed over it when the block ends well.

    When the block raises, what was at `path` is untouched and what was written is removed; what a
    process leaves that is killed meanwhile is removed the next time.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    _remove_partial(path)
    mark = f".{path.name}.{os.getpid()}."
    scratch = Path(tempfile.mkdtemp(prefix=mark, suffix=PARTIAL, dir=path.parent))
    try:
        fresh = scratch / path.name
        yield fresh
        if path.is_dir():
            path.rename(scratch / f"{path.name}.old")
        fresh.replace(path)
    finally:
        shutil.rmtree(scratch, ignore_errors=True)


def passing_folder(prefix: str) -> Path:
    """A new folder for what comes from elsewhere, gone again when the process ends."""
    folder = Path(tempfile.mkdtemp(prefix=prefix))
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    return folder


def copy_whole(source: Path, target: Path) -> None:
    """Copy a file or a folder, whole or not at all; what was at `target` is replaced."""
    with replacing(target) as fresh:
        shutil.copytree(source, fresh) if source.is_dir() else shutil.copyfile(source, fresh)


def _remove_partial(path: Path) -> None:
    """Remove what killed processes were writing to `path`."""
    for scratch in path.parent.glob(f".{glob.escape(path.name)}.*{PARTIAL}"):
        process = scratch.name.removeprefix(f".{path.name}.").partition(".")[0]
        if process.isdecimal() and not _is_alive(int(process)):
            shutil.rmtree(scratch, ignore_errors=True)


def _is_alive(process: int) -> bool:
    if os.name == "nt":
        return True  # where asking with signal 0 would end the process
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    except OSError:
        return True
    return not _is_zombie(process)


def _is_zombie(process: int) -> bool:
    """Whether a process is dead and only waits to be reaped, as Linux tells."""
    try:
        return Path(f"/proc/{process}/stat").read_text(encoding="utf-8").rpartition(")")[2].split()[0] == "Z"
    except (OSError, IndexError):
        return False


def write_text(path: Path, text: str) -> None:
    """Write a text file whole or not at all."""
    with replacing(path) as fresh:
        fresh.write_text(text, encoding="utf-8", newline="\n")


def write_json(path: Path, content: Any) -> None:
    """Write JSON with sorted keys, so that the same content is the same bytes; NaN becomes null."""
    text = json.dumps(_finite(content), indent=2, sort_keys=True, ensure_ascii=False)
    write_text(path, text + "\n")


def read_json(path: Path) -> Any:
    return json.loads(path.read_text(encoding="utf-8"))


def _finite(value: Any) -> Any:
    if isinstance(value, dict):
        return {str(key): _finite(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_finite(item) for item in value]
    if isinstance(value, float) and value - value != 0:  # NaN and the infinities, which JSON lacks
        return None
    return value


def file_hash(path: Path, algorithm: str = "sha256") -> str:
    """The hexadecimal digest of a file's bytes, read in pieces."""
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, algorithm).hexdigest()


def folder_hash(path: Path) -> str:
    """The digest of a folder: the relative names of its files and their bytes, in order."""
    digest = hashlib.sha256()
    for file in sorted(path.rglob("*")):
        if file.is_file():
            digest.update(f"{file.relative_to(path).as_posix()}\0{file_hash(file)}\n".encode())
    return digest.hexdigest()


def canonical_hash(content: Any) -> str:
    """The digest of a JSON-like value, the same for equal values."""
    text = json.dumps(content, sort_keys=True, separators=(",", ":"), default=str)
    return hashlib.sha256(text.encode()).hexdigest()


def batches(path: Path, columns: list[str] | None = None) -> Iterator["pl.DataFrame"]:
    """The rows of a Parquet file in order, `BATCH_ROWS` at a time."""
    import polars as pl

    frame = pl.scan_parquet(path)
    if columns is not None:
        frame = frame.select(columns)
    rows = frame.select(pl.len()).collect().item()
    for start in range(0, rows, BATCH_ROWS):
        yield frame.slice(start, BATCH_ROWS).collect()


def sink(frame: "pl.LazyFrame", path: Path) -> None:
    """Stream a table into a Parquet file, whole or not at all; the same rows give the same bytes."""
    with replacing(path) as fresh:
        frame.sink_parquet(fresh, compression="zstd", row_group_size=BATCH_ROWS)


def is_below(path: Path, folder: Path) -> bool:
    """Whether `path` lies in `folder`, with links and `..` resolved."""
    return os.path.commonpath([path.resolve(), folder.resolve()]) == str(folder.resolve())
