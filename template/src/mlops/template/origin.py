# The template's: `copier update` renews this file.
"""Where this project comes from: its answers, the template as a repository on this machine, its releases."""

import hashlib
import os
import re
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from packaging.version import InvalidVersion, Version
from platformdirs import user_cache_dir

from mlops.errors import MlopsError, UsageError

ANSWERS = ".copier-answers.yml"
MARK = "template/src/mlops/cli.py"
"""A file that every version of this template has, and other templates have not."""
_ALIASES = {"gh:": "https://github.com/", "gl:": "https://gitlab.com/"}
_GIT_PREFIXES = ("git@", "git://", "git+", "https://github.com/", "https://gitlab.com/")
_POINTERS = ("GIT_DIR", "GIT_WORK_TREE", "GIT_INDEX_FILE", "GIT_OBJECT_DIRECTORY", "GIT_COMMON_DIR", "GIT_PREFIX")
_FETCH_SECONDS = 300


class NotAtHandError(UsageError):
    """The template is neither on this machine nor can it be fetched."""


@dataclass(frozen=True)
class Answers:
    """What copier wrote down: the template as it was named, its version, and the answers."""

    source: str
    version: str
    values: Mapping[str, Any]


def read_answers(root: Path) -> Answers:
    """The answers file of a project.

    Raises:
        UsageError: it is not there, or does not say where the project comes from.
    """
    import yaml

    path = root / ANSWERS
    if not path.is_file():
        raise UsageError(f"{path} is not there; take it back from git: without it nobody knows the template's version")
    try:
        content = yaml.safe_load(path.read_text(encoding="utf-8"))
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        raise UsageError(f"{path} is no YAML ({error}); take it back from git") from error
    content = content if isinstance(content, dict) else {}
    for name in ("_src_path", "_commit"):
        if not isinstance(content.get(name), str):
            raise UsageError(f"{path} has no {name}; take it back from git, or copy from a release")
    values = {str(name): value for name, value in content.items() if not str(name).startswith("_")}
    return Answers(content["_src_path"], content["_commit"], values)


@dataclass(frozen=True)
class Origin:
    """The template: a repository on this machine, which is the template itself or a mirror of it."""

    answers: Answers
    url: str
    repository: Path
    stale: str | None = None
    """Why the mirror could not be brought up to date, if so."""

    def commit(self, version: str) -> str:
        """The commit of a tag, a commit's name or a `git describe` such as v1.2.0-3-gabc1234.

        Raises:
            UsageError: this repository has no such version of this template.
        """
        found = None
        if re.fullmatch(r"[\w./+-]+", version) and not version.startswith("-"):
            found = try_git(self.repository, "rev-parse", "--verify", "--quiet", f"{version}^{{commit}}")
        if not found:
            newest = f"; the newest is {self.releases[-1]}" if self.releases else ""
            raise UsageError(f"version {version!r} is not in the template {self.answers.source}{newest}")
        if try_git(self.repository, "cat-file", "-e", f"{found}:{MARK}") is None:
            raise UsageError(
                f"{self.answers.source} at {version} is not the template of this project: it lacks {MARK}; "
                f"set _src_path in {ANSWERS} to the template that it was made from"
            )
        return found

    def read(self, commit: str, path: str) -> str | None:
        """A file of the template at a commit."""
        return try_git(self.repository, "show", f"{commit}:{path}", strip=False)

    @cached_property
    def releases(self) -> list[str]:
        """The tags that are versions and no previews, oldest first, as copier sees them."""
        tags = (try_git(self.repository, "for-each-ref", "refs/tags", "--format=%(refname:strip=2)") or "").splitlines()
        released = [tag for tag in tags if (number := number_of(tag)) and not number.is_prerelease]
        return sorted(released, key=lambda tag: number_of(tag) or Version("0"))

    @property
    def missed(self) -> list[str]:
        """The releases after this project's version, oldest first."""
        mine = number_of(self.answers.version) or Version("0")
        return [tag for tag in self.releases if (number_of(tag) or mine) > mine]

    @property
    def env(self) -> dict[str, str]:
        """Variables with which git and copier take the mirror where the project names the template."""
        env = environment()
        if str(self.repository) != self.url:
            count = int(env["GIT_CONFIG_COUNT"])
            env |= {
                "GIT_CONFIG_COUNT": str(count + 1),
                f"GIT_CONFIG_KEY_{count}": f"url.{self.repository.as_posix()}.insteadOf",
                f"GIT_CONFIG_VALUE_{count}": self.url,
            }
        return env


def find_origin(answers: Answers, *, fetch: bool = True) -> Origin:
    """The template on this machine; `fetch` brings or renews the mirror of one that is elsewhere.

    Raises:
        NotAtHandError: there is none, and none was to be had.
        UsageError: the project's name for it can be no template.
    """
    url = _url(answers.source)
    path = Path(url).expanduser()
    if path.is_dir():
        if not path.is_absolute():
            raise UsageError(f"_src_path in {ANSWERS} is {answers.source}, and has to be a whole path or a URL")
        if Path(try_git(path, "rev-parse", "--show-toplevel") or "/").resolve() != path.resolve():
            raise UsageError(f"{answers.source} is no git repository; the template has to be one to be updated from")
        return Origin(answers, str(path), path)
    if "://" not in url and not path.is_file() and not re.match(r"[^/\\]{2,}:", url):
        raise NotAtHandError(
            f"the template {answers.source} is not there; set _src_path in {ANSWERS} to where it is now"
        )
    mirror = _mirror(url)
    there = (mirror / "objects").is_dir()
    stale = None
    if fetch:
        try:
            if there:
                git(mirror, "remote", "update", "--prune", timeout=_FETCH_SECONDS)
            else:
                _clone(url, mirror)
        except MlopsError as error:
            if not there:
                raise NotAtHandError(
                    f"the template {answers.source} cannot be fetched ({error}); try again with a network, "
                    f"or set _src_path in {ANSWERS} to a clone on this machine"
                ) from error
            stale = str(error)
    elif not there:
        raise NotAtHandError(f"the template {answers.source} is not on this machine; fetch it: mlops doctor --template")
    return Origin(answers, url, mirror, stale)


def _url(source: str) -> str:
    """What copier asks git for."""
    for alias, host in _ALIASES.items():
        if source.startswith(alias):
            source = host + source.removeprefix(alias).lstrip("/")
    plain = source.removeprefix("git+")
    if plain != source or source.endswith(".git"):
        return plain
    if source.startswith("https://") and source.startswith(_GIT_PREFIXES):
        return f"{source}.git"
    return source


def _mirror(url: str) -> Path:
    """Where copier 9.19 keeps its mirror of a repository: what it has fetched we need not fetch again."""
    folder = os.environ.get("COPIER_CACHE_DIR") or Path(user_cache_dir("copier", appauthor=False)) / "git"
    without_credentials = re.sub(r"(?<=://)[^/@]*@", "", url)
    return Path(folder, f"{hashlib.sha256(without_credentials.encode()).hexdigest()}.git")


def _clone(url: str, mirror: Path) -> None:
    """Make a mirror beside its place, then move it there: as a whole or not at all."""
    import shutil
    import tempfile

    mirror.parent.mkdir(parents=True, exist_ok=True)
    staging = Path(tempfile.mkdtemp(dir=mirror.parent, prefix=".new-"))
    try:
        git(staging, "clone", "--quiet", "--mirror", "--", url, "repo.git", timeout=_FETCH_SECONDS)
        if not mirror.exists():
            (staging / "repo.git").rename(mirror)
    finally:
        shutil.rmtree(staging, ignore_errors=True)


def number_of(version: str) -> Version | None:
    """A tag or a `git describe` as a version, None where it is none."""
    described = re.fullmatch(r"(.+)-(\d+)-g[0-9a-f]+", version)
    try:
        return Version(f"{described[1]}.post{described[2]}" if described else version)
    except InvalidVersion:
        return None


def environment() -> dict[str, str]:
    """Variables for git: nothing of the caller's repository, no question, no hook, no signature."""
    env = {name: value for name, value in os.environ.items() if name not in _POINTERS}
    env |= {"GIT_TERMINAL_PROMPT": "0", "GIT_LFS_SKIP_SMUDGE": "1", "LC_ALL": "C.UTF-8"}
    settings = {"core.hooksPath": os.devnull, "commit.gpgSign": "false", "gc.auto": "0", "core.fsmonitor": "false"}
    first = int(env["GIT_CONFIG_COUNT"]) if env.get("GIT_CONFIG_COUNT", "").isdigit() else 0
    for number, (name, value) in enumerate(settings.items(), start=first):
        env |= {f"GIT_CONFIG_KEY_{number}": name, f"GIT_CONFIG_VALUE_{number}": value}
    return env | {"GIT_CONFIG_COUNT": str(first + len(settings))}


def git(folder: Path, *arguments: str, strip: bool = True, timeout: float | None = None) -> str:
    """What a git command prints.

    Raises:
        MlopsError: git says no, in its own words.
    """
    command = ["git", *arguments]
    try:
        done = subprocess.run(command, cwd=folder, env=environment(), capture_output=True, check=False, timeout=timeout)
    except OSError as error:
        raise MlopsError(f"git cannot be run in {folder}: {error}") from error
    except subprocess.TimeoutExpired as error:
        raise MlopsError(f"git {arguments[0]} took longer than {timeout:.0f} seconds") from error
    if done.returncode:
        raise MlopsError(f"git {arguments[0]}: {said(done.stderr.decode('utf-8', 'replace'))}")
    text = done.stdout.decode("utf-8", "surrogateescape")
    return text.strip() if strip else text


def try_git(folder: Path, *arguments: str, strip: bool = True) -> str | None:
    """What a git command prints, or None where it fails."""
    try:
        return git(folder, *arguments, strip=strip)
    except MlopsError:
        return None


def said(text: str) -> str:
    """The line of a program's complaint that tells why."""
    lines = [re.sub(r"\x1b\[[\d;]*m", "", line).strip() for line in text.splitlines()]
    lines = [line for line in lines if line and "--trust" not in line]  # copier's advice, which is not ours
    fatal = [line for line in lines if line.startswith(("fatal:", "error:"))]
    return (fatal or lines[-1:] or ["no reason given"])[0]
