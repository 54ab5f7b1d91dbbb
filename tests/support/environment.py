"""One installed environment for all rendered projects, and a thin one of its own for each of them.

Installing MLflow and its company into every project would take most of the tests' time. So they are
installed once, and a project gets a virtual environment that holds only itself, installed as
`uv sync` would; a `.pth` file adds the shared packages. `UV_NO_SYNC` makes `uv run` take it as
is, so that a project's own commands run unchanged.
"""

import importlib.util
import marshal
import os
import re
import shutil
import signal
import struct
import subprocess
import sys
import sysconfig
import tarfile
import tomllib
from dataclasses import dataclass
from pathlib import Path

from uv import find_uv_bin

from support import warm

UV = find_uv_bin()
SCRIPTS = "Scripts" if os.name == "nt" else "bin"
OLD = 1_600_000_000
"""When modules of projects were written, by their looks: seconds since the epoch."""
UNPACK = {"filter": "data"} if hasattr(tarfile, "data_filter") else {}
"""How archives of the tests' own are unpacked: Python before 3.11.4 knows no filter."""


@dataclass(frozen=True)
class Done:
    """A command that has ended: its exit code and what it printed."""

    code: int
    out: str
    err: str

    def __str__(self):
        return f"exit code {self.code}\n--- stdout\n{self.out}\n--- stderr\n{self.err}"


@dataclass(frozen=True)
class Project:
    """A rendered project that can run: its `path`, and `run` for a command in it."""

    path: Path
    env: dict

    def run(self, *command, code=0, timeout=300, cwd=None, started=lambda pid: None, **env):
        """Runs a command as a shell in the project's environment would; asserts its exit code.

        `code=None` takes any exit code. Other keywords are environment variables; None takes one
        away. A command that outlives its timeout (seconds) is killed with its children, and fails.
        """
        env = changed(self.env, env)
        done = run(*command, cwd=cwd or self.path, env=env, timeout=timeout, started=started)
        assert code is None or done.code == code, f"{' '.join(map(str, command))}: {done}"
        return done

    @property
    def python(self):
        return self.path / ".venv" / SCRIPTS / "python"


def run(*command, cwd, env, timeout=300, started=lambda pid: None):
    """Runs a command with no terminal, its own process group and a time limit; `started(pid)` is told of it.

    Where `mlops` is that of a project with the shared environment, it begins with the libraries imported.
    """
    if command[0] == "mlops" and (lent := _lent(env)) is not None:
        lender, script, packages = lent
        about = {"cwd": cwd, "env": env, "timeout": timeout, "started": started}
        return Done(*lender.run(script, packages, command[1:], **about))
    process = subprocess.Popen(
        [str(part) for part in command],
        cwd=cwd,
        env=env,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        encoding="utf-8",
        errors="replace",
        start_new_session=True,
    )
    try:
        started(process.pid)
        out, err = process.communicate(timeout=timeout)
    except BaseException:
        os.killpg(process.pid, signal.SIGKILL)
        process.communicate()
        raise
    return Done(process.returncode, out, err)


def _lent(env):
    """Who lends a fork for the `mlops` of this environment, its script and where its project is installed."""
    script = Path(shutil.which("mlops", path=env["PATH"]) or "")
    packages = Path(site_packages(script.parents[1])) if script.name else None
    if packages is None or not (shared := packages / "_shared.pth").is_file():
        return None
    python = Path(shared.read_text(encoding="utf-8").splitlines()[0].removeprefix("# "))
    lender = warm.lender(python, env)
    return None if lender is None else (lender, script, packages)


def changed(env, changes):
    """A copy of an environment with some variables set, or taken away where the value is None."""
    merged = {**env, **{name: str(value) for name, value in changes.items() if value is not None}}
    return {name: value for name, value in merged.items() if changes.get(name, "") is not None}


@dataclass(frozen=True)
class Environment:
    """The shared environment: its `path`, and `install`, which makes a project able to run."""

    path: Path
    env: dict

    def install(self, project):
        """Gives a rendered project its `.venv`, a new one if it has moved; returns a `Project`.

        uv installs the first project of a kind; one with the same pyproject.toml gets a copy of what that became.
        """
        own, kind = Path(project, ".venv"), (self.path, Path(project, "pyproject.toml").read_bytes())
        shutil.rmtree(own, ignore_errors=True)
        if kind in _installed:
            kept, there = _installed[kind]
            shutil.copytree(kept, own, symlinks=True)
            adopt(project, there)
        else:
            self._install_by_uv(project, own)
            kept = self.path.with_name(f"thin-{os.getpid()}-{len(_installed)}")
            shutil.copytree(own, kept, symlinks=True)
            _installed[kind] = kept, project
        keep_bytecode(Path(project, "src"))
        path = os.pathsep.join([str(own / SCRIPTS), str(Path(UV).parent), self.env["PATH"]])
        return Project(Path(project), {**self.env, "PATH": path})

    def _install_by_uv(self, project, own):
        uv("venv", "-q", "--python", self.path / SCRIPTS / "python", own, cwd=project, env=self.env)
        packages = site_packages(own)
        # The comment is for those who look for the shared interpreter: `_lent`.
        shared = f"import gc, site; gc.set_threshold(100_000); site.addsitedir({str(site_packages(self.path))!r})\n"
        Path(packages, "_shared.pth").write_text(f"# {self.path / SCRIPTS / 'python'}\n{shared}", encoding="utf-8")
        editable = ["--no-deps", "--python", own, "-e", project]
        uv("pip", "install", "-q", *editable, cwd=project, env=self.env)
        adopt_scripts(self.path / SCRIPTS, own / SCRIPTS)


_installed = {}
"""By environment and pyproject.toml, a `.venv` that nobody changes, and the project that it was made in."""
_bytecode = {}


def keep_bytecode(folder):
    """Compile the modules below a folder as their first import would, each text once in this process.

    The modules are made to look old, so that Python sees each change that a test makes of them.
    """
    for path in folder.rglob("*.py"):
        os.utime(path, (OLD, OLD))
        text = path.read_bytes()
        if text not in _bytecode:
            try:
                _bytecode[text] = marshal.dumps(compile(text, path, "exec", dont_inherit=True))
            except SyntaxError:  # which is for those to say who import it
                _bytecode[text] = None
        if code := _bytecode[text]:
            compiled = Path(importlib.util.cache_from_source(path))
            compiled.parent.mkdir(exist_ok=True)
            compiled.write_bytes(importlib.util.MAGIC_NUMBER + struct.pack("<3I", 0, OLD, len(text)) + code)


def install_shared(folder, projects, *, env):
    """Installs what any of these rendered projects depends on, extras and development groups included.

    Where an extra only narrows what all projects have, as one for an older server does, the others count.
    """
    requirements = set()
    for project in projects:
        settings = tomllib.loads(Path(project, "pyproject.toml").read_text(encoding="utf-8"))
        requirements.update(settings["project"]["dependencies"])
        common = {name_of(entry) for entry in settings["project"]["dependencies"]}
        for extra in settings["project"].get("optional-dependencies", {}).values():
            requirements.update(entry for entry in extra if name_of(entry) not in common)
        for group in settings.get("dependency-groups", {}).values():
            requirements.update(entry for entry in group if isinstance(entry, str))
    Path(folder).mkdir(parents=True)
    listed = Path(folder, "requirements.txt")
    listed.write_text("\n".join(sorted(requirements)) + "\n", encoding="utf-8")
    venv = Path(folder, "venv")
    uv("venv", "-q", "--python", sys.executable, venv, cwd=folder, env=env)
    uv("pip", "install", "-q", "--python", venv, "-r", listed, cwd=folder, env=env, timeout=900)
    return venv


def name_of(requirement):
    """The package that a requirement is about."""
    return re.match(r"[\w.-]+", requirement).group()


def uv(*arguments, cwd, env, timeout=300):
    """Runs uv, and shows what it printed if it fails."""
    done = run(UV, *arguments, cwd=cwd, env=env, timeout=timeout)
    assert done.code == 0, f"uv {' '.join(map(str, arguments))}: {done}"


def site_packages(venv):
    """Where a virtual environment of this Python keeps its packages."""
    return sysconfig.get_path("purelib", "venv", {"base": str(venv), "platbase": str(venv)})


def interpreter_line(python):
    """How a script begins that this interpreter runs, even where its path is long or has spaces."""
    # As installers do it: more than a first line can hold.
    return b"#!/bin/sh\n'''exec' \"" + os.fsencode(python) + b'" "$0" "$@"\n\' \'\'\'\n'


def adopt_scripts(source, target):
    """Links the shared commands; those in Python get the project's own interpreter."""
    for script in source.iterdir():
        mine = target / script.name
        if mine.exists() or script.name.startswith(("python", "activate")):
            continue
        first, _, body = script.read_bytes().partition(b"\n")
        if first.startswith(b"#!") and b"python" in first:
            mine.write_bytes(interpreter_line(target / "python") + body)
            mine.chmod(0o755)
        else:
            mine.symlink_to(script)


def adopt(project, there):
    """Makes the .venv of a project that was in `there` work where it is now, as `uv sync` would."""
    venv, here, there = Path(project, ".venv"), str(project), str(there)
    for file in [*(venv / SCRIPTS).iterdir(), *Path(site_packages(venv)).glob("*.pth")]:
        if file.is_symlink() or not file.is_file():
            continue
        content = file.read_bytes()
        if there.encode() in content:
            content = re.sub(re.escape(there.encode()) + rb"(?=[/\"'\s]|$)", here.encode(), content)
            first, _, body = content.partition(b"\n")
            plain = first.startswith(b"#!") and b"python" in first
            file.write_bytes(interpreter_line(venv / SCRIPTS / "python") + body if plain else content)
