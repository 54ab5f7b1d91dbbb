# The template's: `copier update` renews this file.
"""`mlops reproduce`: a version made again from its commit, its lock and its data, and compared with what was kept.

All happens in a git worktree of its own below `.mlops`, so that neither the project's files nor its registry change.
"""

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from mlops import tracking
from mlops.errors import MlopsError
from mlops.files import file_hash, folder_hash, read_json
from mlops.lineage import PATCH, git
from mlops.pipeline.paths import BUNDLE, EVALUATION, RAW
from mlops.project import load_project
from mlops.registry.audit import locked
from mlops.registry.judge import identity_of
from mlops.registry.promotion import Promotions
from mlops.settings import load_settings
from mlops.source import FINGERPRINT

if TYPE_CHECKING:
    from mlflow.entities import Run
    from rich.console import Console

WORK = Path(".mlops/reproduce")
KEPT = ("params.yaml", "dvc.yaml", "dvc.lock", "uv.lock", FINGERPRINT.as_posix())
"""Files that a run keeps in `source/`: some of them may not have been committed when it ran."""
OF_THE_ENVIRONMENT = ("python", "requirements")


@dataclass(frozen=True)
class Comparison:
    """One thing as it was then and as it is now; `same` is None where a difference alone is no fault."""

    what: str
    same: bool | None
    found: str


@dataclass(frozen=True)
class _Kept:
    """What the run of a version keeps, on this machine."""

    run: "Run"
    version: str
    source: Path
    bundle: Path
    evaluation: Path

    @property
    def commit(self) -> str:
        return str(self.run.data.tags.get("mlops.commit", "none"))


def reproduce_version(spec: str | None, *, here: bool, tolerance: float, keep: bool, as_json: bool) -> None:
    """Make a version again and print what is the same and what is not.

    Args:
        spec: The version, as a number or an alias; None for the champion.
        here: Use the present environment instead of the one that `uv.lock` of that day says.
        tolerance: How far metrics and predictions may differ, relative to values above 1.
        keep: Leave the worktree for a look.
        as_json: Print JSON.

    Raises:
        UsageError: there is no such version.
        MlopsError: it cannot be made again, or it is not the same.
    """
    from mlops.console import open_console

    console = open_console(stderr=as_json)
    project, settings = load_project(), load_settings()
    with tracking.answering(settings):
        kept = _fetch(Promotions(tracking.open_client(settings), project, settings), spec)
    if kept.commit == "none" or git("cat-file", "-e", f"{kept.commit}^{{commit}}") is None:
        raise MlopsError(
            f"the commit {kept.commit} of version {kept.version} is not in this repository; "
            "fetch it ('git fetch --all'), then try again"
        )
    python = read_json(kept.bundle / "bundle.json")["python"]
    with (
        locked(WORK.with_name("reproduce.lock"), "a version is being reproduced in this project already", 0),
        _worktree(kept.commit, keep=keep) as root,
    ):
        found = list(_restore(kept, root))
        interpreter = _environment(root, here=here, python=python, say=console)
        _run_again(root, interpreter, console)
        found += _compare(kept, root, tolerance)
    different = [each for each in found if each.same is False]
    if as_json:
        print(json.dumps({"version": kept.version, "same": not different, "comparisons": [asdict(e) for e in found]}))
    else:
        _show(console, found)
    if different:
        told = "; ".join(f"{each.what}: {each.found}" for each in different)
        raise MlopsError(f"version {kept.version} is not what its commit and its data give: {told}")
    if not as_json:
        print(f"Version {kept.version} is what its commit, its parameters and its data give.")


def _fetch(promotions: Promotions, spec: str | None) -> _Kept:
    from mlflow.exceptions import MlflowException

    client, version = promotions.client, promotions.resolve(spec)
    run_id = str(version.run_id)
    try:
        folders = [tracking.download(client, run_id, name) for name in ("source", "model", "evaluation")]
    except (MlflowException, OSError) as error:
        raise MlopsError(f"the run {run_id} of version {version.version} lacks what it should keep: {error}") from error
    return _Kept(client.get_run(run_id), str(version.version), *folders)


@contextmanager
def _worktree(commit: str, *, keep: bool) -> Iterator[Path]:
    """Give the project's folder in a clean checkout; what a killed process left is removed first."""
    _remove()
    place = WORK / "tree"
    WORK.mkdir(parents=True)
    try:
        _git("worktree", "add", "--quiet", "--detach", str(place), commit)
        root = place / (git("rev-parse", "--show-prefix") or "").strip()
        if not (root / "dvc.yaml").is_file() and not (root / "pyproject.toml").is_file():
            raise MlopsError(f"the commit {commit} does not have this project's files; were they committed?")
        yield root.resolve()
    finally:
        if not keep:
            _remove()


def _remove() -> None:
    shutil.rmtree(WORK, ignore_errors=True)
    _git("worktree", "prune")


def _git(*arguments: str, cwd: Path | None = None) -> None:
    # Hooks of the user's, such as DVC's after a checkout, are not for this tree.
    command = ["git", "-c", "core.hooksPath=/dev/null", *arguments]
    done = subprocess.run(command, capture_output=True, cwd=cwd, check=False)
    if done.returncode:
        raise MlopsError(f"'git {' '.join(arguments[:2])}' failed: {_last_line(done.stderr)}")


def _restore(kept: _Kept, root: Path) -> Iterator[Comparison]:
    """Bring the tree to the state of the run: its uncommitted changes, and the files that it kept."""
    patch = kept.source / PATCH
    text = patch.read_bytes() if patch.is_file() else b""
    if b"diff --git " in text:
        inside = (git("rev-parse", "--show-prefix") or "").strip().rstrip("/")
        top = root.parents[len(Path(inside).parts) - 1] if inside else root
        _git("apply", "--whitespace=nowarn", f"--directory={inside}", str(patch.resolve()), cwd=top)
    yield Comparison("commit", None, kept.commit[:12] + (" with the changes that the run kept" if text else ""))
    for line in text.splitlines():
        if line.startswith(b"Left out for its size"):
            yield Comparison("changes", None, f"a new file was too large to be kept: {line.decode(errors='replace')}")
    for name in KEPT:
        stored = kept.source / Path(name).name
        if not stored.is_file():
            continue
        committed = (root / name).read_bytes() if (root / name).is_file() else None
        if name in ("params.yaml", "dvc.yaml") and committed != stored.read_bytes():
            yield Comparison(name, False, "the run kept another one than its commit and its changes have")
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(stored, root / name)


def _environment(root: Path, *, here: bool, python: str, say: "Console") -> Path:
    """The interpreter that runs the pipeline: this one, or that of the environment that the lock file says."""
    if here:
        return Path(sys.executable)
    if not (root / "uv.lock").is_file():
        raise MlopsError("the run kept no uv.lock, so its environment is unknown; --here takes the present one")
    if shutil.which("uv") is None:
        raise MlopsError("'uv' is not on the PATH, and it makes the environment; install it, or take --here")
    minor = ".".join(python.split(".")[:2])
    with say.status(f"environment of uv.lock, Python {minor} ..."):
        command = ["uv", "sync", "--frozen", "--quiet", "--python", minor]
        done = subprocess.run(command, cwd=root, env=_variables(root, None), capture_output=True, check=False)
    if done.returncode:
        raise MlopsError(
            f"the environment of that day cannot be made: {_last_line(done.stderr)}; --here takes the present one"
        )
    scripts = root / ".venv" / ("Scripts" if os.name == "nt" else "bin")
    return scripts / ("python.exe" if os.name == "nt" else "python")


def _variables(root: Path, python: Path | None) -> dict[str, str]:
    """The variables of a process in the tree: its own code and scripts come first, nothing points elsewhere."""
    elsewhere = ("VIRTUAL_ENV", "UV_PROJECT_ENVIRONMENT", "PYTHONPATH", "GIT_DIR", "GIT_WORK_TREE", "GIT_INDEX_FILE")
    variables = {name: value for name, value in os.environ.items() if name not in elsewhere}
    if python is not None:
        variables["PATH"] = os.pathsep.join([str(python.parent), variables.get("PATH", "")])
        variables["PYTHONPATH"] = str(root / "src")
    return variables


def _run_again(root: Path, python: Path, say: "Console") -> None:
    """Run the pipeline as far as the evaluation: data from DVC if it has them, else from the source."""
    _share_dvc(root)
    ingest, evaluate = _stage_of(root, RAW), _stage_of(root, EVALUATION)
    with say.status("data ..."):
        kept = _dvc(root, python, "pull", "--quiet", ingest).returncode == 0 and (root / RAW).exists()
    if kept:
        _freeze(root, ingest)
    else:
        say.print(f"DVC does not have the data any more: {ingest} reads the source again")
    with say.status("the pipeline ..."):
        done = _dvc(root, python, "repro", "--quiet", "--force", "--no-commit", evaluate)
    if done.returncode:
        told = [line for line in done.stderr.decode("utf-8", "replace").splitlines() if line.startswith("mlops: ")]
        why = told[-1].removeprefix("mlops: ") if told else _last_line(done.stderr)
        raise MlopsError(f"the pipeline of that day fails now: {why}")


def _dvc(root: Path, python: Path, *arguments: str) -> "subprocess.CompletedProcess[bytes]":
    command = [str(python), "-m", "dvc", *arguments]
    return subprocess.run(command, cwd=root, env=_variables(root, python), capture_output=True, check=False)


def _share_dvc(root: Path) -> None:
    """Let the tree use the project's cache and remotes: there, relative paths would be other folders."""
    from dvc.config import Config
    from dvc.repo import Repo

    mine = Path(".dvc/config.local")
    if mine.is_file():
        shutil.copyfile(mine, root / ".dvc/config.local")
    with Repo() as repo:
        cache = str(repo.cache.local_cache_dir)
        urls = {name: str(remote["url"]) for name, remote in repo.config["remote"].items() if remote.get("url")}
    with Config(str(root / ".dvc")).edit("local") as config:
        config.setdefault("cache", {})["dir"] = cache
        for name, url in urls.items():
            config.setdefault("remote", {}).setdefault(name, {})["url"] = url


def _stage_of(root: Path, out: Path) -> str:
    """The stage that writes a file or folder, by the `dvc.yaml` of the tree."""
    import yaml

    stages = yaml.safe_load((root / "dvc.yaml").read_text(encoding="utf-8"))["stages"]
    for name, stage in stages.items():
        outs = [next(iter(each)) if isinstance(each, dict) else each for each in stage.get("outs", [])]
        if out.as_posix() in outs:
            return str(name)
    raise MlopsError(f"no stage of that day's dvc.yaml writes {out}, so there is nothing to compare")


def _freeze(root: Path, stage: str) -> None:
    """Take the outputs of a stage as they are."""
    import yaml

    path = root / "dvc.yaml"
    content = yaml.safe_load(path.read_text(encoding="utf-8"))
    content["stages"][stage]["frozen"] = True
    path.write_text(yaml.safe_dump(content, sort_keys=False), encoding="utf-8")


def _compare(kept: _Kept, root: Path, tolerance: float) -> Iterator[Comparison]:
    tags, metrics = kept.run.data.tags, kept.run.data.metrics
    then, now = read_json(kept.bundle / "bundle.json"), read_json(root / BUNDLE / "bundle.json")
    before, after = (read_json(place / "evaluation.json") for place in (kept.evaluation, root / EVALUATION))

    same = identity_of(kept.bundle, kept.evaluation) == tags.get("mlops.model")
    yield Comparison("artifacts", same, "as they were logged" if same else "were changed since they were logged")
    yield _equal("data", tags.get("mlops.data_md5"), file_hash(root / RAW, "md5"))
    yield _equal("training set", then["training_sha256"], now["training_sha256"])
    yield _equal("test set", before["test_sha256"], after["test_sha256"])
    yield from _parameters(kept)
    yield _files("code", kept.bundle / "code", root / BUNDLE / "code")

    differing = [key for key in OF_THE_ENVIRONMENT if then.get(key) != now.get(key)]
    libraries = {name: (then["requirements"].get(name), now["requirements"].get(name)) for name in now["requirements"]}
    moved = [f"{name} {was} then, {is_} now" for name, (was, is_) in libraries.items() if was != is_]
    if then["python"] != now["python"]:
        moved.insert(0, f"Python {then['python']} then, {now['python']} now")
    yield Comparison("environment", None if differing else True, ", ".join(moved) or "the same versions")

    off = [
        f"{name} {metrics[name]:.6g} then, {value:.6g} now" if name in metrics else f"{name} is new"
        for name, value in after["metrics"].items()
        if value is not None and not _near(metrics.get(name), value, tolerance)
    ]
    off += [f"{name} is missing now" for name in before["metrics"] if name not in after["metrics"]]
    yield Comparison("metrics", not off, ", ".join(off) or f"{len(after['metrics'])} equal within {tolerance:g}")
    yield _predictions(kept.evaluation, root / EVALUATION, tolerance)

    about = [key for key in {*then, *now} - {*OF_THE_ENVIRONMENT} if then.get(key) != now.get(key)]
    if about:
        yield Comparison("bundle", False, f"bundle.json differs in {', '.join(sorted(about))}")
    elif folder_hash(kept.bundle) == folder_hash(root / BUNDLE):
        yield Comparison("bundle", True, "the same bytes")
    else:
        yield Comparison("bundle", None, "other bytes; what they say and predict is compared above")


def _equal(what: str, then: str | None, now: str) -> Comparison:
    if then == now:
        return Comparison(what, True, now[:12])
    return Comparison(what, False, f"{str(then)[:12]} then, {now[:12]} now")


def _near(then: float | None, now: float, tolerance: float) -> bool:
    return then is not None and abs(then - now) <= tolerance * max(1.0, abs(then))


def _parameters(kept: _Kept) -> Iterator[Comparison]:
    """The parameters that were used are those that were logged."""
    import yaml

    from mlops.registry.judge import flat

    stored = kept.source / "params.yaml"
    used = flat(yaml.safe_load(stored.read_text(encoding="utf-8"))) if stored.is_file() else {}
    logged = kept.run.data.params
    off = [
        f"{key} {logged.get(key, 'not there')} then, {value} now"
        for key, value in used.items()
        if str(value) != logged.get(key) and not _equal_numbers(value, logged.get(key))
    ]
    yield Comparison("params", not off, ", ".join(off) or f"{len(used)} as they were logged")


def _equal_numbers(value: object, logged: str | None) -> bool:
    """Whether a number was logged as another spelling of it, as 100 is of 100.0."""
    if isinstance(value, bool) or not isinstance(value, int | float) or logged is None:
        return False
    try:
        return float(logged) == value
    except ValueError:
        return False


def _files(what: str, then: Path, now: Path) -> Comparison:
    def hashes(folder: Path) -> dict[str, str]:
        files = (path for path in folder.rglob("*") if path.is_file())
        return {path.relative_to(folder).as_posix(): file_hash(path) for path in files}

    before, after = hashes(then), hashes(now)
    off = sorted(name for name in {*before, *after} if before.get(name) != after.get(name))
    return Comparison(what, not off, f"{', '.join(off)} differs" if off else f"{len(after)} files, the same")


def _predictions(then: Path, now: Path, tolerance: float) -> Comparison:
    """Predictions of the test set, row by row."""
    import polars as pl

    before, after = (pl.read_parquet(folder / "predictions.parquet") for folder in (then, now))
    if before.schema != after.schema or len(before) != len(after):
        return Comparison("predictions", False, f"{len(before):,} rows then, {len(after):,} now, or other columns")
    furthest, changed = 0.0, 0
    for name, dtype in before.schema.items():
        if dtype.is_float():
            gap = (before[name] - after[name]).abs() / before[name].abs().clip(lower_bound=1.0)
            furthest = max(furthest, float(gap.max() or 0.0))  # type: ignore[arg-type]
            changed += int((before[name].is_null() != after[name].is_null()).sum())
        elif name != "prediction":
            changed += int((before[name].ne_missing(after[name])).sum())
    if changed:
        return Comparison("predictions", False, f"{changed:,} values of the test set are others")
    return Comparison("predictions", furthest <= tolerance, f"of {len(after):,} rows, differ by up to {furthest:.2g}")


def _show(console: "Console", found: list[Comparison]) -> None:
    from rich.markup import escape
    from rich.table import Table

    marks = {True: "[green]✓[/green]", False: "[red]✗[/red]", None: "[dim]·[/dim]"}
    table = Table(show_header=False, box=None, padding=(0, 2, 0, 0))
    for each in found:
        table.add_row(marks[each.same], each.what, escape(each.found))
    console.print(table, soft_wrap=False)


def _last_line(output: bytes) -> str:
    lines = [line for line in output.decode("utf-8", "replace").splitlines() if line.strip()]
    return lines[-1].strip() if lines else "it said nothing"
