# The template's: `copier update` renews this file.
"""Ids that say which row was meant, and records whose columns do not collide."""

import datetime as dt

import polars as pl
import pytest

from mlops.errors import UsageError
from mlops.serving.records import ids_from_key, record_schema

KEYS = pl.DataFrame(
    {
        "at": [dt.datetime(2013, 1, 1, 5, 15), dt.datetime(2013, 1, 1, 5, 15)],
        "by": ["a|b", "a"],
        "place": ["c", "b|c"],
        "number": [1, None],
        "sure": [True, False],
    }
)


def test_an_id_is_the_key_and_no_two_keys_have_the_same() -> None:
    ids = ids_from_key(KEYS, ["at", "by", "place", "number", "sure"], 0, "run").to_list()
    assert ids == [r"2013-01-01T05:15:00.000000|a\|b|c|1|true", r"2013-01-01T05:15:00.000000|a|b\|c|\N|false"]
    assert ids_from_key(KEYS[1:], ["at", "by", "place", "number", "sure"], 7, "other").to_list() == ids[1:]


def test_text_that_looks_like_a_missing_value_is_not_taken_for_one() -> None:
    rows = pl.DataFrame({"by": ["\\N", None]})
    assert ids_from_key(rows, ["by"], 0, "run").to_list() == ["\\\\N", "\\N"]


@pytest.mark.parametrize("key", [[], ["at", "absent"]])
def test_rows_without_their_key_are_numbered(key: list[str]) -> None:
    assert ids_from_key(KEYS, key, 5, "run").to_list() == ["run-5", "run-6"]


def test_a_schema_names_the_row_between_the_model_and_the_prediction() -> None:
    schema = record_schema({"size": pl.Float32()}, ["no", "yes"])
    assert list(schema)[-4:] == ["size", "prediction", "probability_no", "probability_yes"]
    assert record_schema({"size": pl.Float32()}, None)["prediction"] == pl.Float64


@pytest.mark.parametrize("name", ["prediction", "model_version", "prediction_id", "probability_yes"])
def test_a_column_with_a_name_of_ours_is_refused(name: str) -> None:
    with pytest.raises(UsageError, match=name):
        record_schema({name: pl.String()}, ["no", "yes"])
