"""The template under test, and copies of it made in this process."""

import atexit
import os
import shutil
import subprocess
import tempfile
from contextlib import ExitStack, contextmanager
from copy import deepcopy
from pathlib import Path
from unittest import mock

import copier
import jinja2
from copier import _main, _template
from copier._jinja_ext import get_yield_context

from support import releases
from support.releases import ROOT

TAG = "v9999.0.0"


def git(*arguments, cwd, code=0):
    """What git prints, without the last line end; `code=None` takes any exit code."""
    done = subprocess.run(["git", *arguments], cwd=cwd, capture_output=True, text=True, check=False)
    assert code is None or done.returncode == code, f"git {' '.join(arguments)}: {done.stderr}"
    return done.stdout.rstrip("\n")


def snapshot(folder):
    """A clone of HEAD with the uncommitted changes on top, tagged as the newest version, beside the releases."""
    git("clone", "-q", "--no-tags", str(ROOT), str(folder), cwd=ROOT)
    changed = git("ls-files", "-z", "-m", "-d", "-o", "--exclude-standard", cwd=ROOT).split("\0")
    changed += git("diff", "-z", "--cached", "--no-renames", "--name-only", cwd=ROOT).split("\0")
    for name in filter(None, changed):
        source, target = ROOT / name, Path(folder, name)
        if source.is_file():
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(source, target, follow_symlinks=False)
        else:
            target.unlink(missing_ok=True)
    git("add", "-A", cwd=folder)
    who = ["-c", "user.name=Tests", "-c", "user.email=tests@example.com"]
    git(*who, "commit", "-q", "--allow-empty", "--no-verify", "-m", "State under test", cwd=folder)
    git("tag", TAG, cwd=folder)
    for release in releases.listed():
        git("tag", release.tag, release.commit, cwd=folder)
    return Path(folder)


def unreleased(template, folder):
    """A clone that no version of the template is known in, to give it other ones."""
    git("clone", "-q", "--no-tags", str(template), str(folder), cwd=template)
    return Path(folder)


def without_clouds(folder):
    """Takes out of a clone what a project without a cloud never sees: half of the paths that copier goes through."""
    clouds = [f"template/src/mlops/platforms/{name}" for name in ("aws", "azure", "gcp", "kubeflow")]
    git("rm", "-r", "-q", "docs", "tests", "template/infra", *clouds, cwd=folder)


def copy(template, folder, *, operation=copier.run_copy, overwrite=False, vcs_ref=TAG, **answers):
    """Copies the template as `copier copy --defaults` does, without trust; returns the folder."""
    with ExitStack() as stack:
        for shorter in SHORTER:
            stack.enter_context(shorter())
        source = [] if operation is copier.run_update else [str(template)]
        operation(
            *source,
            folder,
            data={name: [*value] if isinstance(value, tuple) else value for name, value in answers.items()},
            defaults=True,
            overwrite=overwrite,
            quiet=True,
            unsafe=False,
            vcs_ref=vcs_ref,
        )
    return Path(folder)


def update(project, vcs_ref=TAG, **answers):
    """Updates a project in git as `copier update --defaults --vcs-ref VCS_REF --data ...` does."""
    return copy(None, project, operation=copier.run_update, overwrite=True, vcs_ref=vcs_ref, **answers)


_compiled = {}


@contextmanager
def remembered_compilations():
    """Within it, Jinja compiles a string once a process, and not 1,500 times a copy.

    Copier resets its context of `yield` while it parses a string, so a remembered one resets it.
    """
    original = jinja2.Environment.compile

    def compile_once(self, source, *place, **how):
        key = (self.lexer, source, place, tuple(how.items()))
        if not isinstance(source, str):
            return original(self, source, *place, **how)
        if key in _compiled:
            context = get_yield_context(self)
            context.yield_name = context.yield_iterable = None
        else:
            _compiled[key] = original(self, source, *place, **how)
        return _compiled[key]

    with mock.patch.object(jinja2.Environment, "compile", compile_once):
        yield


@contextmanager
def plain_strings():
    """Within it, what has no brace is not rendered: most parts of paths and, asked at each, the answers file's name."""
    worker, original, name = _main.Worker, _main.Worker._render_string, _main.Worker.answers_relpath

    def render(self, string, extra_context=None):
        if "{" in string:
            return original(self, string, extra_context)
        context = get_yield_context(self.jinja_env)
        context.yield_name = context.yield_iterable = None
        return string

    def relpath(self):
        path = self.answers_file or self.template.answers_relpath
        return name.fget(self) if "{" in str(path) else Path(path)

    with mock.patch.multiple(worker, _render_string=render, answers_relpath=property(relpath)):
        yield


_questions = {}


@contextmanager
def remembered_questions():
    """Within it, copier reads a copier.yml once a process, and not six times an update."""
    original = _template.load_template_config

    def load_once(path, quiet=False):
        text = path.read_bytes()
        if text not in _questions:
            _questions[text] = original(path, quiet)
        return deepcopy(_questions[text])

    with mock.patch.object(_template, "load_template_config", load_once):
        yield


@contextmanager
def fewer_folders():
    """Within it, copier does not go through folders that the manifest leaves out: half of all paths."""
    worker, original = _main.Worker, _main.Worker._render_template

    def render(self):
        root = self.template_copy_root

        def entries(folder, follow):
            for entry in os.scandir(folder):
                yield entry
                if entry.is_dir(follow_symlinks=follow):
                    path = os.path.relpath(entry.path, root)
                    if "{" in path or not self.match_exclude(path):
                        yield from entries(entry.path, follow)

        with mock.patch.object(_main, "scantree", entries):
            original(self)

    with mock.patch.object(worker, "_render_template", render):
        yield


_clones = {}


@contextmanager
def remembered_clones():
    """Within it, copier clones a version of a template once a process, and not five times an update."""
    original = _template.clone

    def clone_once(url, ref="HEAD", location=None):
        if ref == "HEAD" or not Path(url).is_dir():
            return original(url, ref, location)
        commit = git("rev-parse", f"{ref}^{{commit}}", cwd=url, code=None)
        if (url, commit, ref) not in _clones:
            folder = tempfile.mkdtemp(prefix="template-")
            atexit.register(shutil.rmtree, folder, ignore_errors=True)
            _clones[url, commit, ref] = original(url, ref, folder)
        return _clones[url, commit, ref]

    with mock.patch.object(_template, "clone", clone_once):
        yield


@contextmanager
def fewer_processes():
    """Within it, copier asks git of the modes of those files alone that can be executed."""
    original = _main.Worker._sync_git_index_executable_bit

    def sync(self, path, mode):
        if mode & 0o111:
            original(self, path, mode)

    with mock.patch.object(_main.Worker, "_sync_git_index_executable_bit", sync):
        yield


SHORTER = (
    remembered_compilations,
    plain_strings,
    remembered_questions,
    fewer_folders,
    remembered_clones,
    fewer_processes,
)
"""What copier does more often than a test needs; tests of `copier` itself start it as users do."""


def files(folder, *, without=(".git", "__pycache__")):
    """Paths of all files below a folder, relative and with slashes, sorted; bytecode is nobody's."""
    found = []
    for parent, folders, names in os.walk(folder):
        folders[:] = [name for name in folders if name not in without]
        found += [Path(parent, name).relative_to(folder).as_posix() for name in names]
    return sorted(found)
