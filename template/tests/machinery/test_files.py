# The template's: `copier update` renews this file.
"""Files are whole or not there, and the same content has the same hash."""

import math
import os
from pathlib import Path

import polars as pl
import pytest

from mlops import files


def test_what_fails_half_way_leaves_what_was_there(folder: Path) -> None:
    path = folder / "kept.txt"
    files.write_text(path, "old")
    with pytest.raises(ZeroDivisionError), files.replacing(path) as fresh:
        fresh.write_text("half")
        raise ZeroDivisionError
    assert path.read_text() == "old"
    assert list(folder.iterdir()) == [path]


def test_a_folder_is_replaced_as_a_whole(folder: Path) -> None:
    path = folder / "bundle"
    for name in ("first", "second"):
        with files.replacing(path) as fresh:
            fresh.mkdir()
            (fresh / name).touch()
    assert [file.name for file in path.iterdir()] == ["second"]
    assert list(folder.iterdir()) == [path]


def test_what_a_killed_process_was_writing_is_removed_and_a_living_one_s_is_not(folder: Path) -> None:
    dead, alive = (folder / f".a.txt.{process}.x{files.PARTIAL}" for process in (2**22 + 1, os.getpid()))
    dead.mkdir()
    alive.mkdir()
    files.write_text(folder / "a.txt", "whole")
    assert sorted(folder.iterdir()) == [alive, folder / "a.txt"]


def test_json_is_the_same_bytes_for_the_same_content_and_has_no_nan(folder: Path) -> None:
    first, second = folder / "1.json", folder / "2.json"
    files.write_json(first, {"b": [1, math.nan], "a": math.inf})
    files.write_json(second, {"a": None, "b": (1, None)})
    assert first.read_bytes() == second.read_bytes()


def test_hashes_tell_contents_and_names_apart(folder: Path) -> None:
    for name, content in (("a", "1"), ("b", "1"), ("c", "2")):
        (folder / name).mkdir()
        (folder / name / "file").write_text(content)
    one, same, other = (files.folder_hash(folder / name) for name in "abc")
    assert one == same != other
    (folder / "b" / "file").rename(folder / "b" / "elif")
    assert files.folder_hash(folder / "b") != one
    assert files.canonical_hash({"a": 1, "b": 2}) == files.canonical_hash({"b": 2, "a": 1})


def test_batches_are_all_rows_in_order(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    frame = pl.DataFrame({"a": range(25), "b": range(25)})
    files.sink(frame.lazy(), folder / "a.parquet")
    monkeypatch.setattr(files, "BATCH_ROWS", 10)
    read = list(files.batches(folder / "a.parquet", ["a"]))
    assert [len(each) for each in read] == [10, 10, 5]
    assert pl.concat(read).equals(frame.select("a"))
