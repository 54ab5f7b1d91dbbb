# The template's: `copier update` renews this file.
"""Sources: which files a location means, and that their fingerprint changes when they do."""

import os
from pathlib import Path

import polars as pl
import pytest

from mlops.errors import MlopsError, UsageError
from mlops.source import FINGERPRINT, open_source, scan_source, write_fingerprint


@pytest.fixture(autouse=True)
def files(folder: Path) -> None:
    (folder / "in").mkdir()
    for name in ("a", "b"):
        frame = pl.DataFrame({"name": [name], "number": ["1"]})
        frame.write_csv(folder / "in" / f"{name}.csv")
        frame.write_parquet(folder / "in" / f"{name}.parquet")


@pytest.mark.parametrize(
    ("location", "found"),
    [
        ("in/a.csv", ["a"]),
        ("in/*.csv", ["a", "b"]),
        ("in/[b].parquet", ["b"]),
        ("**/?.csv", ["a", "b"]),
        ("file://{folder}/in/*.parquet", ["a", "b"]),
    ],
)
def test_a_location_means_these_files(folder: Path, location: str, found: list[str]) -> None:
    source = open_source(location.format(folder=folder))
    with scan_source(source) as frame:
        assert frame.collect()["name"].to_list() == found


@pytest.mark.parametrize(
    ("location", "said"),
    [
        ("in", "one format"),
        ("out", "no such file"),
        ("in/*.json", "no such file"),
        ("gopher://host/a.csv", "gopher"),
    ],
)
def test_a_location_that_means_none_is_refused(location: str, said: str) -> None:
    with pytest.raises(UsageError, match=said):
        open_source(location)


def test_the_fingerprint_stays_as_long_as_the_files_do(folder: Path) -> None:
    first = write_fingerprint("in/*.csv")
    written = FINGERPRINT.stat().st_mtime_ns
    assert write_fingerprint("in/*.csv") == first
    assert FINGERPRINT.stat().st_mtime_ns == written
    os.utime(folder / "in/a.csv", (1, 1))
    assert write_fingerprint("in/*.csv") == first, "another time, the same bytes"
    (folder / "in/a.csv").write_text("name,number\nc,1\n")
    assert write_fingerprint("in/*.csv") != first


def test_messages_are_one_line_and_keep_secrets() -> None:
    error = MlopsError("GET http://me:hunter2@host/x?sig=hunter2\n  failed")
    assert str(error) == "GET http://***@host/x?*** failed"
