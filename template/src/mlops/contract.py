# The template's: `copier update` renews this file.
"""The data contract at work: types made its own, and every breach counted with an example."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

import polars as pl

from mlops.project import Dataset

EXAMPLES = 3
MISTYPED = "wrong type"


def conform(frame: pl.LazyFrame, dataset: Dataset) -> pl.LazyFrame:
    """The contract's columns of a table, in its order, cast to its types where no value is lost.

    A column with values that do not fit stays as it is, for `breaches` to report. Columns that the
    contract does not name are left out; missing ones are reported too, unless they are optional.
    """
    found = frame.collect_schema()
    columns = dataset.schema.columns
    different = {name: dtype for name, dtype in dataset.dtypes.items() if name in found and found[name] != dtype}
    lossless: dict[str, bool] = {}
    if different:
        checks = [_loses(name, found[name], dtype).alias(name) for name, dtype in different.items()]
        lossless = {name: not lost for name, lost in frame.select(checks).collect().row(0, named=True).items()}
    expressions: list[pl.Expr] = []
    for name, dtype in dataset.dtypes.items():
        if name not in found:
            if not columns[name].required:
                expressions.append(pl.lit(None, dtype=dtype).alias(name))
        elif name in different and lossless[name]:
            expressions.append(cast_column(name, found[name], dtype))
        else:
            expressions.append(pl.col(name))
    return frame.select(expressions)


def cast_column(name: str, found: pl.DataType, dtype: pl.DataType) -> pl.Expr:
    """A column as the contract types it; what does not fit becomes null."""
    column = pl.col(name)
    if isinstance(found, pl.String):
        text = column.str.strip_chars()
        column = pl.when(text != "").then(text)  # CSV writes a missing value as nothing
        if isinstance(dtype, pl.Datetime):
            return column.str.to_datetime(time_unit=dtype.time_unit, time_zone=dtype.time_zone, strict=False).alias(
                name
            )
        if isinstance(dtype, pl.Date):
            return column.str.to_date(strict=False).alias(name)
        if isinstance(dtype, pl.Boolean):
            lower = column.str.to_lowercase()
            return (pl.when(lower.is_in(["true", "1"])).then(True).when(lower.is_in(["false", "0"])).then(False)).alias(
                name
            )
    return column.cast(dtype, strict=False).alias(name)


def _loses(name: str, found: pl.DataType, dtype: pl.DataType) -> pl.Expr:
    """Whether a cast would turn any value into null or into another one."""
    if is_another_kind(found, dtype):
        return pl.lit(True)
    return lost(name, found, dtype).any()


def is_another_kind(found: pl.DataType, dtype: pl.DataType) -> bool:
    """Whether a column is another column rather than another spelling: numbers where text or times are due."""
    if found.is_nested() != dtype.is_nested():
        return True
    return found.is_numeric() and (isinstance(dtype, pl.String) or dtype.is_temporal())


def lost(name: str, found: pl.DataType, dtype: pl.DataType) -> pl.Expr:
    """For each row, whether a cast would turn its value into null or into another one."""
    cast = cast_column(name, found, dtype)
    present = pl.col(name).is_not_null()
    if isinstance(found, pl.String):
        present &= pl.col(name).str.strip_chars() != ""
        if isinstance(dtype, pl.String | pl.Categorical | pl.Enum):
            present = pl.col(name).is_not_null()
    changed = cast.is_null()
    if found.is_float() and dtype.is_integer():
        changed |= pl.col(name) != cast.cast(found)
    if found.is_float() and dtype.is_float():
        changed |= cast.is_infinite() & pl.col(name).is_finite()
    return present & changed


@dataclass
class Breach:
    """One way in which data break the contract."""

    column: str
    what: str
    rows: int = 0
    examples: list[Any] = field(default_factory=list)

    def __str__(self) -> str:
        shown = ", ".join(str(example) for example in self.examples)
        count = f"{self.rows:,} row{'s' if self.rows != 1 else ''}" if self.rows else ""
        tail = f"{count}, such as {shown}" if count and shown else count
        return f"{self.column}: {self.what}" + (f" ({tail})" if tail else "")


def breaches(batches: Iterable[pl.DataFrame], dataset: Dataset) -> tuple[int, list[Breach]]:
    """Check tables against the contract, one after the other.

    Returns:
        The number of rows, and the breaches in the order of their rows, most first.
    """
    from pandera.errors import SchemaErrors

    rows, found = 0, dict[tuple[str, str], Breach]()
    for batch in batches:
        rows += len(batch)
        try:
            dataset.schema.validate(batch, lazy=True)
        except SchemaErrors as errors:
            cases = errors.failure_cases.rows(named=True)
            for case in cases:
                _record(found, case, batch, dataset)
    # What is possible cannot be asked of values of another type: those answers mean nothing.
    mistyped = {column for column, what in found if what.startswith(MISTYPED)}
    told = [each for (column, what), each in found.items() if column not in mistyped or what.startswith(MISTYPED)]
    return rows, sorted(told, key=lambda breach: -breach.rows)


def _record(
    found: dict[tuple[str, str], Breach],
    case: dict[str, Any],
    batch: pl.DataFrame,
    dataset: Dataset,
) -> None:
    check = str(case["check"])
    column = str(case["column"] or case["failure_case"])
    if check == "column_in_dataframe":
        column, what = str(case["failure_case"]), "the column is missing"
    elif check.startswith("dtype("):
        what = f"{MISTYPED}: {batch[column].dtype} instead of {dataset.dtypes[column]}"
    elif check == "not_nullable":
        what = "a value is missing"
    else:
        what = f"impossible value, not {check}"
    breach = found.setdefault((column, what), Breach(column, what))
    if check == "column_in_dataframe":
        breach.rows += len(batch)
        return
    if what.startswith(MISTYPED):
        unfit = _unfit(batch, column, dataset.dtypes[column])
        breach.rows += len(unfit)
        breach.examples += unfit.head(EXAMPLES - len(breach.examples)).to_list()
        return
    breach.rows += 1
    if len(breach.examples) < EXAMPLES and what != "a value is missing":
        breach.examples.append(case["failure_case"])


def _unfit(batch: pl.DataFrame, column: str, dtype: pl.DataType) -> pl.Series:
    """The values of a column for whose sake it was not cast to its type."""
    found = batch.schema[column]
    if is_another_kind(found, dtype):
        return batch[column]
    return batch.filter(lost(column, found, dtype))[column]


def duplicate_keys(frame: pl.LazyFrame, key: list[str]) -> Breach | None:
    """Rows that share their key with another row; memory is 16 bytes a row, whatever the key."""
    hashes = frame.select(pl.struct(key).hash()).collect().to_series().sort()
    repeated = hashes.filter(hashes == hashes.shift(1)).unique()
    if repeated.is_empty():
        return None
    # Different keys may share a hash, so the few candidates are compared as they are.
    candidates = frame.select(key).filter(pl.struct(key).hash().is_in(repeated.implode())).collect()
    twice = candidates.filter(candidates.is_duplicated())
    if twice.is_empty():
        return None
    examples = [f"({', '.join(map(str, row))})" for row in twice.unique(maintain_order=True).head(EXAMPLES).rows()]
    return Breach(f"key ({', '.join(key)})", "not unique", len(twice), examples)
