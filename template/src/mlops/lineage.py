# The template's: `copier update` renews this file.
"""Where a model comes from: commit, changes, data, parameters, template and people, as tags of its run."""

import getpass
import os
import re
import subprocess
from functools import cache
from pathlib import Path
from typing import Any

from mlops.files import file_hash
from mlops.params import Params
from mlops.pipeline.paths import METRICS, RAW
from mlops.source import FINGERPRINT

WRITTEN_BY_A_RUN = ("dvc.lock", FINGERPRINT.as_posix(), METRICS.as_posix())
"""Files in git that a run itself brings up to date: their change is no change of the user's."""
PATCH = "uncommitted.patch"
"""The name that a run keeps the patch under, in `source/`."""
LARGEST_NEW_FILE = 10_000_000
"""Bytes of a file that git does not know yet, above which a patch does not carry it."""


TOLD = "MLOPS_LINEAGE_"
"""Variables in which a platform says what a container without git cannot know, such as MLOPS_LINEAGE_COMMIT."""


def told() -> dict[str, str]:
    """Those variables as tags."""
    found = {name.removeprefix(TOLD): value for name, value in os.environ.items() if name.startswith(TOLD)}
    return {f"mlops.{name.lower()}": value for name, value in found.items()}


def git(*arguments: str) -> str | None:
    """The output of a git command in the current folder, or None where it fails."""
    out = _git_bytes(*arguments)
    return None if out is None else out.decode("utf-8", "replace")


def _git_bytes(*arguments: str) -> bytes | None:
    try:
        done = subprocess.run(["git", *arguments], capture_output=True, check=False)
    except OSError:
        return None
    return done.stdout if done.returncode == 0 else None


def uncommitted_patch() -> bytes:
    """The user's uncommitted changes as a patch, new files included; empty in a clean tree.

    Names in it are relative to the project's folder, also where that lies in a larger repository.
    New files larger than `LARGEST_NEW_FILE` are named in it, not carried.
    """
    aside = [f":(exclude){name}" for name in WRITTEN_BY_A_RUN]
    plain = ("--binary", "--no-color", "--no-ext-diff", "--no-textconv", "--src-prefix=a/", "--dst-prefix=b/")
    changed = _git_bytes("diff", *plain, "--relative", "HEAD", "--", ".", *aside) or b""
    added = _git_bytes("ls-files", "--others", "--exclude-standard", "-z", "--", ".", *aside) or b""
    for raw in filter(None, added.split(b"\0")):
        name = os.fsdecode(raw)
        size = Path(name).lstat().st_size
        if size > LARGEST_NEW_FILE:
            changed += f"Left out for its size ({size:,} bytes): ".encode() + raw + b"\n"
            continue
        # `git diff --no-index` exits with 1 where there is a difference, which is always here.
        command = ["git", "diff", *plain, "--no-index", "--", "/dev/null", name]
        changed += subprocess.run(command, capture_output=True, check=False).stdout
    return changed


@cache
def whoami() -> str:
    """Who runs this: whom the platform or the CI names, else git's user, else the system's."""
    if trainer := told().get("mlops.trainer"):
        return trainer
    for name in ("GITHUB_ACTOR", "GITLAB_USER_LOGIN", "BUILD_REQUESTEDFOR"):
        if os.environ.get(name):
            return os.environ[name]
    name, address = ((git("config", f"user.{key}") or "").strip() for key in ("name", "email"))
    if name or address:
        return f"{name} <{address}>".strip() if address else name
    try:
        return getpass.getuser()
    except (KeyError, OSError):
        return f"user {os.getuid()}" if hasattr(os, "getuid") else "unknown"


@cache
def commit_and_author() -> tuple[str, str]:
    """The present commit and its author, `none` and nobody where there is none yet."""
    if commit := told().get("mlops.commit"):
        return commit, told().get("mlops.author", "")
    commit, _, author = (git("log", "-1", "--format=%H%x09%an <%ae>") or "none").strip().partition("\t")
    return commit, author


def same_person(one: str, other: str) -> bool:
    """Whether two people, each `Name`, `address` or `Name <address>`, share a name or an address."""

    def names(person: str) -> set[str]:
        parts = re.split(r"[<>]", " ".join(person.split()))
        return {part.strip().casefold() for part in parts if part.strip()}

    return bool(names(one) & names(other))


def data_hash() -> str:
    """The MD5 of the ingested data, as DVC has it in `dvc.lock`; reckoned where it is not there yet."""
    import yaml

    lock = Path("dvc.lock")
    locked: Any = yaml.safe_load(lock.read_text(encoding="utf-8")) if lock.is_file() else {}
    for stage in (locked or {}).get("stages", {}).values():
        for out in stage.get("outs", []):
            # Where a platform judges, only what is needed for it is there.
            if out.get("path") == RAW.as_posix() and (not RAW.exists() or out.get("size") == RAW.stat().st_size):
                return str(out["md5"])
    return file_hash(RAW, "md5")


def template_version() -> str:
    """The version of the template that this project was last updated to."""
    import yaml

    answers = Path(".copier-answers.yml")
    if not answers.is_file():
        return "unknown"
    return str((yaml.safe_load(answers.read_text(encoding="utf-8")) or {}).get("_commit", "unknown"))


def lineage_tags(params: Params, *, dirty: bool) -> dict[str, str]:
    """The tags that every run and every model version carries."""
    commit, author = commit_and_author()
    return {
        "mlops.commit": commit,
        "mlops.author": author,
        "mlops.trainer": whoami(),
        "mlops.dirty": str(dirty).lower(),
        "mlops.data_md5": data_hash(),
        "mlops.params_sha256": params.hash,
        "mlops.template_version": template_version(),
        **told(),
    }
