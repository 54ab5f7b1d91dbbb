"""What the measurements share: rows of the table, two sides timed in turn, processes and the project.

A measurement is a generator of rows, under a name that `--only` takes:

    @measurement
    def score(bench: Bench) -> Iterator[Row]:
        trained = bench.trained  # a project after `mlops run`, shared: leave it as it was
        ours = lambda: bench.run(trained.script("mlops"), "score", ..., cwd=trained.path).seconds
        theirs = lambda: ...
        yield bench.compare(ours, theirs, repeats=5).row("`mlops score`", "`predict` in memory", at_least=0.7)

Its module goes into MODULES of `__main__.py`. Both sides give a number of the same unit (seconds, bytes,
rows a second) and are called in turn, A B A B, so that whatever else the machine does meets both. The
ratio is that of the medians. What cannot be measured raises `UnmeasuredError`; nothing is guessed or kept
from another run.
"""

import os
import re
import shutil
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path

from uv import find_uv_bin

HERE = Path(__file__).resolve().parent
ROOT = HERE.parents[1]
SCRIPTS = "Scripts" if os.name == "nt" else "bin"
SAMPLE = Path("data/sample/flights.parquet")


class UnmeasuredError(Exception):
    """A figure could not be taken; the message says which command failed and how."""


@dataclass(frozen=True)
class Row:
    """A line of the table: a ratio and the bound that it has to keep."""

    what: str
    against: str
    ratio: float
    ours: str
    theirs: str
    at_most: float | None = None
    at_least: float | None = None

    @property
    def bound(self) -> str:
        return f"at most {self.at_most:g}" if self.at_most is not None else f"at least {self.at_least:g}"

    @property
    def kept(self) -> bool:
        return self.ratio <= self.at_most if self.at_most is not None else self.ratio >= (self.at_least or 0)


Measurement = Callable[["Bench"], Iterator[Row]]
MEASUREMENTS: dict[str, Measurement] = {}


def measurement(function: Measurement) -> Measurement:
    """Put a function that yields rows into the table, under its own name."""
    MEASUREMENTS[function.__name__.replace("_", "-")] = function
    return function


@dataclass(frozen=True)
class Usage:
    """What a process took: seconds from start to end, seconds of processors, and peak memory in bytes.

    Processors and memory include the children that it waited for.
    """

    seconds: float
    cpu: float
    peak: int
    out: str


@dataclass(frozen=True)
class Comparison:
    """Both sides' numbers, in the order in which they were taken."""

    ours: list[float]
    theirs: list[float]
    unit: str

    @property
    def ratio(self) -> float:
        return statistics.median(self.ours) / statistics.median(self.theirs)

    def row(self, what: str, against: str, *, at_most: float | None = None, at_least: float | None = None) -> Row:
        ours, theirs = (shown(statistics.median(side), self.unit) for side in (self.ours, self.theirs))
        return Row(what, against, self.ratio, ours, theirs, at_most, at_least)


def shown(value: float, unit: str) -> str:
    """A number as the table writes it."""
    if unit == "s":
        return f"{value:.2f} s" if value >= 1 else f"{value * 1000:.0f} ms"
    if unit == "bytes":
        return f"{value / 2**20:.0f} MiB"
    return f"{value:,.0f} {unit}"


@dataclass(frozen=True)
class Project:
    """A rendered project, committed, and the environment in which its commands are installed."""

    path: Path
    environment: Path

    def script(self, name: str) -> Path:
        """An installed command: `uv run` would add its own time."""
        return self.environment / SCRIPTS / name


@dataclass
class Bench:
    """A run of the table: a folder to work in, and what several measurements need, made once."""

    folder: Path
    repeats: int | None = None
    env: dict[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.env = surroundings(self.folder)

    def say(self, text: str) -> None:
        """Show progress, away from the table."""
        print(f"  {text}", file=sys.stderr, flush=True)

    def compare(
        self,
        ours: Callable[[], float],
        theirs: Callable[[], float],
        *,
        repeats: int,
        unit: str = "s",
        warm: bool = True,
    ) -> Comparison:
        """Take both numbers in turn, `repeats` times, after one turn that does not count if `warm`."""
        comparison = Comparison([], [], unit)
        if warm:
            ours(), theirs()
        repeats = self.repeats or repeats
        for number in range(1, repeats + 1):
            comparison.ours.append(ours())
            comparison.theirs.append(theirs())
            pair = " and ".join(shown(side[-1], unit) for side in (comparison.ours, comparison.theirs))
            self.say(f"{number} of {repeats}: {pair}")
        return comparison

    def run(
        self, *command: object, cwd: Path, env: Mapping[str, str] | None = None, codes: tuple[int, ...] = (0,)
    ) -> Usage:
        """Run a command to its end and say what it took.

        Raises:
            UnmeasuredError: its exit code is none of `codes`.
        """
        words = [str(word) for word in command]
        log = self.folder / "output.txt"
        with log.open("wb") as stream:
            start = time.perf_counter()
            process = subprocess.Popen(
                words, cwd=cwd, env={**self.env, **(env or {})}, stdin=subprocess.DEVNULL, stdout=stream, stderr=stream
            )
            _, status, usage = os.wait4(process.pid, 0)
            seconds = time.perf_counter() - start
        process.returncode = os.waitstatus_to_exitcode(status)
        out = log.read_text(encoding="utf-8", errors="replace")
        if process.returncode not in codes:
            tail = "\n".join(out.splitlines()[-20:])
            raise UnmeasuredError(f"exit code {process.returncode} of {' '.join(words)}\n{tail}")
        peak = usage.ru_maxrss * (1 if sys.platform == "darwin" else 1024)
        return Usage(seconds, usage.ru_utime + usage.ru_stime, peak, out)

    @cached_property
    def template(self) -> Path:
        """A clone of the template's repository with the uncommitted changes on top."""
        from support.template import snapshot

        return self.packed(snapshot(self.folder / "template"))

    def packed(self, repository: Path) -> Path:
        """Give a repository the one pack that it has where it was cloned from a URL."""
        self.run("git", "gc", "--quiet", cwd=repository)
        return repository

    @cached_property
    def project(self) -> Project:
        """A project as `copier copy` and `mlops init` leave it, installed with its development group."""
        self.say("render and install a project")
        path = self.folder / "project"
        self.run("copier", "copy", "--quiet", "--defaults", "--vcs-ref", "HEAD", self.template, path, cwd=self.folder)
        self.run(find_uv_bin(), "sync", "--quiet", cwd=path)
        project = Project(path, path / ".venv")
        self.run_in(project, "mlops", "init")
        return project

    @cached_property
    def trained(self) -> Project:
        """Another project, after its first `mlops run`."""
        project = self.another("trained")
        self.say("run a project's pipeline")
        self.run_in(project, "mlops", "run")
        return project

    @cached_property
    def imaged(self) -> Project:
        """The trained project with what an image has of its environment: nothing of the development group."""
        self.say("install what an image has")
        environment = self.folder / "image"
        sync = [find_uv_bin(), "sync", "--quiet", "--no-dev"]
        self.run(*sync, cwd=self.trained.path, env={"UV_PROJECT_ENVIRONMENT": str(environment)})
        return Project(self.trained.path, environment)

    def another(self, name: str) -> Project:
        """A copy of the project as it was committed, which shares its environment."""
        path = self.folder / name
        shutil.copytree(self.project.path, path, symlinks=True, ignore=shutil.ignore_patterns(".venv"))
        self.fresh(path)
        return Project(path, self.project.environment)

    def run_in(self, project: Project, name: str, *arguments: object, **variables: str) -> Usage:
        """Run an installed command of a project in its folder, as where its environment is active."""
        path = os.pathsep.join([str(project.environment / SCRIPTS), self.env["PATH"]])
        return self.run(project.script(name), *arguments, cwd=project.path, env={"PATH": path, **variables})

    def fresh(self, path: Path, *, bytecode: bool = True) -> None:
        """Take a project back to its first commit; its environment stays, without bytecode if so asked."""
        keep = ["--exclude", ".venv", *(["--exclude", "__pycache__"] if bytecode else [])]
        subprocess.run(["git", "checkout", "--quiet", "."], cwd=path, env=self.env, check=True)
        subprocess.run(["git", "clean", "--quiet", "-xdff", *keep], cwd=path, env=self.env, check=True)
        shutil.rmtree(self.env["DVC_SITE_CACHE_DIR"], ignore_errors=True)
        if not bytecode:
            for folder in list((path / ".venv").rglob("__pycache__")):
                shutil.rmtree(folder)

    def source(self, path: Path, location: Path | str) -> None:
        """Point `data.source` of a project's params.yaml somewhere else."""
        params = path / "params.yaml"
        text, found = re.subn(r"(?m)^( +source:).*$", lambda match: f"{match[1]} {location}", params.read_text("utf-8"))
        if found != 1:
            raise UnmeasuredError(f"{params} has {found} lines that say the source; it must have one")
        params.write_text(text, "utf-8")

    def sample_times(self, times: int) -> Path:
        """The sample so many times over, each copy a moment later than the one before: no key twice."""
        path = self.folder / f"flights-{times}.parquet"
        if not path.is_file():
            self.say(f"make {times} times the sample")
            script = (
                "import sys, polars as pl\n"
                "source, target, times = sys.argv[1:]\n"
                "column = pl.col('scheduled_departure')\n"
                "frame = pl.scan_parquet(source)\n"
                "parts = [frame.with_columns(column + pl.duration(milliseconds=n)) for n in range(int(times))]\n"
                "pl.concat(parts).sink_parquet(target, compression='zstd', row_group_size=100_000)\n"
            )
            python = self.project.script("python")
            self.run(python, "-c", script, self.project.path / SAMPLE, path, times, cwd=self.folder)
        return path


def surroundings(folder: Path) -> dict[str, str]:
    """Variables without what the person or the machine set up for these tools."""
    names = {"PYTHONDONTWRITEBYTECODE", "PYTHONPATH", "UV_PROJECT_ENVIRONMENT", "VIRTUAL_ENV"}
    starts = ("COPIER_", "DVC_", "GIT_AUTHOR", "MLFLOW_", "MLOPS_")
    env = {name: value for name, value in os.environ.items() if name not in names and not name.startswith(starts)}
    (folder / "settings.yml").write_text("{}\n", encoding="utf-8")
    (folder / "gitconfig").write_text(
        "[init]\ndefaultBranch = main\n[user]\nname = Bench\nemail = bench@example.com\n", encoding="utf-8"
    )
    return env | {
        "COPIER_SETTINGS_PATH": str(folder / "settings.yml"),
        "COPIER_CACHE_DIR": str(folder / "copier"),
        "DVC_SITE_CACHE_DIR": str(folder / "dvc"),
        "GIT_CONFIG_GLOBAL": str(folder / "gitconfig"),
        "GIT_CONFIG_NOSYSTEM": "1",
        "NO_COLOR": "1",
    }
