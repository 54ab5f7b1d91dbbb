# The template's: `copier update` renews this file.
"""Stage `ingest`: the source's rows, with the contract's columns and types, as one Parquet file."""

from datetime import timedelta

import polars as pl

from mlops.contract import conform
from mlops.errors import MlopsError, UsageError
from mlops.files import sink
from mlops.params import Data, Moment, Params
from mlops.pipeline.paths import RAW
from mlops.project import Dataset, Project
from mlops.source import open_source, scan_source


def run(project: Project, params: Params) -> None:
    """Stream `data.source` into `data/raw.parquet`; memory does not grow with the rows."""
    from polars.exceptions import PolarsError

    source = open_source(params.data.source)
    try:
        with scan_source(source) as frame:
            sink(in_window(conform(frame, project.dataset), project.dataset, params.data), RAW)
    except PolarsError as error:
        raise MlopsError(
            f"data.source '{source.location}' is not readable {source.format}: {str(error).splitlines()[0]}"
        ) from error


def in_window(frame: pl.LazyFrame, dataset: Dataset, window: Data) -> pl.LazyFrame:
    """The rows of the window that `data` in params.yaml sets, by the data set's time; without one, all.

    Raises:
        UsageError: there is a window, but no time to go by, or it is empty.
    """
    if (window.since, window.until, window.window_days) == (None, None, None):
        return frame
    name = dataset.time
    if name is None or not dataset.dtypes[name].is_temporal():
        raise UsageError("params.yaml: data has a window, but DATASET in dataset.py has no time that is a date")
    since, until = window.since, window.until
    if until is not None:
        frame = frame.filter(pl.col(name) < moment(until, dataset.dtypes[name]))
    first, last = frame.select(pl.col(name).min(), pl.col(name).max().alias("last")).collect(engine="streaming").row(0)
    if window.window_days is not None and last is not None:
        if until is None:
            frame = frame.filter(pl.col(name) > last - timedelta(days=window.window_days))
        else:
            since = until - timedelta(days=window.window_days)
    if since is not None:
        frame = frame.filter(pl.col(name) >= moment(since, dataset.dtypes[name]))
    if last is None or (since is not None and frame.select(pl.len()).collect(engine="streaming").item() == 0):
        before = f" before {until}" if until else ""
        raise UsageError(
            f"params.yaml: the window of data ({'from ' + str(since) if since else 'all'}{before}) has no row; "
            + (f"the rows before its end go from {first} to {last}" if last is not None else "all rows are later")
        )
    return frame


def moment(value: Moment, dtype: pl.DataType) -> pl.Expr:
    """A moment as a column of this type has it; one without a time zone is in the column's."""
    literal = pl.lit(value.replace(tzinfo=None), dtype=pl.Datetime("us"))
    if isinstance(dtype, pl.Datetime):
        zone = dtype.time_zone
        if value.tzinfo is not None:
            return pl.lit(value).dt.convert_time_zone(zone or "UTC").dt.replace_time_zone(zone).cast(dtype)
        return (literal.dt.replace_time_zone(zone) if zone else literal).cast(dtype)
    return literal.cast(dtype)
