# The template's: `copier update` renews this file.
"""The contract of a row: pandera, the batch path and the compiled contract accept and refuse the same rows."""

import datetime as dt
import json
import math
import random
from functools import cache
from typing import Any

import numpy as np
import pandera.polars as pa
import polars as pl
import pytest
from pandera.errors import SchemaErrors

from mlops.contract import conform
from mlops.errors import MlopsError
from mlops.project import Dataset
from mlops.serving.compiled import CompiledContract, RefusedError, describe
from mlops.serving.rows import RowContract, any_of, reasons

ODD = pa.Check(lambda data: data.lazyframe.select(pl.col(data.key) % 2 == 1), name="odd")
SHORT = pa.Check(lambda value: len(value) < 4, element_wise=True, name="short")
ON_AVERAGE = pa.Check(lambda data: data.lazyframe.select(pl.col(data.key).mean() < 0), name="below zero on average")
ORDERED = pa.Check(lambda data: data.lazyframe.select(pl.col("low") <= pl.col("high")), name="low is below high")
OF_LABEL = pa.Check(lambda data: data.lazyframe.select(pl.col("label") != pl.col("word")), name="label is not word")
WORDS = ["", "a", "ab", "abc", "abcd", "a1", "A1", "1a", "x", "xy", "é", "日本", "a\n", "\u0000", "AB", "null", " a "]

SCHEMA = pa.DataFrameSchema(
    {
        "id": pa.Column(pl.Int32, pa.Check.gt(0)),
        "low": pa.Column(pl.Float64, pa.Check.in_range(-1, 1, include_min=False)),
        "high": pa.Column(pl.Float32, [pa.Check.ge(-0.1), pa.Check.lt(0.7)]),
        "wide": pa.Column(pl.Float32, nullable=True),
        "small": pa.Column(pl.Int8, pa.Check.le(100), nullable=True),
        "large": pa.Column(pl.UInt64, nullable=True),
        "even": pa.Column(pl.Int32, pa.Check.ne(4), nullable=True),
        "odd": pa.Column(pl.Int64, [ODD, pa.Check.gt(0.5)], nullable=True),
        "one": pa.Column(pl.Int16, pa.Check.isin([1, 2, 5])),
        "word": pa.Column(pl.String, [pa.Check.str_matches("[a-z]+"), pa.Check.str_length(1, 3)]),
        "end": pa.Column(pl.String, pa.Check.str_endswith("b"), nullable=True),
        "start": pa.Column(pl.String, pa.Check.str_startswith("a"), nullable=True, required=False),
        "kind": pa.Column(pl.String, [pa.Check.isin(["a", "ab", "é"]), SHORT]),
        "level": pa.Column(pl.Enum(["a", "ab"]), nullable=True),
        "true": pa.Column(pl.Boolean, nullable=True),
        "at": pa.Column(pl.Datetime("us"), pa.Check.gt(dt.datetime(2000, 1, 1))),
        "day": pa.Column(pl.Date, nullable=True),
        "odds": pa.Column(pl.Float64, [ON_AVERAGE, pa.Check.ge(0)], nullable=True),
        "label": pa.Column(pl.String, nullable=True),
    },
    checks=[ORDERED, OF_LABEL],
)
KNOWN = [name for name in SCHEMA.columns if name not in ("id", "label")]
DATASET = Dataset(contract=SCHEMA, key=["id"], target=pl.col("label"), known_when_scoring=KNOWN)
CONTRACT = RowContract(DATASET, KNOWN)
# A bundle carries the description as JSON.
COMPILED = CompiledContract(json.loads(json.dumps(describe(CONTRACT))), CONTRACT)
GOOD: dict[str, Any] = {
    **{"id": 1, "low": 0.0, "high": 0.5, "wide": 1.5, "small": 7, "large": 2**63, "even": 2, "odd": 3, "one": 5},
    **{"word": "ab", "end": "ab", "kind": "a", "level": "ab", "true": True},
    **{"at": "2013-01-31T17:45:00", "day": "2013-01-31", "odds": 0.5},
}


def edges(*values: float) -> list[float]:
    """Numbers at, next to and a float32's step away from others."""
    found = []
    for value in values:
        for step in (np.nextafter(np.float32(value), np.float32(way)) for way in (-np.inf, np.inf)):
            found += [float(step), (float(step) + float(np.float32(value))) / 2]
        found += [value, float(np.float32(value)), math.nextafter(value, -9.0), math.nextafter(value, 9.0)]
    return found


EDGES = {"low": edges(-1, 1), "high": edges(-0.1, 0.7), "odds": edges(0)}
NUMBERS = [
    *(1e300, -1e300, 3.4028234663852886e38, 3.4028235677973366e38, 3.5e38, 5e-324, 1e-45, -0.0, 0.25, 2, 10**17),
]
INTEGERS = [
    *(0, 1, 2, 3, 4, 5, 100, 101, 127, 128, -128, -129, 2**31 - 1, 2**31, -(2**31), 2**53, 2**63, 2**64, -1),
    *(1.0, 2.0, 2.5, -0.0, 1e3),
]
TIMES = [
    *("2013-01-31T17:45:00", "2013-01-31 17:45", "2013-01-31", "2000-01-01T00:00:00", "2000-01-01T00:00:00.000001"),
    *("2013-02-30T00:00:00", "soon", "2013", "", " ", "2013-01-31T17:45:00Z", "2013-01-31T17:45:00.5", "1900-01-01"),
    *("2013-01-31T25:00:00", " 2013-01-31 17:45:00 ", "9999-12-31T23:59:59.999999"),
]
DAYS = ["2013-01-31", "1900-02-28", "2013-02-30", "never", "", " 2013-01-31 "]


def values_of(name: str, dtype: pl.DataType) -> list[Any]:
    """Values of JSON for a column: good ones, ones at the edge, ones of another kind, none."""
    fitting: list[Any] = [True, False]
    strange: list[Any] = ["warm", "", " ", [], {}, [1], {"a": 1}]
    if dtype.is_integer():
        fitting = INTEGERS
    elif dtype.is_float():
        fitting = [*NUMBERS, *EDGES.get(name, [])]
    elif isinstance(dtype, pl.String | pl.Enum):
        fitting, strange = WORDS, [1, 0.5, [], {}]
    elif isinstance(dtype, pl.Datetime):
        fitting, strange = TIMES, [1, 0.5, [], {}]
    elif isinstance(dtype, pl.Date):
        fitting, strange = DAYS, [1, 0.5, [], {}]
    return [*fitting, *strange, None]


def changed_rows() -> list[dict[str, Any]]:
    """The good row with each value that a column may be given, one at a time, and without each column."""
    changes = [{name: value} for name, dtype in CONTRACT.dtypes.items() for value in values_of(name, dtype)]
    without = [{key: value for key, value in GOOD.items() if key != name} for name in GOOD]
    generator = random.Random(1)  # noqa: S311 - the same rows each time
    several = [dict(pair for part in generator.sample(changes, 2) for pair in part.items()) for _ in range(40)]
    return [*({**GOOD, **change} for change in [*changes, *several]), *without]


@cache
def narrowed(*unknown: str) -> Dataset:
    """The contract without columns that are not known when scoring, in pandera's own words."""
    schema = SCHEMA.remove_columns([*unknown])
    schema.checks = [ORDERED]
    schema.columns["odds"].checks = [pa.Check.ge(0)]
    return Dataset(contract=schema, key=KNOWN[:1], target=pl.lit(None).alias("label"), known_when_scoring=KNOWN)


def pandera_accepts(row: dict[str, Any]) -> bool:
    """Pandera's own word on a table of this row."""
    dataset = narrowed("label", *(() if "id" in row else ("id",)))
    try:
        table = conform(pl.LazyFrame({name: [value] for name, value in row.items()}), dataset).collect()
        dataset.schema.validate(table, lazy=True)
    except (SchemaErrors, pl.exceptions.PolarsError, OverflowError, TypeError):
        return False
    return True


def batch_accepts(row: dict[str, Any]) -> bool:
    try:
        frame = pl.DataFrame({name: [value] for name, value in row.items()})
        return not CONTRACT.bind(frame.schema).apply(frame)[1]
    except (MlopsError, pl.exceptions.PolarsError, OverflowError, TypeError):
        return False


def online_accepts(row: dict[str, Any]) -> bool:
    try:
        COMPILED.check([row])
    except RefusedError:
        return False
    return True


def test_what_can_be_compiled_is_and_the_rest_is_left_to_pandera() -> None:
    left = {name for name, _ in COMPILED.left}
    assert left == {"even", "odd", "end", "kind", "at"}
    assert [check.name for check in CONTRACT.wide_checks] == ["low is below high"]
    assert "below zero on average" not in {check.name for _, check in CONTRACT.checks}


def test_all_three_accept_and_refuse_the_same_rows() -> None:
    verdicts = []
    for row in changed_rows():
        verdicts.append(pandera_accepts(row))
        assert batch_accepts(row) == verdicts[-1], row
        assert online_accepts(row) == verdicts[-1], row
    assert 100 < sum(verdicts) < len(verdicts) - 100


def test_the_good_row_is_good() -> None:
    assert pandera_accepts(GOOD)
    assert batch_accepts(GOOD)
    assert online_accepts(GOOD)


def test_a_table_and_a_request_give_the_model_the_same_values() -> None:
    row = {name: value for name, value in GOOD.items() if name != "start"}
    text = pl.DataFrame({name: [str(value)] for name, value in row.items()})
    typed, faults = CONTRACT.bind(text.schema).apply(text)
    assert faults == []
    assert COMPILED.check([row])[0].equals(typed)
    assert typed["start"].to_list() == [None]


@pytest.mark.parametrize(
    ("changes", "field", "said"),
    [
        ({"high": 0.7}, "high", "less than"),
        ({"one": 3}, "one", "one of 1, 2, 5"),
        ({"odd": 4}, "odd", "not odd"),
        ({"low": 0.6}, "row", "low is below high"),
        ({"at": "soon"}, "at", "2013-01-31T17:45:00"),
        ({"small": 300}, "small", "less than or equal to 100"),
        ({"id": 0}, "id", "greater than 0"),
        ({"large": True}, "large", "integer"),
    ],
)
def test_a_refusal_names_row_and_field(changes: dict[str, Any], field: str, said: str) -> None:
    with pytest.raises(RefusedError) as caught:
        COMPILED.check([GOOD, {**GOOD, **changes}])
    assert [(fault.row, fault.field) for fault in caught.value.faults] == [(1, field)]
    assert said in caught.value.faults[0].message


def test_rows_are_not_objects_are_refused() -> None:
    with pytest.raises(RefusedError) as caught:
        COMPILED.check([GOOD, 3, None])
    assert [(fault.row, fault.field) for fault in caught.value.faults] == [(1, "row"), (2, "row")]


def test_each_bad_row_of_a_table_has_its_reasons() -> None:
    good = {name: value for name, value in GOOD.items() if name not in ("at", "day", "level")}
    rows = [good, {**good, "one": 3, "word": "A"}, {**good, "low": None}]
    frame = pl.DataFrame(rows).with_columns(at=pl.lit(dt.datetime(2013, 1, 31)), day=None, level=None)
    _, faults = CONTRACT.bind(frame.schema).apply(frame)
    assert any_of(faults).to_list() == [False, True, True]
    told = reasons(faults).to_list()
    assert "one: not isin([1, 2, 5]); word: not str_matches('[a-z]+')" in told[0] or "; one: not isin" in told[0]
    assert told[1] == "low: a value is missing"


def test_a_row_may_bring_its_id() -> None:
    assert COMPILED.check([GOOD, {**GOOD, "prediction_id": "mine"}])[1] == [None, "mine"]
    assert not online_accepts({**GOOD, "prediction_id": ""})
