# The template's: `copier update` renews this file.
"""The contract of a row to be scored: a bundle's own contract, narrowed to what is known by then.

It is applied row by row. What pandera asks of a table as a whole (unique values, an average) says
nothing of a row that comes alone, and is left out.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

import polars as pl

from mlops.contract import EXAMPLES, Breach, cast_column, is_another_kind, lost
from mlops.errors import MlopsError
from mlops.project import Dataset

if TYPE_CHECKING:
    from pandera.polars import Check

    from mlops.registry.bundle import Bundle

MISSING = "a value is missing"


@dataclass(frozen=True)
class Fault:
    """One way in which rows break the contract; `mask` says which ones."""

    column: str
    what: str
    mask: pl.Series
    examples: list[Any]


class ColumnError(MlopsError):
    """A table that lacks a column, or has another in its place."""

    def __init__(self, column: str, message: str) -> None:
        super().__init__(message)
        self.column = column


class RowContract:
    """What a bundle's `dataset.py` says of the columns known when scoring, and of the key where it is given."""

    def __init__(self, dataset: Dataset, known: Sequence[str]) -> None:
        self.dataset = dataset
        self.known = [name for name in dataset.schema.columns if name in set(known)]
        self.key = list(dataset.key)

    @classmethod
    def of(cls, bundle: "Bundle") -> "RowContract":
        return cls(bundle.dataset, list(bundle.about["inputs"]))

    @cached_property
    def dtypes(self) -> dict[str, pl.DataType]:
        """The types of all columns that may be given: the key's first, then those known when scoring."""
        return {name: self.dataset.dtypes[name] for name in dict.fromkeys([*self.key, *self.known])}

    def nullable(self, name: str) -> bool:
        return bool(self.dataset.schema.columns[name].nullable)

    def required(self, name: str) -> bool:
        """Whether a row must have the column; the key serves to find a row again, and may be left out."""
        return name in self.known and bool(self.dataset.schema.columns[name].required)

    @cached_property
    def checks(self) -> "list[tuple[str, Check]]":
        """Columns and what their values have to pass, one check at a time."""
        return [
            (name, check)
            for name in self.dtypes
            for check in self.dataset.schema.columns[name].checks
            if not check.raise_warning and self._is_of_rows(name, check)
        ]

    @cached_property
    def wide_checks(self) -> "list[Check]":
        """Checks that compare columns, as far as they make do with those that are there when scoring."""
        return [
            check for check in self.dataset.schema.checks if not check.raise_warning and self._is_of_rows(None, check)
        ]

    def _is_of_rows(self, name: str | None, check: "Check") -> bool:
        """Whether a check answers for each row; found by asking it about two rows without values."""
        nothing = pl.DataFrame({column: [None, None] for column in self.dtypes}, schema=self.dtypes)
        try:
            asked = nothing if name is not None else nothing.select(self.known)
            return len(_answers(check, asked, name)) == 2
        except pl.exceptions.ColumnNotFoundError:
            return False
        except Exception:  # it cannot do without values, so it looks at them
            return True

    def bind(self, found: pl.Schema) -> "Typing":
        """How a table of this schema becomes one of the contract's.

        Raises:
            ColumnError: a column is missing or of another kind.
        """
        if absent := [name for name in self.known if self.required(name) and name not in found]:
            more = f" (and {len(absent) - 1} more)" if len(absent) > 1 else ""
            there = ", ".join(found) or "none"
            raise ColumnError(absent[0], f"the column '{absent[0]}' is missing{more}; there are {there}")
        for name, dtype in self.dtypes.items():
            if name in found and is_another_kind(found[name], dtype):
                raise ColumnError(name, f"the column '{name}' is {found[name]}; the contract says {dtype}")
        return Typing(self, found)

    def faults(self, rows: pl.DataFrame, checks: "Iterable[tuple[str, Check]] | None" = None) -> list[Fault]:
        """How rows of the contract's types break it: missing values, then each check.

        Args:
            rows: Columns as `dtypes` has them; the key's may be absent.
            checks: Only these checks, and neither missing values nor wide checks.
        """
        if rows.is_empty():
            return []
        found = []
        if checks is None:
            for name in rows.columns:
                if not self.nullable(name) and (fault := _fault(rows, name, MISSING, ~_missing(rows[name]))):
                    found.append(fault)
        for name, check in self.checks if checks is None else checks:
            if name in rows.columns and (fault := _ask(check, rows, name)):
                found.append(fault)
        if checks is None:
            found += self.wide_faults(rows)
        return found

    def wide_faults(self, rows: pl.DataFrame) -> list[Fault]:
        """How rows break what the contract says of several columns at once."""
        if not self.wide_checks:
            return []
        known = rows.select(self.known)
        return [fault for check in self.wide_checks if (fault := _ask(check, known, None))]


@dataclass(frozen=True)
class Typing:
    """A table's columns made the contract's, batch by batch."""

    contract: RowContract
    found: pl.Schema

    @cached_property
    def columns(self) -> dict[str, pl.DataType]:
        """The columns of the result: those known when scoring, and what the table has of the key."""
        dtypes = self.contract.dtypes
        return {name: dtypes[name] for name in dtypes if name in self.contract.known or name in self.found}

    @cached_property
    def _typed(self) -> list[pl.Expr]:
        typed = []
        for name, dtype in self.columns.items():
            if name not in self.found:
                typed.append(pl.lit(None, dtype=dtype).alias(name))
            elif self.found[name] != dtype:
                typed.append(cast_column(name, self.found[name], dtype))
            else:
                typed.append(pl.col(name))
        return typed

    @cached_property
    def _lost(self) -> list[pl.Expr]:
        return [
            lost(name, self.found[name], dtype).alias(name)
            for name, dtype in self.columns.items()
            if name in self.found and self.found[name] != dtype
        ]

    def apply(self, batch: pl.DataFrame) -> tuple[pl.DataFrame, list[Fault]]:
        """Rows as the contract types them, and how they break it."""
        typed = batch.select(self._typed) if self.found else pl.DataFrame(schema=self.columns)
        unread = batch.select(self._lost) if self._lost else pl.DataFrame()
        faults = []
        for mask in unread.iter_columns():
            if mask.any():
                what = f"no {self.columns[mask.name]}"
                faults.append(Fault(mask.name, what, mask, _examples(batch[mask.name].filter(mask))))
        for fault in self.contract.faults(typed):
            # What could not be read is null now, which is not a second fault.
            if fault.what == MISSING and fault.column in unread.columns:
                mask = fault.mask & ~unread[fault.column]
                if mask.any():
                    faults.append(Fault(fault.column, fault.what, mask, fault.examples))
            else:
                faults.append(fault)
        return typed, faults


def any_of(faults: list[Fault]) -> pl.Series:
    """Which rows have a fault; there must be one fault at least."""
    mask = faults[0].mask
    for fault in faults[1:]:
        mask = mask | fault.mask
    return mask


def reasons(faults: list[Fault]) -> pl.Series:
    """What is wrong with each row that has a fault, in their order, as text."""
    parts = [
        pl.when(pl.lit(fault.mask)).then(pl.lit(f"{fault.column}: {fault.what}")).otherwise(None) for fault in faults
    ]
    told = pl.select(pl.concat_str(parts, separator="; ", ignore_nulls=True)).to_series()
    return told.filter(any_of(faults))


def count(found: dict[tuple[str, str], Breach], faults: list[Fault]) -> None:
    """Add faults to what earlier batches had."""
    for fault in faults:
        breach = found.setdefault((fault.column, fault.what), Breach(fault.column, fault.what))
        breach.rows += int(fault.mask.sum())
        breach.examples = (breach.examples + fault.examples)[:EXAMPLES]


def _missing(values: pl.Series) -> pl.Series:
    """As pandera has it: NaN in a column of floats is no value either."""
    return values.is_null() | values.is_nan().fill_null(True) if values.dtype.is_float() else values.is_null()


def _answers(check: "Check", rows: pl.DataFrame, name: str | None) -> pl.Series:
    """What a check says, by pandera's own hand: a value a row, or one for all of them."""
    output: pl.LazyFrame = check(rows.lazy(), name).check_output
    return output.collect().to_series()


def _ask(check: "Check", rows: pl.DataFrame, name: str | None) -> Fault | None:
    what = f"not {check.error or check.name or 'as the contract says'}"
    try:
        passed = _answers(check, rows, name)
    except Exception as error:
        raise MlopsError(
            f"the check {what.removeprefix('not ')} of the contract failed: {type(error).__name__}: {error}"
        ) from error
    return _fault(rows, name, what, passed)


def _fault(rows: pl.DataFrame, name: str | None, what: str, passed: pl.Series) -> Fault | None:
    if passed.all():
        return None
    mask = ~passed
    examples = [] if name is None or what == MISSING else _examples(rows[name].filter(mask))
    return Fault(name or "row", what, mask, examples)


def _examples(values: pl.Series) -> list[Any]:
    return values.head(EXAMPLES).to_list()
