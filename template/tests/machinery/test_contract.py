# The template's: `copier update` renews this file.
"""The contract at work: what is cast, what is told, and that it is told with an example."""

from typing import Any

import pandera.polars as pa
import polars as pl
import pytest

from mlops.contract import breaches, conform, duplicate_keys
from mlops.errors import UsageError
from mlops.project import Dataset

SCHEMA = pa.DataFrameSchema(
    {
        "id": pa.Column(pl.Int32),
        "at": pa.Column(pl.Datetime("us")),
        "good": pa.Column(pl.Boolean, nullable=True),
        "size": pa.Column(pl.Float32, pa.Check.ge(0), nullable=True),
        "note": pa.Column(pl.String, nullable=True, required=False),
        "label": pa.Column(pl.String, pa.Check.isin(["a", "b"])),
    }
)
DECLARED: dict[str, Any] = {
    "contract": SCHEMA,
    "key": ["id"],
    "target": pl.col("label"),
    "known_when_scoring": ["size", "good"],
}
DATASET = Dataset(**DECLARED)
TEXT = {
    "id": ["1", "2"],
    "at": ["2024-01-01 10:00:00"] * 2,
    "good": ["true", ""],
    "size": ["1.5", ""],
    "label": ["a", "b"],
}


def checked(frame: pl.DataFrame) -> list[str]:
    conformed = conform(frame.lazy(), DATASET).collect()
    return [str(breach) for breach in breaches([conformed], DATASET)[1]]


def test_text_of_a_csv_file_becomes_what_the_contract_says() -> None:
    frame = conform(pl.DataFrame(TEXT).lazy(), DATASET).collect()
    assert dict(frame.schema) == DATASET.dtypes
    assert frame["good"].to_list() == [True, None]
    assert frame["size"].to_list() == [1.5, None]
    assert checked(pl.DataFrame(TEXT)) == []


@pytest.mark.parametrize(
    ("column", "values", "said"),
    [
        ("id", ["1", "two"], "id: wrong type: String instead of Int32 (1 row, such as two)"),
        ("id", [1.0, 2.5], "id: wrong type: Float64 instead of Int32 (1 row, such as 2.5)"),
        ("id", [1, 2**40], f"id: wrong type: Int64 instead of Int32 (1 row, such as {2**40})"),
        ("label", [1, 2], "label: wrong type: Int64 instead of String (2 rows, such as 1, 2)"),
        ("size", [1.0, -3.0], "(1 row, such as -3.0)"),
        ("id", [1, None], "id: a value is missing (1 row)"),
        ("label", ["a", "c"], "(1 row, such as c)"),
    ],
)
def test_what_does_not_fit_is_told_with_rows_and_an_example(column: str, values: list[Any], said: str) -> None:
    told = checked(pl.DataFrame({**TEXT, column: values}))
    assert len(told) == 1
    assert told[0].startswith(f"{column}: ")
    assert told[0].endswith(said)


def test_a_missing_column_is_told_by_its_name_unless_it_is_optional() -> None:
    assert checked(pl.DataFrame(TEXT).drop("at")) == ["at: the column is missing (2 rows)"]
    assert "note" not in pl.DataFrame(TEXT).columns


def test_breaches_are_counted_over_all_batches() -> None:
    bad = conform(pl.DataFrame({**TEXT, "size": [-1.0, -2.0]}).lazy(), DATASET).collect()
    rows, found = breaches([bad, bad], DATASET)
    assert (rows, found[0].rows, found[0].examples) == (4, 4, ["-1.0", "-2.0", "-1.0"])


def test_rows_that_share_a_key_are_found_with_an_example() -> None:
    frame = pl.LazyFrame({"id": [1, 2, 2, 3], "by": ["x", "y", "y", "x"]})
    assert duplicate_keys(frame, ["id", "by"]).__str__() == "key (id, by): not unique (2 rows, such as (2, y))"
    assert duplicate_keys(frame.unique(), ["id", "by"]) is None


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"key": ["ID"]}, "key names 'ID'"),
        ({"slices": "good"}, "slices is the text 'good'"),
        ({"known_when_scoring": ["size", "label"]}, "the target is made of 'label'"),
        ({"known_when_scoring": []}, "known_when_scoring is empty"),
        ({"time": "when"}, "time names 'when'"),
    ],
)
def test_a_declaration_that_does_not_fit_the_contract_is_refused(change: dict[str, Any], said: str) -> None:
    with pytest.raises(UsageError, match=said):
        Dataset(**{**DECLARED, **change})
