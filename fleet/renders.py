"""What the template's files of a version look like with given answers; each rendered once, and kept."""

import hashlib
import json
import os
import re
import tempfile
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from typing import Any

from fleet import engine, git
from fleet.errors import ProjectError, reason
from fleet.template import ROOT, Template

ANSWERS = ".copier-answers.yml"
_SHARED = "hooks/shared.txt"
_YOURS = re.compile(r"^\W*Yours, to the next such line\b")
_TEMPLATES = re.compile(r"^\W*The template's\b")
_BLOCKS = re.compile(r"^\W*(Yours|Shared)\b", re.MULTILINE)
_FORM = "2"


@dataclass(frozen=True)
class Rendered:
    """Files of the template: path -> what git would call the content."""

    files: dict[str, str]
    shared: dict[str, list[str]]
    """Of files of both, the lines that are the template's; the others are the user's to change."""


@dataclass(frozen=True)
class Renders:
    """The cache of renders, a file for each version and answers."""

    template: Template
    folder: Path

    def key(self, commit: str, answers: Mapping[str, Any]) -> str:
        own = {name: value for name, value in answers.items() if not name.startswith("_")}
        content = json.dumps([_FORM, version("copier"), commit, own], sort_keys=True, default=repr)
        return hashlib.sha256(content.encode()).hexdigest()[:40]

    def load(self, key: str) -> Rendered | None:
        try:
            content = json.loads((self.folder / f"{key}.json").read_text(encoding="utf-8"))
            return Rendered(content["files"], content["shared"])
        except (OSError, ValueError, KeyError, TypeError):
            return None

    def make(self, commit: str, answers: Mapping[str, Any]) -> Rendered:
        """Render and keep.

        Raises:
            ProjectError: copier cannot render this version with these answers.
        """
        with tempfile.TemporaryDirectory(prefix="render-") as folder:
            target = Path(folder, "project")
            try:
                engine.render(self.template, commit, answers, target)
            except Exception as error:
                raise ProjectError(f"cannot be rendered again: {reason(error)}") from error
            rendered = _read(target, shared_files(self.template, commit))
        write(self.folder / f"{self.key(commit, answers)}.json", json.dumps(vars(rendered)))
        return rendered


def shared_files(template: Template, commit: str) -> frozenset[str]:
    """The files that are the template's and the user's, in blocks, at a version."""
    try:
        listed = git.text(template.path, "show", f"{commit}:{_SHARED}")
    except ProjectError:
        listed = (ROOT / _SHARED).read_text(encoding="utf-8")  # a version from before there was a list
    return frozenset(line.strip() for line in listed.splitlines() if line.strip() and not line.startswith("#"))


def _read(folder: Path, shared: frozenset[str]) -> Rendered:
    files, lines = {}, {}
    for path in sorted(folder.rglob("*")):
        name = path.relative_to(folder).as_posix()
        if name == ANSWERS or not (path.is_symlink() or path.is_file()):
            continue
        content = os.fsencode(path.readlink()) if path.is_symlink() else path.read_bytes()
        files[name] = blob_id(content)
        if name in shared:
            lines[name] = list(_of_the_template(content.decode("utf-8", "replace")))
    return Rendered(files, lines)


def _of_the_template(text: str) -> Iterator[str]:
    """Lines of the template's blocks, by the rule of `mlops doctor`; none where a file has no blocks."""
    if not _BLOCKS.search(text):
        return
    yours = False
    for line in text.splitlines():
        if _TEMPLATES.match(line):
            yours = False
        if not yours and line.strip():
            yield line
        if _YOURS.match(line):
            yours = True


def blob_id(content: bytes) -> str:
    """What git calls this content."""
    return hashlib.sha1(b"blob %d\0" % len(content) + content, usedforsecurity=False).hexdigest()


def keeps(lines: Iterable[str], content: Iterable[str]) -> bool:
    """Whether all these lines are still there, in their order, whatever stands between them."""
    rest = iter(content)
    return all(any(line == other for other in rest) for line in lines)


def write(path: Path, text: str) -> None:
    """Write a file as a whole or not at all."""
    path.parent.mkdir(parents=True, exist_ok=True)
    descriptor, name = tempfile.mkstemp(dir=path.parent, prefix=".new-")
    try:
        with os.fdopen(descriptor, "w", encoding="utf-8") as file:
            file.write(text)
        Path(name).replace(path)
    except BaseException:
        Path(name).unlink(missing_ok=True)
        raise
