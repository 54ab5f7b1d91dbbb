"""The template: the names that projects know it by, its versions, and how far a project is behind."""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path, PureWindowsPath
from urllib.parse import urlsplit

from packaging.version import InvalidVersion, Version

from fleet import git
from fleet.errors import ProjectError, UsageError, one_line

ROOT = Path(__file__).resolve().parents[1]
CANONICAL = "https://github.com/copier-mlops/copier-mlops"
_ALIASES = {"gh:": "github.com/", "gl:": "gitlab.com/"}
_CASELESS = ("github.com/", "gitlab.com/")
_SCP = re.compile(r"^(?:[^/@:\s]+@)?(?P<host>[^/:\s]{2,}):(?!//)(?P<path>.+)$")
_DESCRIBED = re.compile(r"^(?P<tag>.+)-(?P<commits>\d+)-g[0-9a-f]+$")


def canonical(name: str) -> str:
    """One form for all ways to name a repository: `github.com/owner/name`, or a path without links."""
    name = name.strip().removeprefix("git+")
    for alias, host in _ALIASES.items():
        if name.startswith(alias):
            return _tidy(host + name.removeprefix(alias).lstrip("/"))
    if "://" in name:
        try:
            parts = urlsplit(name)
            port = parts.port
        except ValueError:  # no URL at all
            return name
        if parts.scheme == "file":
            return _path(parts.path)
        default = {"https": 443, "http": 80, "ssh": 22, "git": 9418}.get(parts.scheme)
        host = (parts.hostname or "") + (f":{port}" if port not in {None, default} else "")
        return _tidy(f"{host.lower()}/{parts.path.strip('/')}")
    scp = _SCP.match(name)
    if scp and not PureWindowsPath(name).is_absolute():
        return _tidy(f"{scp['host'].lower()}/{scp['path'].strip('/')}")
    return _path(name)


def _tidy(name: str) -> str:
    name = name.rstrip("/").removesuffix(".git").rstrip("/")
    return name.lower() if name.lower().startswith(_CASELESS) else name


def _path(name: str) -> str:
    path = Path(name).expanduser()
    if not path.is_absolute():
        return name.rstrip("/")
    return path.resolve().as_posix().removesuffix("/.git").removesuffix(".git")


@dataclass(frozen=True)
class Template:
    """A clone of the template with the releases that it has."""

    path: Path
    names: frozenset[str]
    releases: tuple[str, ...]
    """Release tags, oldest first."""
    commits: Mapping[str, str]
    """Every tag's commit."""
    _resolved: dict[str, str] = field(default_factory=dict, repr=False)

    @property
    def newest(self) -> str:
        return self.releases[-1]

    def is_named(self, name: object) -> bool:
        """Whether a project's `_src_path` means this template."""
        return isinstance(name, str) and canonical(name) in self.names

    def resolve(self, version: str) -> str:
        """The commit of a tag, of a `git describe` such as v1.2.0-3-gabc1234, or of a commit.

        Raises:
            ProjectError: this clone does not have it.
        """
        if version in self.commits:
            return self.commits[version]
        if version not in self._resolved:
            found = ""
            if re.fullmatch(r"[\w./+-]+", version) and not version.startswith("-"):
                try:
                    found = git.text(self.path, "rev-parse", "--verify", "--quiet", f"{version}^{{commit}}")
                except ProjectError:
                    found = ""
            self._resolved[version] = found
        if not self._resolved[version]:
            raise ProjectError(f"version {one_line(version, 60)} is not in the template's clone")
        return self._resolved[version]

    def release_of(self, version: str) -> str | None:
        """The release that a version is, or is a few commits after; None before the first."""
        described = _DESCRIBED.match(version)
        tag = described["tag"] if described else version
        if tag not in self.commits:
            try:
                tag = git.text(self.path, "describe", "--tags", "--abbrev=0", self.resolve(version))
            except ProjectError:
                return None
        return tag if _version(tag) else None

    def lag(self, version: str, to: str | None = None) -> int:
        """How many releases came after a project's version, up to `to` (default: the newest)."""
        if to and self.resolve(to) == self.resolve(version):
            return 0
        mine, limit = self.release_of(version), self.release_of(to or self.newest)
        first = self.releases.index(mine) + 1 if mine in self.releases else self._place(mine)
        last = self.releases.index(limit) + 1 if limit in self.releases else self._place(limit)
        return max(last - first, 0)

    def _place(self, tag: str | None) -> int:
        """How many releases are older than a tag that is none, such as a release candidate."""
        version = _version(tag) if tag else None
        return sum(1 for name in self.releases if version and Version(name) < version)


def _version(tag: str) -> Version | None:
    try:
        return Version(tag)
    except InvalidVersion:
        return None


def load_template(path: Path, names: Iterable[str] = ()) -> Template:
    """Read the releases of a clone, and the names by which projects may call the template.

    Raises:
        UsageError: the folder is no clone of the template, or has no release.
    """
    if not path.is_dir():
        raise UsageError(f"{path}: no such folder; --repository names a clone of the template")
    path = path.resolve()
    if not (path / "copier.yml").is_file():
        raise UsageError(f"{path} is not the template: it has no copier.yml")
    try:
        listed = git.text(path, "for-each-ref", "refs/tags", "--format=%(refname:strip=2) %(objectname) %(*objectname)")
        origin = git.text(path, "config", "--get", "remote.origin.url")
    except ProjectError as error:
        if not str(error).startswith("git config"):
            raise UsageError(f"{path} is no git repository that can be read ({error})") from None
        origin = ""
    commits = {words[0]: words[-1] for words in (line.split() for line in listed.splitlines())}
    released = [tag for tag in commits if (version := _version(tag)) and not version.is_prerelease]
    if not released:
        raise UsageError(f"{path} has no release; get the tags with: git fetch --tags")
    known = {canonical(name) for name in (CANONICAL, str(path), origin, *names) if name}
    return Template(path, frozenset(known), tuple(sorted(released, key=Version)), commits)
