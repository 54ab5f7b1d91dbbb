# The template's: `copier update` renews this file.
"""DVC's remote: where data and models are kept for another machine and a later day."""

import logging
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl

from mlops.errors import MlopsError, redacted, said

NAME = "shared"
"""What the remote is called that a platform names, beside those of `.dvc/config`."""
SECOND = "second"
"""What the remote is called meanwhile that another cloud has."""
LOGGERS = ("dvc", "dvc_data", "dvc_objects")


def use(url: str) -> None:
    """Make a URL the default remote of this working copy, in `.dvc/config.local`: nothing that is in git changes.

    What `dvc remote modify` would set besides may follow it, as in `s3://bucket/dvc?region=eu-north-1`. `commands` has
    what does the same.
    """
    from dvc.config import Config

    with Config(".dvc").edit("local") as config:
        config.setdefault("core", {})["remote"] = NAME
        config.setdefault("remote", {}).setdefault(NAME, {}).update(options(url))


def options(url: str) -> dict[str, str]:
    """The remote's settings in DVC's words: `url`, and what the query says, which an address of the web keeps."""
    place, _, query = url.partition("?")
    return {"url": url} if url.startswith("http") else {"url": place, **dict(parse_qsl(query))}


def commands(url: str) -> str:
    """The commands that do as `use` does."""
    place, *others = options(url).items()
    told = [f"dvc remote add --local --force --default {NAME} {place[1]}"]
    return " && ".join(told + [f"dvc remote modify --local {NAME} {name} {value}" for name, value in others])


def push(targets: list[str] | None = None) -> int:
    """Push what is not there yet of these stages or files, or of all; return how many files that were.

    Raises:
        MlopsError: the remote does not answer or refuses; what has been pushed stays, and the rest can be.
    """
    from dvc.repo import Repo

    with _answering("pushed to"), Repo() as repo:
        return int(repo.push(targets=targets or None))


def pull(targets: list[str] | None = None, *, some: bool = False, force: bool = False) -> int:
    """Bring these stages' outputs or files, or all, from the remote to their places; return how many files came.

    `some`: what the remote lacks is left as it is. `force`: what is in the way goes, even if DVC has it nowhere.

    Raises:
        MlopsError: the remote does not answer, refuses or lacks a file.
    """
    from dvc.repo import Repo

    with _answering("pulled from"), Repo() as repo:
        return int(repo.pull(targets=targets or None, allow_missing=some, force=force)["stats"]["fetched"])


def carry(hashes: Iterable[str], source: str | None, target: str) -> tuple[int, set[str]]:
    """Push files and folders, by their hashes in dvc.lock, to another remote; what is not here is fetched first.

    Args:
        hashes: MD5 as DVC has it, of a folder with `.dir` at its end.
        source: The URL of the remote to fetch from; None for the default one.
        target: The URL of the remote to push to.

    Returns:
        How many were not there yet, and hashes that are neither here nor in a remote.

    Raises:
        MlopsError: a remote does not answer or refuses; what was pushed stays.
    """
    from dvc.repo import Repo
    from dvc_data.hashfile.hash_info import HashInfo

    wanted = [HashInfo("md5", each) for each in hashes]
    places = {name: options(url) for name, url in ((NAME, source), (SECOND, target)) if url}
    with Repo(config={"remote": places}) as repo:
        with _answering("pulled from", source):
            _require(repo.cloud.pull(wanted, remote=source and NAME))
        with _answering("pushed to", target):
            done = repo.cloud.push(wanted, remote=SECOND)
            _require(done)
            left = repo.cloud.status(wanted, remote=SECOND)
    return len(done.transferred), {str(each.value) for each in left.missing | left.new}


def _require(done: Any) -> None:
    if done.failed:
        raise OSError(f"{len(done.failed)} files failed")


class _Causes(logging.Handler):
    """Keeps what DVC only logs: that so many files failed, without why, is what it raises."""

    def __init__(self) -> None:
        super().__init__(logging.WARNING)
        self.found: list[BaseException] = []

    def emit(self, record: logging.LogRecord) -> None:
        if record.exc_info and record.exc_info[1] is not None:
            self.found.append(record.exc_info[1])


@contextmanager
def _answering(doing: str, url: str | None = None) -> Iterator[None]:
    import dvc.repo  # noqa: F401 - which gives the loggers handlers of its own

    causes, loggers = _Causes(), [logging.getLogger(name) for name in LOGGERS]
    before = [(logger, logger.handlers, logger.propagate) for logger in loggers]
    for logger in loggers:
        logger.handlers, logger.propagate = [causes], False
    try:
        yield
    except Exception as error:
        why = said(next(iter(causes.found), error))
        place = redacted(options(url)["url"]) if url else default()
        raise MlopsError(
            f"the DVC remote {place} cannot be {doing}: {why}; check network and login. "
            "What was done stays: run again to go on"
        ) from error
    finally:
        for logger, handlers, propagate in before:
            logger.handlers, logger.propagate = handlers, propagate


def default() -> str:
    """The URL of the default remote of this working copy, as it may be printed."""
    from dvc.config import Config

    config = Config(str(Path(".dvc")))
    return redacted(str(config["remote"].get(config["core"].get("remote"), {}).get("url", "that is the default")))
