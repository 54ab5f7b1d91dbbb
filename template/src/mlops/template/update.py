# The template's: `copier update` renews this file.
"""An update from the template: tried on a copy, done here, and told in words for a pull request."""

import hashlib
import json
import re
import shutil
import subprocess
import tempfile
from dataclasses import asdict, dataclass, field
from pathlib import Path

from mlops.errors import MlopsError, UsageError
from mlops.files import replacing
from mlops.template.origin import Origin, git, number_of, said, try_git
from mlops.template.render import CACHE, copier, divergences, rendered

_FORM = "1"
_LONGEST_BODY = 60_000
"""Characters; GitHub takes 65,536."""


@dataclass(frozen=True)
class Outcome:
    """What an update did to a project: paths relative to its folder."""

    changed: list[str] = field(default_factory=list)
    conflicts: list[str] = field(default_factory=list)
    """Files in which both texts stand between markers."""
    lost: list[str] = field(default_factory=list)
    """Files that were edited here, and that the template's new version deletes."""


@dataclass(frozen=True)
class Update:
    """An update that was done, or that there was no need of."""

    source: str
    version: str
    to: str
    outcome: Outcome
    changelog: str = ""
    notes: tuple[str, ...] = ()

    @property
    def title(self) -> str:
        how = " (with conflicts)" if self.outcome.conflicts else ""
        return f"Update the template from {self.version} to {self.to}{how}"

    @property
    def body(self) -> str:
        """Markdown for a pull request or an issue."""
        parts = [f"From {self.version} to {self.to} of the template {_linked(self.source)}: "]
        parts[0] += f"{len(self.outcome.changed)} files change."
        if self.outcome.conflicts:
            parts.append(
                "## Conflicts\n\nYou and the template changed the same lines. Both texts stand between markers in:\n\n"
                + _listed(self.outcome.conflicts)
            )
        if self.outcome.lost:
            parts.append(
                "## Edited here, deleted by the template\n\nTake over what you need before you merge:\n\n"
                + _listed(self.outcome.lost)
            )
        parts += [f"Mind: {note}" for note in self.notes]
        parts.append(f"## What the template changed\n\n{self.changelog or 'Its changelog does not say.'}")
        text = "\n\n".join(parts)
        return text if len(text) <= _LONGEST_BODY else f"{text[:_LONGEST_BODY]}\n\n(cut here)"


def _listed(paths: list[str]) -> str:
    return "\n".join(f"- `{path}`" for path in paths)


def _linked(source: str) -> str:
    return f"<{source}>" if source.startswith("https://") and "@" not in source else "of this project"


def attempt(origin: Origin, to: str, root: Path) -> Outcome:
    """Do the update to a copy of the project as it is now, uncommitted changes included, and throw it away.

    What came of it is kept, so that the same files are not tried twice.

    Raises:
        UsageError: the project is in no git repository, or the version is not known.
        MlopsError: copier refuses, and says why.
    """
    top = try_git(root, "rev-parse", "--show-toplevel")
    if top is None:
        raise UsageError(f"{root} is in no git repository, and an update needs one; mlops init")
    prefix = git(root, "rev-parse", "--show-prefix")
    with tempfile.TemporaryDirectory(prefix="mlops-try-") as name:
        copy = Path(name) / (Path(top).name or "project")
        # Shared: the copy borrows the project's objects and writes its own into itself.
        git(Path(name), "clone", "--quiet", "--shared", "--no-checkout", "--no-tags", "--", top, str(copy))
        ignored = Path(top) / (try_git(Path(top), "rev-parse", "--git-path", "info/exclude") or "")
        if ignored.is_file():
            (copy / ".git" / "info").mkdir(exist_ok=True)
            shutil.copy(ignored, copy / ".git" / "info" / "exclude")
        here = (f"--git-dir={copy / '.git'}", f"--work-tree={top}")
        who = ("-c", "user.name=mlops", "-c", "user.email=mlops@localhost")
        git(Path(top), *here, "add", "--all")
        git(Path(top), *here, *who, "commit", "--quiet", "--no-verify", "--allow-empty", "--message", "As it is")
        content = [_FORM, git(copy, "rev-parse", "HEAD^{tree}"), prefix, origin.commit(to)]
        kept = CACHE / f"{hashlib.sha256(json.dumps(content).encode()).hexdigest()[:32]}.json"
        if kept.is_file():
            return Outcome(**json.loads(kept.read_text(encoding="utf-8")))
        git(copy, "checkout", "--quiet", "--force", "--", ".")
        project = copy / prefix
        _update(origin, to, project)
        outcome = _outcome(origin, project, root)
    for old in CACHE.glob("*.json"):
        old.unlink(missing_ok=True)
    with replacing(kept) as path:
        path.write_text(json.dumps(asdict(outcome)), encoding="utf-8")
    return outcome


def update(origin: Origin, version: str | None, root: Path) -> Update:
    """Update the project from its template, to its newest release unless a version is named.

    It is tried on a copy first, so that an update which fails has changed nothing.

    Raises:
        UsageError: there are uncommitted changes, or the version is not known or older.
        MlopsError: copier refuses, and says why.
    """
    answers = origin.answers
    mine = origin.commit(answers.version)
    if not version and not origin.releases:
        raise UsageError(f"the template {answers.source} has no release yet; name a version with --to")
    to = version or (origin.missed or [answers.version])[-1]
    target = origin.commit(to)
    if target == mine:
        return Update(answers.source, answers.version, to, Outcome())
    older, newer = number_of(to), number_of(answers.version)
    if older and newer and older < newer:
        raise UsageError(f"{to} is older than {answers.version}, which this project has; an update only goes forward")
    if try_git(root, "rev-parse", "--show-toplevel") is None:
        raise UsageError(f"{root} is in no git repository, and an update needs one; mlops init")
    if changes := git(root, "status", "--porcelain", strip=False).splitlines():
        raise UsageError(f"{len(changes)} uncommitted changes, such as {changes[0][3:]}; commit or stash them first")
    tried = attempt(origin, to, root)
    changelog = changes_between(origin, target, answers.version, to)
    _update(origin, to, root)
    done = _outcome(origin, root, root, lost=tried.lost)
    return Update(answers.source, answers.version, to, done, changelog, tuple(_lock(root, done)))


def _update(origin: Origin, to: str, folder: Path) -> None:
    copier("update", "--defaults", "--quiet", "--vcs-ref", to, folder=folder, origin=origin)


def _outcome(origin: Origin, folder: Path, root: Path, lost: list[str] | None = None) -> Outcome:
    prefix = git(folder, "rev-parse", "--show-prefix")
    unmerged = git(folder, "ls-files", "-u", "-z", strip=False).split("\0")
    conflicts = sorted({entry.partition("\t")[2] for entry in unmerged if entry})
    status = git(folder, "status", "--porcelain", "-z", "--no-renames", "--untracked-files=all", "--", ".", strip=False)
    entries = {entry[3:].removeprefix(prefix): entry[:2] for entry in status.split("\0") if entry}
    if left := [path for path in entries if path.endswith(".rej")]:
        raise MlopsError(f"copier left rejected pieces behind: {', '.join(left)}")
    if lost is None:
        deleted = {path for path, how in entries.items() if "D" in how}
        edited = {found.path for found in divergences(rendered(origin), root)} if deleted else set()
        lost = sorted(deleted & edited)
    return Outcome(sorted(entries), conflicts, lost)


def _lock(root: Path, outcome: Outcome) -> list[str]:
    """Bring the lock file up to date with the dependencies that the template changed; what went wrong."""
    if "pyproject.toml" not in outcome.changed or not (root / "uv.lock").is_file():
        return []
    if "pyproject.toml" in outcome.conflicts:
        return ["uv.lock waits for pyproject.toml: settle its conflicts, then run `uv lock`."]
    try:
        done = subprocess.run(["uv", "lock", "--quiet"], cwd=root, capture_output=True, text=True, check=False)
    except OSError as error:
        return [f"uv.lock was not renewed ({error}): run `uv lock`."]
    return [f"uv.lock was not renewed ({said(done.stderr)}): run `uv lock`."] if done.returncode else []


def changes_between(origin: Origin, target: str, version: str, to: str) -> str:
    """The sections of the template's changelog after one version up to another, newest first."""
    text = origin.read(target, "CHANGELOG.md") or ""
    first, last = number_of(version), number_of(to)
    found = []
    for section in re.split(r"^(?=## )", text, flags=re.MULTILINE)[1:]:
        heading = re.match(r"## \[?([^\]\s]+)", section)
        number = number_of(heading[1]) if heading else None
        if number and (first is None or number > first) and (last is None or number <= last):
            lower = re.sub(r"^(#+ )", r"#\1", section.strip(), flags=re.MULTILINE)
            found.append(re.sub(r"(?<![\w`/])@(?=\w)", "@&#8203;", lower))  # or GitHub would tell whoever is named
    return "\n\n".join(found)
