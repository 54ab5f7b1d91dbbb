"""What the template's files of a version look like with given answers; each rendered once, and kept."""

import hashlib
import json
import os
import tempfile
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from typing import Any

from fleet import engine
from fleet.errors import ProjectError, reason
from fleet.template import Template

ANSWERS = ".copier-answers.yml"
SHARED = frozenset({".dockerignore", ".env.example", ".gitattributes", ".gitignore", "README.md", "pyproject.toml"})
"""Files of both: a user adds lines to them, which is no divergence as long as the template's stay."""
_FORM = "1"


@dataclass(frozen=True)
class Rendered:
    """Files of the template: path -> what git would call the content; the text of shared ones."""

    files: dict[str, str]
    texts: dict[str, str]


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
            return Rendered(content["files"], content["texts"])
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
            rendered = _read(target)
        write(self.folder / f"{self.key(commit, answers)}.json", json.dumps(vars(rendered)))
        return rendered


def _read(folder: Path) -> Rendered:
    files, texts = {}, {}
    for path in sorted(folder.rglob("*")):
        name = path.relative_to(folder).as_posix()
        if name == ANSWERS or not (path.is_symlink() or path.is_file()):
            continue
        content = os.fsencode(path.readlink()) if path.is_symlink() else path.read_bytes()
        files[name] = blob_id(content)
        if name in SHARED:
            texts[name] = content.decode("utf-8", "replace")
    return Rendered(files, texts)


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
