# The template's: `copier update` renews this file.
"""`mlops score`: a table of any size scored with a model, a batch of rows at a time."""

import tempfile
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any
from uuid import uuid4

import polars as pl

from mlops.console import open_console
from mlops.contract import Breach
from mlops.errors import MlopsError, UsageError
from mlops.files import BATCH_ROWS, replacing
from mlops.project import load_project
from mlops.registry.models import find_model
from mlops.serving.identity import identity_of
from mlops.serving.records import ID, Identity, ids_from_key, record_schema, records
from mlops.serving.rows import RowContract, Typing, any_of, count, reasons
from mlops.settings import load_settings
from mlops.source import open_source, scan_source, without_secrets

if TYPE_CHECKING:
    from mlops.registry.bundle import Bundle

REASON = "quarantine_reason"
SHOWN = 5
FORMATS = {".parquet": "parquet", ".pq": "parquet", ".csv": "csv"}


@dataclass(frozen=True)
class Target:
    """A file to be written, whole or not at all, local or at an fsspec URL."""

    shown: str
    filesystem: Any
    path: str
    format: str

    @contextmanager
    def writing(self) -> Iterator[Path]:
        """Give a local path to write to; the file takes its place when the block ends well."""
        try:
            if self.filesystem is None:
                with replacing(Path(self.path)) as fresh:
                    yield fresh
                return
            Path(".mlops").mkdir(exist_ok=True)
            with tempfile.TemporaryDirectory(prefix="upload-", dir=".mlops") as folder:
                fresh = Path(folder) / f"table.{self.format}"
                yield fresh
                self._upload(fresh)
        except OSError as error:
            raise MlopsError(f"{self.shown} cannot be written: {error}") from error

    def _upload(self, file: Path) -> None:
        try:
            self.filesystem.makedirs(self.path.rpartition("/")[0], exist_ok=True)
            self.filesystem.put_file(str(file), self.path)
        except Exception as error:
            raise MlopsError(f"{self.shown} cannot be written: {type(error).__name__}: {error}") from error

    def sink(self, frame: pl.LazyFrame, path: Path) -> None:
        if self.format == "parquet":
            frame.sink_parquet(path, compression="zstd")
        else:
            frame.sink_csv(path)


def open_target(location: str, name: str) -> Target:
    """Where a table is to go.

    Raises:
        UsageError: an unknown format or protocol, or a folder.
    """
    shown = without_secrets(location)
    kind = next((kind for suffix, kind in FORMATS.items() if location.lower().endswith(suffix)), None)
    if kind is None:
        raise UsageError(f"{name} '{shown}' must end in {', '.join(FORMATS)}, which says its format")
    path, filesystem = location, None
    if "://" in location:
        import fsspec

        try:
            filesystem, path = fsspec.core.url_to_fs(location)
        except (ImportError, ValueError) as error:
            raise UsageError(f"{name} '{shown}': {error}") from error
        except Exception as error:
            raise MlopsError(f"{name} '{shown}' cannot be reached: {type(error).__name__}: {error}") from error
        if "file" in (filesystem.protocol if isinstance(filesystem.protocol, tuple) else [filesystem.protocol]):
            filesystem = None
    if filesystem is None and Path(path).is_dir():
        raise UsageError(f"{name} '{shown}' is a folder; name a file")
    return Target(shown, filesystem, path, kind)


def score(location: str, out: str, *, model: str | None, quarantine: str | None) -> None:
    """Score the rows of a table and print how many there were.

    Raises:
        UsageError: a wrong path, URL or model; nothing was read.
        MlopsError: rows break the contract and there is no quarantine, or something cannot be read or written.
    """
    # Paths are meant from where the command was given, not from the project's folder.
    location, out = _absolute(location), _absolute(out)
    model = str(Path(model).absolute()) if model and (Path(model) / "bundle.json").is_file() else model
    targets = [open_target(out, "OUT")]
    if quarantine is not None:
        targets.append(open_target(_absolute(quarantine), "--quarantine"))
    project, settings = load_project(), load_settings()
    source = open_source(location, "IN")
    taken: set[str | Path] = {Path(place).resolve() for place in source.paths if source.local}
    for target in targets:
        place = target.path if target.filesystem else Path(target.path).resolve()
        if place in taken:
            raise UsageError(f"'{target.shown}' is named twice; what is read, scored and put aside needs a file each")
        taken.add(place)
    reference = find_model(model, project, settings)
    bundle = reference.load()
    identity, contract = identity_of(bundle, reference, settings), RowContract.of(bundle)
    scoring = Scoring(bundle, identity, contract, put_aside=quarantine is not None)
    start = time.perf_counter()
    with ExitStack() as stack, _progress(scoring):
        frame = stack.enter_context(scan_source(source))
        scratch = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="score-", dir=".mlops")))
        # The last one entered is the first to take its place: the scored rows come last.
        fresh = [stack.enter_context(target.writing()) for target in targets]
        scoring.run(frame, targets, fresh, scratch)
    _summary(scoring, time.perf_counter() - start, targets)


def _absolute(location: str) -> str:
    return location if "://" in location else str(Path.cwd() / location)


@dataclass
class Scoring:
    """One table on its way through the contract and the model."""

    bundle: "Bundle"
    identity: Identity
    contract: RowContract
    put_aside: bool
    at: datetime = field(default_factory=lambda: datetime.now(UTC))
    read: int = 0
    scored: int = 0
    aside: int = 0
    breaches: dict[tuple[str, str], Breach] = field(default_factory=dict)
    run_id: str = field(default_factory=lambda: uuid4().hex)

    def run(self, frame: pl.LazyFrame, targets: list[Target], fresh: list[Path], scratch: Path) -> None:
        """Read `frame`, and write the scored rows and, to the second target, the rows put aside."""
        try:
            found = frame.collect_schema()
        except pl.exceptions.PolarsError as error:
            raise MlopsError(f"IN cannot be read: {error}") from error
        typing = self.contract.bind(found)
        schema = record_schema(typing.columns, self.bundle.classes)
        if self.put_aside:
            if REASON in found:
                raise UsageError(f"IN has a column '{REASON}' already, which --quarantine would write; rename it")
            aside_schema = {**found, REASON: pl.String()}
        else:
            frame = frame.select(name for name in typing.columns if name in found)
        parts: list[Path] = []

        def scored(*_: Any) -> Iterator[pl.DataFrame]:
            for batch in frame.collect_batches(chunk_size=BATCH_ROWS, maintain_order=True):
                good, bad = self._sort(batch, typing)
                self.read += len(batch)
                if bad is not None:
                    parts.append(scratch / f"{len(parts):06d}.parquet")
                    bad.write_parquet(parts[-1], compression="lz4")
                if self.breaches and not self.put_aside:
                    continue  # there will be no output; the rest is read to be counted
                if len(good):
                    yield self._predict(good, schema)

        from polars.io.plugins import register_io_source

        try:
            targets[0].sink(register_io_source(scored, schema=schema), fresh[0])
        except pl.exceptions.PolarsError as error:
            raise MlopsError(f"IN cannot be scored: {error}") from error
        if self.breaches and not self.put_aside:
            raise MlopsError(self._refusal())
        if self.put_aside:
            rows = pl.scan_parquet(parts) if parts else pl.LazyFrame(schema=aside_schema)
            targets[1].sink(rows, fresh[1])

    def _sort(self, batch: pl.DataFrame, typing: Typing) -> tuple[pl.DataFrame, pl.DataFrame | None]:
        """Rows of the contract's types, and those to be put aside, as they came."""
        typed, faults = typing.apply(batch)
        if not faults:
            return typed, None
        count(self.breaches, faults)
        if not self.put_aside:
            return typed, None
        mask = any_of(faults)
        bad = batch.filter(mask).with_columns(reasons(faults).alias(REASON))
        self.aside += len(bad)
        return typed.filter(~mask), bad

    def _predict(self, rows: pl.DataFrame, schema: dict[str, pl.DataType]) -> pl.DataFrame:
        try:
            predictions = self.bundle.predict(rows)
        except MlopsError:
            raise
        except Exception as error:
            raise MlopsError(
                f"the model failed on rows {self.scored:,} to {self.scored + len(rows):,}: "
                f"{type(error).__name__}: {error}"
            ) from error
        ids = ids_from_key(rows, list(self.bundle.dataset.key), self.scored, self.run_id)
        self.scored += len(rows)
        return records(rows, predictions, ids.alias(ID), self.at, self.identity).select(list(schema))

    def _refusal(self) -> str:
        found = sorted(self.breaches.values(), key=lambda breach: -breach.rows)
        more = f"; and {len(found) - SHOWN} more" if len(found) > SHOWN else ""
        ways = f"{len(found)} way{'s' if len(found) > 1 else ''}"
        return (
            f"IN breaks the contract in {ways}, of {self.read:,} rows: "
            f"{'; '.join(map(str, found[:SHOWN]))}{more}. Nothing was written. Mend the rows, or put them aside "
            "with --quarantine PATH"
        )


@contextmanager
def _progress(scoring: Scoring) -> Iterator[None]:
    """Rows so far and rows per second, on a terminal, once it has taken two seconds."""
    console = open_console(stderr=True)
    if not console.is_terminal:
        yield
        return
    from threading import Event, Thread

    done, start = Event(), time.perf_counter()

    def show() -> None:
        if done.wait(2):
            return
        with console.status("scoring ...") as status:
            while not done.wait(0.5):
                speed = scoring.read / (time.perf_counter() - start)
                status.update(f"{scoring.read:,} rows, {speed:,.0f} a second")

    thread = Thread(target=show, daemon=True)
    thread.start()
    try:
        yield
    finally:
        done.set()
        thread.join()


def _summary(scoring: Scoring, seconds: float, targets: list[Target]) -> None:
    console = open_console()
    model = f"{scoring.identity.name} version {scoring.identity.version}"
    speed = scoring.read / seconds if seconds else 0
    console.print(
        f"{scoring.scored:,} rows scored with {model} in {seconds:.1f} s ({speed:,.0f} a second): {targets[0].shown}",
        markup=False,
    )
    if scoring.aside:
        worst = max(scoring.breaches.values(), key=lambda breach: breach.rows)
        console.print(
            f"{scoring.aside:,} rows put aside, which break the contract (most often {worst}): {targets[1].shown}",
            markup=False,
        )
