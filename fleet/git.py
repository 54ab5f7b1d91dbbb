"""Git as this program uses it: it asks nobody, runs no hook and leaves the repository as it is."""

import os
import subprocess
from collections.abc import Iterable
from pathlib import Path

from fleet.errors import ProjectError, one_line

_QUIET = {
    "core.hooksPath": os.devnull,  # no code of a project runs
    "core.fsmonitor": "false",
    "gc.auto": "0",
    "maintenance.auto": "false",
    "advice.detachedHead": "false",
}
_FAST = {
    "init.templateDir": "",
    "core.compression": "0",
    "core.fsync": "none",  # what is written here is thrown away
}
POINTERS = ("GIT_DIR", "GIT_WORK_TREE", "GIT_INDEX_FILE", "GIT_OBJECT_DIRECTORY", "GIT_COMMON_DIR", "GIT_PREFIX")


def environment(*, throwaway: bool = False) -> dict[str, str]:
    """Variables for git: nothing of the caller's repository, no question, no lock that is not needed."""
    env = {name: value for name, value in os.environ.items() if name not in POINTERS}
    env |= {"GIT_TERMINAL_PROMPT": "0", "GIT_OPTIONAL_LOCKS": "0", "GIT_LFS_SKIP_SMUDGE": "1", "LC_ALL": "C"}
    settings = _QUIET | (_FAST if throwaway else {})
    first = int(env["GIT_CONFIG_COUNT"]) if env.get("GIT_CONFIG_COUNT", "").isdigit() else 0
    for number, (name, value) in enumerate(settings.items(), start=first):
        env |= {f"GIT_CONFIG_KEY_{number}": name, f"GIT_CONFIG_VALUE_{number}": value}
    return env | {"GIT_CONFIG_COUNT": str(first + len(settings))}


def output(folder: Path, *arguments: str, stdin: bytes | None = None) -> bytes:
    """What a git command prints.

    Raises:
        ProjectError: git says no, in its own words.
    """
    done = subprocess.run(
        ["git", *arguments],
        cwd=folder,
        # Where the folder is no repository that git can read, one around it is not meant.
        env=environment() | {"GIT_CEILING_DIRECTORIES": str(folder.absolute().parent)},
        input=stdin,
        capture_output=True,
        check=False,
    )
    if done.returncode:
        lines = done.stderr.decode("utf-8", "replace").strip().splitlines()
        told = next(
            (line for line in lines if line.startswith(("fatal:", "error:"))), lines[-1] if lines else "no word"
        )
        raise ProjectError(f"git {arguments[0]}: {one_line(told.partition(': ')[2] or told)}")
    return done.stdout


def text(folder: Path, *arguments: str) -> str:
    """What a git command prints, as text without the last line end."""
    return output(folder, *arguments).decode("utf-8", "replace").rstrip("\n")


def blobs(folder: Path, names: Iterable[str]) -> list[bytes | None]:
    """The contents of objects, by id, in one process; None for one that is not there."""
    found: list[bytes | None] = []
    rest = output(folder, "cat-file", "--batch", stdin="".join(f"{name}\n" for name in names).encode())
    while rest:
        head, _, rest = rest.partition(b"\n")
        words = head.split()
        if len(words) != 3 or not words[2].isdigit():
            found.append(None)
            continue
        size = int(words[2])
        found.append(rest[:size])
        rest = rest[size + 1 :]
    return found


def tree(listing: bytes) -> dict[str, tuple[str, str]]:
    """`git ls-tree -r -z` as path -> (mode, id of the content)."""
    found = {}
    for entry in filter(None, listing.split(b"\0")):
        about, _, path = entry.partition(b"\t")
        mode, _, blob = about.decode().split()
        found[path.decode("utf-8", "surrogateescape")] = (mode, blob)
    return found
