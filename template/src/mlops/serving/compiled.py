# The template's: `copier update` renews this file.
"""The contract of a row compiled to pydantic, which checks a request in microseconds.

A check that pydantic has no word for goes on being pandera's, asked after the others have passed.
"""

import datetime as dt
import math
import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, Any, NotRequired
from zoneinfo import ZoneInfo

import numpy as np
import polars as pl
from pydantic import (
    AfterValidator,
    BeforeValidator,
    ConfigDict,
    Field,
    Strict,
    TypeAdapter,
    ValidationError,
    WithJsonSchema,
)
from pydantic_core import PydanticCustomError, SchemaError
from typing_extensions import TypedDict  # pydantic takes typing's own from Python 3.12 on

from mlops.registry.bundle import named_dtype

if TYPE_CHECKING:
    from pandera.polars import Check

    from mlops.registry.bundle import Bundle
    from mlops.serving.rows import RowContract

ID_FIELD = "prediction_id"
FAULTS = 20
"""So many faults of a request are told; the count tells the rest."""
MOMENT = re.compile(r"\d{4}-\d\d-\d\d(?:[T ]\d\d:\d\d(?::\d\d(?:\.\d{1,9})?)?)?", re.ASCII)
ZONE = re.compile(r"Z|[+-]\d\d:\d\d", re.ASCII)


@dataclass(frozen=True)
class FieldFault:
    """What is wrong with one field of one row of a request."""

    row: int
    field: str
    message: str


class RefusedError(Exception):
    """A request whose rows break the contract."""

    def __init__(self, faults: list[FieldFault], count: int) -> None:
        super().__init__(f"{count} faults")
        self.faults = faults
        self.count = count


class CompiledContract:
    """A contract that checks rows as they come in a request: JSON objects, already parsed.

    It is made of a description, which bundles carry: pandera is not imported where nothing is left to it.
    """

    def __init__(self, description: dict[str, Any], contract: "RowContract | None" = None) -> None:
        self.contract = contract
        columns = {column["name"]: column for column in description["columns"]}
        self.dtypes = {name: named_dtype(column["dtype"]) for name, column in columns.items()}
        self.known = [name for name, column in columns.items() if column["known"]]
        self.left: list[tuple[str, Check]] = []
        """Checks that are left to pandera."""
        if contract is not None:
            kept = {name: set(column["left"]) for name, column in columns.items()}
            self.left = [
                (name, check)
                for name, checks in _by_column(contract).items()
                for at, check in enumerate(checks)
                if at in kept[name]
            ]
        fields: dict[str, Any] = {}
        for name, column in columns.items():
            field = _field(self.dtypes[name], column)
            field = field | None if column["nullable"] else field
            fields[name] = field if column["required"] else NotRequired[field]
        fields[ID_FIELD] = NotRequired[Annotated[str, Field(min_length=1, max_length=200)]]
        row = TypedDict("Row", fields)  # type: ignore[misc]
        row.__pydantic_config__ = ConfigDict(extra="ignore", allow_inf_nan=False, title="Row")  # type: ignore[attr-defined]
        self.adapter: TypeAdapter[list[dict[str, Any]]] = TypeAdapter(list[row])  # type: ignore[arg-type]

    @classmethod
    def of(cls, bundle: "Bundle") -> "CompiledContract":
        """The contract that a bundle carries, described anew where that leaves something to pandera."""
        description = bundle.about.get("contract")
        if description and description["complete"]:
            return cls(description)
        from mlops.serving.rows import RowContract

        contract = RowContract.of(bundle)
        return cls(describe(contract), contract)

    def check(self, rows: Any) -> tuple[pl.DataFrame, list[str | None]]:
        """A table of the contract's types, and the ids that rows brought along.

        Raises:
            RefusedError: a row breaks the contract.
        """
        try:
            checked = self._validated(rows)
        except ValidationError as error:
            raise _refusal(error) from None
        present = set().union(*checked) if checked else set(self.dtypes)
        ids: list[str | None] = [None] * len(checked)
        if ID_FIELD in present:
            ids = [row.get(ID_FIELD) for row in checked]
        schema = {name: dtype for name, dtype in self.dtypes.items() if name in present or name in self.known}
        table = _table(checked, schema)
        if self.contract is not None:
            faults = self.contract.faults(table, self.left) if self.left else []
            faults += self.contract.wide_faults(table)
            if faults:
                raise refusal_of(faults)
        return table, ids

    def _validated(self, rows: Any) -> list[dict[str, Any]]:
        try:
            return self.adapter.validate_python(rows)
        except ValidationError:
            # As in a table: around what is no text, blanks mean nothing, and nothing but blanks is a missing value.
            trimmed = [self._trimmed(row) for row in rows]
            if trimmed == rows:
                raise
        return self.adapter.validate_python(trimmed)

    def _trimmed(self, row: Any) -> Any:
        if not isinstance(row, dict):
            return row
        trimmed = dict(row)
        for name, dtype in self.dtypes.items():
            value = row.get(name)
            if isinstance(value, str) and not isinstance(dtype, pl.String):
                text = value.strip()
                trimmed[name] = text if text or isinstance(dtype, pl.Enum | pl.Categorical) else None
        return trimmed

    def json_schema(self) -> dict[str, Any]:
        """The JSON schema of a row, for the OpenAPI page."""
        schema = self.adapter.json_schema(ref_template="#/components/schemas/{model}")
        return schema.get("$defs", {}).get("Row") or schema["items"]  # type: ignore[no-any-return]


def refusal_of(faults: list[Any]) -> RefusedError:
    """Faults as `RowContract` finds them, row by row."""
    found = [
        FieldFault(int(at), fault.column, fault.what) for fault in faults for at in fault.mask.arg_true().head(FAULTS)
    ]
    return RefusedError(
        sorted(found, key=lambda each: each.row)[:FAULTS], sum(int(fault.mask.sum()) for fault in faults)
    )


def _refusal(error: ValidationError) -> RefusedError:
    found = [
        FieldFault(
            each["loc"][0] if each["loc"] and isinstance(each["loc"][0], int) else 0,
            ".".join(str(part) for part in each["loc"][1:2]) or "row",
            each["msg"],
        )
        for each in error.errors(include_url=False, include_context=False, include_input=False)[:FAULTS]
    ]
    return RefusedError(found, error.error_count())


def _table(rows: list[dict[str, Any]], schema: dict[str, pl.DataType]) -> pl.DataFrame:
    try:
        return pl.DataFrame(rows, schema=schema, orient="row")
    except Exception as error:  # a type that is built of others may hold anything until now
        raise RefusedError([FieldFault(0, "row", f"does not fit the contract: {error}")], 1) from error


def describe(contract: "RowContract") -> dict[str, Any]:
    """A contract in JSON: each column with what pydantic can check, and the places of checks that it cannot."""
    by_column = _by_column(contract)
    columns = [
        {
            "name": name,
            "dtype": str(dtype),
            "known": name in contract.known,
            "nullable": contract.nullable(name),
            "required": contract.required(name),
            **_described(dtype, by_column[name]),
        }
        for name, dtype in contract.dtypes.items()
    ]
    complete = not contract.wide_checks and not any(column["left"] for column in columns)
    return {"columns": columns, "complete": complete}


def _by_column(contract: "RowContract") -> "dict[str, list[Check]]":
    return {name: [check for of, check in contract.checks if of == name] for name in contract.dtypes}


def _described(dtype: pl.DataType, checks: "list[Check]") -> dict[str, Any]:
    constraints: dict[str, Any] = {}
    shown: dict[str, Any] = {}
    allowed: list[list[Any]] = []
    left: list[int] = []
    for at, check in enumerate(checks):
        compiled = _compile(check, dtype)
        if compiled is None or set(compiled) & set(constraints):
            left.append(at)
        else:
            allowed += [compiled.pop("allowed")] if "allowed" in compiled else []
            shown |= compiled.pop("shown", {})
            constraints |= compiled
    found = {"constraints": constraints, "shown": shown, "allowed": allowed, "left": left}
    try:
        TypeAdapter(_field(dtype, found))
    except SchemaError:  # a pattern that only polars' engine takes, say
        return {"constraints": {}, "shown": {}, "allowed": [], "left": list(range(len(checks)))}
    return found


def _field(dtype: pl.DataType, column: dict[str, Any]) -> Any:
    """The type of a column's values in a request."""
    kind, metadata, limits = _base(dtype)
    constraints = dict(column["constraints"])
    for name, limit in limits.items():
        tighter = max if name in ("ge", "gt") else min
        constraints[name] = tighter(limit, constraints.get(name, limit))
    if isinstance(dtype, pl.Float32):
        metadata = [*metadata, WithJsonSchema({"type": "number", **column["shown"]})]
    bounds = [Field(**constraints)] if constraints else []
    return _annotated(kind, [*bounds, *metadata, *map(_membership, column["allowed"])])


def _annotated(kind: Any, metadata: list[Any]) -> Any:
    return Annotated[(kind, *metadata)] if metadata else kind


def _base(dtype: pl.DataType) -> tuple[Any, list[Any], dict[str, Any]]:
    """The Python type of a column's values, how they are read from JSON, and the limits of the column's type."""
    kind: Any = Any
    metadata: list[Any] = [Strict()]
    limits: dict[str, Any] = {}
    if dtype.is_integer():
        lowest, highest = _integer_range(dtype)
        kind, metadata, limits = int, [Strict(), BeforeValidator(_integer)], {"ge": lowest, "le": highest}
    elif isinstance(dtype, pl.Float32):
        widest = _widest_float32()
        kind, limits = float, {"gt": -widest, "lt": widest}
    elif dtype.is_float():
        kind = float
    elif isinstance(dtype, pl.Boolean):
        kind = bool
    elif isinstance(dtype, pl.Enum):
        kind, metadata = str, [Strict(), _membership(dtype.categories.to_list())]
    elif isinstance(dtype, pl.String | pl.Categorical):
        kind = str
    elif isinstance(dtype, pl.Datetime):
        kind, metadata = dt.datetime, [BeforeValidator(_moment(dtype.time_zone))]
    elif isinstance(dtype, pl.Date):
        kind, metadata = dt.date, [BeforeValidator(_day)]
    else:
        others = {pl.Time: dt.time, pl.Duration: dt.timedelta}
        kind, metadata = others.get(type(dtype), Any), []
    return kind, metadata, limits


def _integer_range(dtype: pl.DataType) -> tuple[int, int]:
    lowest, highest = pl.select(low=dtype.min(), high=dtype.max()).row(0)  # type: ignore[attr-defined]
    return int(lowest), int(highest)


def _integer(value: Any) -> Any:
    """1400.0 is 1400, as in a table whose integers came by way of floats."""
    return int(value) if type(value) is float and value.is_integer() else value


def _moment(zone: str | None) -> Callable[[Any], Any]:
    local = ZoneInfo(zone) if zone else None

    def moment(value: Any) -> Any:
        date = MOMENT.match(value) if isinstance(value, str) else None
        end = date.end() if date else 0
        if date is None or (end < len(value) and not (local and ZONE.fullmatch(value, end))):
            form = "2013-01-31T17:45:00" + ("Z" if local else "")
            raise PydanticCustomError("moment", "Input should be a time in the form {form}", {"form": form})
        try:
            found = dt.datetime.fromisoformat(value)
        except ValueError as error:
            raise PydanticCustomError("moment", "Input is no time: {why}", {"why": str(error)}) from None
        return found.replace(tzinfo=local) if found.tzinfo is None else found

    return moment


def _day(value: Any) -> Any:
    if not isinstance(value, str) or len(value) != 10 or MOMENT.fullmatch(value) is None:
        raise PydanticCustomError("day", "Input should be a date in the form 2013-01-31")
    try:
        return dt.date.fromisoformat(value)
    except ValueError as error:
        raise PydanticCustomError("day", "Input is no date: {why}", {"why": str(error)}) from None


def _membership(allowed: Any) -> AfterValidator:
    values = frozenset(allowed)
    shown = ", ".join(repr(value) for value in list(allowed)[:10]) + (", ..." if len(values) > 10 else "")

    def member(value: Any) -> Any:
        if value not in values:
            raise PydanticCustomError("enum", "Input should be one of {allowed}", {"allowed": shown})
        return value

    return AfterValidator(member)


_BOUNDS = {
    "greater_than": ("gt", "min_value"),
    "greater_than_or_equal_to": ("ge", "min_value"),
    "less_than": ("lt", "max_value"),
    "less_than_or_equal_to": ("le", "max_value"),
}


def _compile(check: "Check", dtype: pl.DataType) -> dict[str, Any] | None:
    """A built-in check in pydantic's words; None where it has none, or where they might mean something else."""
    if check.element_wise or not check.ignore_na or not getattr(check, "determined_by_unique", True):
        return None
    facts = {**(check.statistics or {}), **check._check_kwargs}
    if dtype.is_numeric() and not dtype.is_decimal():
        return _numeric(check.name or "", facts, dtype)
    if isinstance(dtype, pl.String):
        return _textual(check.name or "", facts)
    return None


def _numeric(name: str, facts: dict[str, Any], dtype: pl.DataType) -> dict[str, Any] | None:
    if name in _BOUNDS:
        bound, fact = _BOUNDS[name]
        return _bound(bound, facts[fact], dtype)
    if name == "in_range":
        lower = _bound("ge" if facts.get("include_min", True) else "gt", facts["min_value"], dtype)
        upper = _bound("le" if facts.get("include_max", True) else "lt", facts["max_value"], dtype)
        return None if lower is None or upper is None else {**lower, **upper}
    if name == "isin" and dtype.is_integer():
        return _among(facts["allowed_values"], int)
    return None


def _textual(name: str, facts: dict[str, Any]) -> dict[str, Any] | None:
    if name == "str_length":
        exact = facts.get("exact_value")
        bounds = {
            "min_length": exact if exact is not None else facts.get("min_value"),
            "max_length": exact if exact is not None else facts.get("max_value"),
        }
        return {key: value for key, value in bounds.items() if value is not None}
    if name in ("str_matches", "str_contains"):
        pattern = facts["pattern"]
        if not isinstance(pattern, str):
            return None  # pandera drops the flags of a compiled pattern
        return {"pattern": pattern if name == "str_contains" or pattern.startswith("^") else f"^{pattern}"}
    if name == "str_startswith":
        return {"pattern": f"^{_escaped(facts['string'])}"}
    if name == "isin":
        return _among(facts["allowed_values"], str)
    return None


def _escaped(text: str) -> str:
    """Text as a regular expression of Rust's, which knows fewer escapes than Python's."""
    return re.sub(r"[\\.+*?()|\[\]{}^$#&~-]", lambda found: "\\" + found.group(), text)


def _among(allowed: Any, kind: type) -> dict[str, Any] | None:
    values = list(allowed)
    return {"allowed": values} if all(type(value) is kind for value in values) else None


def _bound(name: str, value: Any, dtype: pl.DataType) -> dict[str, Any] | None:
    if type(value) not in (int, float) or not math.isfinite(value):
        return None
    if not isinstance(dtype, pl.Float32):
        exact = dtype.is_float() or type(value) is int or float(value).is_integer()
        return {name: value if dtype.is_float() else int(value)} if exact else None
    return _bound_of_float32(name, value)


def _bound_of_float32(name: str, value: float) -> dict[str, Any] | None:
    """The bound on the float64 that comes in which is `value` on the float32 that it is rounded to.

    It lies half way between two neighbours of float32; which side a number there falls to is the even one's.
    """
    with np.errstate(over="ignore"):
        near = np.float32(value)
    if not np.isfinite(near):
        return None
    upper = name in ("le", "lt")
    # The outermost float32 that passes, and its neighbour that does not.
    inner = near if name in ("le", "ge") else np.nextafter(near, np.float32(-np.inf if upper else np.inf))
    outer = np.nextafter(inner, np.float32(np.inf if upper else -np.inf))
    if not (np.isfinite(inner) and np.isfinite(outer)):
        return None
    middle = (float(inner) + float(outer)) / 2
    passes = np.float32(middle) == inner
    # The OpenAPI page shows the bound as a person would write it.
    shown = {"maximum" if upper else "minimum": float(str(inner))}
    return {("le" if passes else "lt") if upper else ("ge" if passes else "gt"): middle, "shown": shown}


def _widest_float32() -> float:
    """The least float64 that is infinite as a float32."""
    return float(np.finfo(np.float32).max) + 2.0**103
