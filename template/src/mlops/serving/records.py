# The template's: `copier update` renews this file.
"""The record of a prediction: one schema for what `mlops score` writes and `mlops serve` logs.

prediction_id        names the prediction, for its label to be found later
predicted_at         when, in UTC
model_name, model_version, environment
the key              as far as it was given
the columns known when scoring, as the contract types them
prediction           and, in a classification, probability_<class> for each class
"""

from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import uuid4

import numpy as np
import polars as pl

from mlops.errors import UsageError
from mlops.registry.bundle import as_predictions

ID = "prediction_id"
HEAD = {
    ID: pl.String(),
    "predicted_at": pl.Datetime("us", "UTC"),
    "model_name": pl.String(),
    "model_version": pl.String(),
    "environment": pl.String(),
}
PREDICTION = "prediction"


@dataclass(frozen=True)
class Identity:
    """Whose prediction it is."""

    name: str
    version: str
    environment: str


def record_schema(columns: dict[str, pl.DataType], classes: list[Any] | None) -> dict[str, pl.DataType]:
    """Names and types of a record, given the columns of the row and the classes, None in a regression.

    Raises:
        UsageError: a column of the contract has a name that records use.
    """
    tail = as_predictions(np.zeros((0, len(classes)) if classes else 0), classes).schema
    if taken := [name for name in columns if name in HEAD or name in tail]:
        raise UsageError(
            f"the contract's column '{taken[0]}' has a name that prediction records use; name it otherwise"
        )
    return {**HEAD, **columns, **tail}


def records(
    rows: pl.DataFrame, predictions: pl.DataFrame, ids: pl.Series, at: datetime, identity: Identity
) -> pl.DataFrame:
    """Rows and what was predicted of them as records.

    Args:
        rows: The key as far as it was given and the columns known when scoring.
        predictions: What `Bundle.predict` says of them.
        ids: The prediction ids.
        at: When, with a time zone.
        identity: The model and the environment.
    """
    return rows.select(
        ids.alias(ID),
        pl.lit(at).cast(HEAD["predicted_at"]).alias("predicted_at"),
        pl.lit(identity.name).alias("model_name"),
        pl.lit(identity.version).alias("model_version"),
        pl.lit(identity.environment).alias("environment"),
        *rows.iter_columns(),
        *predictions.iter_columns(),
    )


def ids_from_key(rows: pl.DataFrame, key: list[str], first: int, run: str) -> pl.Series:
    """Ids of rows in batch: the values of their key, so that the same row has the same id on every day.

    Args:
        rows: At least the columns of the key that were given.
        key: The contract's key; where a column of it is absent, ids are `<run>-<number>` instead.
        first: The number of the first row.
        run: What tells this run from others.
    """
    if not key or not set(key) <= set(rows.columns):
        numbers = pl.int_range(first, first + len(rows), eager=True)
        return pl.select(pl.format("{}-{}", pl.lit(run), numbers)).to_series()
    return rows.select(pl.concat_str([_as_text(rows[name]) for name in key], separator="|").alias(ID)).to_series()


def _as_text(values: pl.Series) -> pl.Expr:
    """Unambiguous text between bars: nothing of a value is lost, and no bar in it is taken for one."""
    column = pl.col(values.name)
    if isinstance(values.dtype, pl.Datetime | pl.Date | pl.Time):
        text = column.dt.to_string("iso:strict")
    else:
        text = column.cast(pl.String)
        if not values.dtype.is_numeric():
            text = text.str.replace_all("\\", "\\\\", literal=True).str.replace_all("|", "\\|", literal=True)
    return text.fill_null("\\N")


def new_id() -> str:
    return str(uuid4())
