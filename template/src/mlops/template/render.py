# The template's: `copier update` renews this file.
"""What the template's files looked like at this project's version, and what of them is different here."""

import difflib
import hashlib
import importlib.util
import io
import json
import re
import subprocess
import sys
import tempfile
import zipfile
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

from mlops.errors import MlopsError, UsageError
from mlops.files import replacing
from mlops.template.origin import ANSWERS, Origin, said

CACHE = Path(".mlops", "template")
_FORM = "1"
_YOURS = re.compile(r"^\W*Yours, to the next such line\b")
_TEMPLATES = re.compile(r"^\W*The template's\b")
_BLOCKS = re.compile(r"^\W*(Yours|Shared)\b", re.MULTILINE)


@dataclass(frozen=True)
class Render:
    """The files that are the template's, or of both, with their content."""

    files: dict[str, bytes]
    shared: frozenset[str]


class Divergence(NamedTuple):
    """A file of the template that is different here: `changed` or `deleted`, and by how many lines."""

    path: str
    how: str
    added: int
    removed: int


def copier(*arguments: str, folder: Path, origin: Origin) -> None:
    """Run copier without trust, as a process of its own.

    Raises:
        UsageError: it is not installed.
        MlopsError: it refuses, in its own words.
    """
    if importlib.util.find_spec("copier") is None:
        raise UsageError("copier is not installed; it is in the group dev: uv sync")
    command = [sys.executable, "-P", "-m", "copier", *arguments]
    done = subprocess.run(command, cwd=folder, env=origin.env, capture_output=True, check=False)
    if done.returncode:
        raise MlopsError(f"copier {arguments[0]}: {said(done.stderr.decode('utf-8', 'replace'))}")


def rendered(origin: Origin) -> Render:
    """The template at the project's version with its answers, rendered once and then kept in the project.

    Raises:
        UsageError: the version is not known, or copier is not there.
        MlopsError: copier cannot render it.
    """
    commit = origin.commit(origin.answers.version)
    shared = _shared(origin, commit)
    content = json.dumps([_FORM, commit, origin.answers.values], sort_keys=True, default=str)
    kept = CACHE / f"{hashlib.sha256(content.encode()).hexdigest()[:32]}.zip"
    if not kept.is_file():
        files = _render(origin, commit)
        for old in CACHE.glob("*.zip"):
            old.unlink(missing_ok=True)
        CACHE.mkdir(parents=True, exist_ok=True)
        # An archive, for a folder of sources would be looked into by other tools.
        with replacing(kept) as path, zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
            for name, data in files.items():
                archive.writestr(name, data)
    with zipfile.ZipFile(kept) as archive:
        return Render({name: archive.read(name) for name in archive.namelist()}, shared)


def _render(origin: Origin, commit: str) -> dict[str, bytes]:
    import yaml

    with tempfile.TemporaryDirectory(prefix="mlops-render-") as name:
        folder = Path(name)
        answers = folder / "answers.yml"
        answers.write_text(yaml.safe_dump(dict(origin.answers.values), allow_unicode=True), encoding="utf-8")
        options = ("--defaults", "--quiet", "--vcs-ref", commit, "--data-file", str(answers))
        copier("copy", *options, origin.url, str(folder / "project"), folder=folder, origin=origin)
        seeds = _seeds(origin, commit)
        return {
            path: (folder / "project" / path).read_bytes()
            for path in _paths(folder / "project")
            if path != ANSWERS and not seeds(path)
        }


def _paths(folder: Path) -> list[str]:
    return sorted(path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file())


def _shared(origin: Origin, commit: str) -> frozenset[str]:
    lines = (origin.read(commit, "hooks/shared.txt") or "").splitlines()
    return frozenset(line.strip() for line in lines if line.strip() and not line.startswith("#"))


class _Seeds:
    """What the manifest leaves out of an update and not of a copy: the user's files."""

    def __init__(self, patterns: Iterable[str]) -> None:
        from pathspec import GitIgnoreSpec

        self._spec = GitIgnoreSpec.from_lines(patterns)

    def __call__(self, path: str) -> bool:
        return self._spec.match_file(path)


def _seeds(origin: Origin, commit: str) -> _Seeds:
    from jinja2 import FunctionLoader, StrictUndefined, TemplateError
    from jinja2.sandbox import SandboxedEnvironment

    environment = SandboxedEnvironment(  # as copier.yml has it; the output is a list of patterns, no page
        loader=FunctionLoader(lambda name: origin.read(commit, name)),
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    left_out = {}
    for operation in ("copy", "update"):
        try:
            manifest = environment.get_template("hooks/exclude.jinja")
            text = manifest.render(dict(origin.answers.values), _copier_operation=operation)
        except TemplateError as error:
            raise MlopsError(f"the manifest of {origin.answers.version} cannot be read: {error!r}") from error
        left_out[operation] = [line for line in text.splitlines() if line.strip()]
    return _Seeds(line for line in left_out["update"] if line not in left_out["copy"])


def divergences(render: Render, root: Path) -> list[Divergence]:
    """The template's files that are not as the template made them.

    Lines that a user adds to a file of both are no divergence, as long as the template's are all there.
    """
    found = []
    for name, theirs in render.files.items():
        path = root / name
        if not path.is_file():
            found.append(Divergence(name, "deleted", 0, len(_lines(theirs) or [])))
            continue
        mine = path.read_bytes()
        if mine == theirs or (name in render.shared and _keeps(theirs, mine)):
            continue
        added = removed = 0
        for line in _compared(theirs, mine):
            added += line.startswith("+")
            removed += line.startswith("-")
        found.append(Divergence(name, "changed", added, removed))
    return found


def _keeps(theirs: bytes, mine: bytes) -> bool:
    """Whether all lines of the template's blocks are still there, in their order."""
    text = theirs.decode("utf-8", "replace")
    if not _BLOCKS.search(text):
        return True  # such as .dvc/config, which DVC writes anew: there is no telling whose a line is
    rest = iter(mine.decode("utf-8", "replace").splitlines())
    return all(any(line == other for other in rest) for line in _of_the_template(text.splitlines()))


def _of_the_template(lines: Iterable[str]) -> Iterator[str]:
    yours = False
    for line in lines:
        if _TEMPLATES.match(line):
            yours = False
        if not yours and line.strip():
            yield line
        if _YOURS.match(line):
            yours = True


def _lines(content: bytes) -> list[str] | None:
    """Lines of a text with their ends; None of what is no text."""
    try:
        text = content.decode("utf-8")
    except UnicodeDecodeError:
        return None
    return None if "\0" in text else list(io.StringIO(text, newline="\n"))  # as git has lines: `\n` ends one


def _compared(theirs: bytes, mine: bytes) -> list[str]:
    before, after = _lines(theirs), _lines(mine)
    if before is None or after is None:
        return []
    return [line for line in difflib.unified_diff(before, after) if not line.startswith(("+++", "---"))]


def diff_of(render: Render, root: Path, name: str) -> str:
    """From the template's file to the one here, as a patch that `git apply --reverse` takes back."""
    theirs = render.files[name]
    path = root / name
    mine = path.read_bytes() if path.is_file() else None
    if mine == theirs:
        return ""
    head = f"diff --git a/{name} b/{name}\n" + ("deleted file mode 100644\n" if mine is None else "")
    before, after = _lines(theirs), _lines(mine or b"")
    if before is None or after is None:
        return f"{head}Binary files a/{name} and b/{name} differ\n"
    target = "/dev/null" if mine is None else f"b/{name}"
    lines = difflib.unified_diff(before, after, f"a/{name}", target)
    return head + "".join(line if line.endswith("\n") else f"{line}\n\\ No newline at end of file\n" for line in lines)
