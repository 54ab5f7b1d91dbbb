"""Copier in this process, quick enough for hundreds of projects.

An update takes copier about ten seconds, of which it clones the template five times, compiles the same
strings 1,500 times and starts a git process for each file. Here each is done once. What copier does with
the files stays copier's own code: the result is the same, byte for byte, which a test compares. It reaches
into copier, so pyproject.toml holds copier to one minor version.
"""

import os
import tempfile
import warnings
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from copy import deepcopy
from pathlib import Path
from typing import Any
from unittest import mock

import copier
import dunamai
import jinja2
from copier import _main, _template
from copier._jinja_ext import get_yield_context

from fleet import git
from fleet.template import Template

_compiled: dict[Any, Any] = {}
_checkouts: dict[tuple[Path, str], Path] = {}
_configs: dict[Path, Any] = {}
_versions: dict[Path, Any] = {}


def render(template: Template, commit: str, answers: Mapping[str, Any], folder: Path) -> None:
    """Write the files that are the template's at a version, and none of the user's, into a new folder.

    That is what an update would renew: the manifest leaves the seeds out of it.
    """
    with _quick(template):
        token = _main._operation.set("update")
        try:
            # As a string: copier takes the URL that it finds in an answers file, and so do we.
            copier.run_copy(
                str(template.path), folder, data=_own(answers), defaults=True, quiet=True, vcs_ref=commit, unsafe=False
            )
        finally:
            _main._operation.reset(token)


def update(template: Template, commit: str, folder: Path) -> None:
    """Update a project in place, as `copier update --defaults --vcs-ref COMMIT` does."""
    with _quick(template):
        copier.run_update(folder, defaults=True, overwrite=True, quiet=True, vcs_ref=commit, unsafe=False)


def _own(answers: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in answers.items() if not name.startswith("_")}


@contextmanager
def _quick(template: Template) -> Iterator[None]:
    """Within it copier takes the template from its clone here, by whatever name, and does nothing twice."""

    def repository(url: str) -> str | None:
        return str(template.path) if template.is_named(url) else None

    def clone(url: str, ref: str = "HEAD", location: str | None = None) -> str:
        return str(_checkout(template.path, template.resolve(ref)))

    with (
        warnings.catch_warnings(),
        mock.patch.object(jinja2.Environment, "compile", _compile_once(jinja2.Environment.compile)),
        mock.patch.object(_main.Worker, "_render_string", _render_less(_main.Worker._render_string)),
        mock.patch.object(_main.Worker, "answers_relpath", _plain_path(vars(_main.Worker)["answers_relpath"])),
        mock.patch.object(_template, "load_template_config", _read_once(_template.load_template_config)),
        mock.patch.object(dunamai.Version, "from_git", _once_a_checkout(dunamai.Version.from_git)),
        # For file systems without modes; the files here are looked at by content.
        mock.patch.object(_main.Worker, "_sync_git_index_executable_bit", lambda *_: None),
        mock.patch.object(_template, "get_repo", repository),
        mock.patch.object(_template, "clone", clone),
        mock.patch.object(_template.Template, "_cleanup", lambda _: None),
        mock.patch.dict(os.environ, git.environment(throwaway=True)),
        _plumbum_environment(),
    ):
        warnings.simplefilter("ignore")
        yield


def _checkout(repository: Path, commit: str) -> Path:
    """A version of the template in a folder, one a process; it goes with the temporary folder."""
    folder = _checkouts.get((repository, commit))
    if folder is not None and folder.is_dir():
        return folder
    folder = _checkouts[repository, commit] = Path(tempfile.mkdtemp(prefix="template-")).resolve()
    git.output(folder, "clone", "-q", "--shared", "--no-checkout", "--", str(repository), ".")
    git.output(folder, "checkout", "-q", "--force", commit)
    return folder


def _compile_once(original: Callable[..., Any]) -> Callable[..., Any]:
    """Jinja's compiler, which compiles a string once a process.

    Copier resets its context of `yield` while it parses a string, so a remembered one resets it.
    """

    def compile_once(self: jinja2.Environment, source: Any, *place: Any, **how: Any) -> Any:
        if not isinstance(source, str):
            return original(self, source, *place, **how)
        key = (self.lexer, source, place, tuple(how.items()))
        if key in _compiled:
            context = get_yield_context(self)
            context.yield_name = context.yield_iterable = None
        else:
            _compiled[key] = original(self, source, *place, **how)
        return _compiled[key]

    return compile_once


def _render_less(original: Callable[..., str]) -> Callable[..., str]:
    """Copier's rendering of a short string, such as each part of each path: one without Jinja is itself."""

    def render_less(self: Any, string: Any, extra_context: Any = None) -> str:
        if not isinstance(string, str) or "{" in string or "\n" in string or "\r" in string:
            return original(self, string, extra_context=extra_context)
        context = get_yield_context(self.jinja_env)
        context.yield_name = context.yield_iterable = None
        return string

    return render_less


def _plain_path(original: property) -> property:
    """Where the answers file is, which copier renders for each path that it meets."""

    def plain_path(self: Any) -> Path:
        path = self.answers_file or self.template.answers_relpath
        return original.fget(self) if "{" in str(path) else Path(path)  # type: ignore[misc]

    return property(plain_path)


def _read_once(original: Callable[..., Any]) -> Callable[..., Any]:
    """The content of copier.yml, for each who asks a copy of his own."""

    def read_once(path: Path, *arguments: Any, **how: Any) -> Any:
        if path.parent not in _checkouts.values():
            return original(path, *arguments, **how)
        if path not in _configs:
            _configs[path] = original(path, *arguments, **how)
        return deepcopy(_configs[path])

    return read_once


def _once_a_checkout(original: Callable[..., Any]) -> Callable[..., Any]:
    """The version of the template in the current folder, for which a dozen git processes are asked."""

    def once(*arguments: Any, **how: Any) -> Any:
        folder = Path.cwd()
        if folder not in _checkouts.values():
            return original(*arguments, **how)
        if folder not in _versions:
            _versions[folder] = original(*arguments, **how)
        return _versions[folder]

    return once


@contextmanager
def _plumbum_environment() -> Iterator[None]:
    """Copier starts git through plumbum, which keeps a copy of the variables of its own."""
    from plumbum import local

    with local.env(**git.environment(throwaway=True)):
        yield
