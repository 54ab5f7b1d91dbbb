# The template's: `copier update` renews this file.
"""Stage `split`: the rows that have a label, as a training and a test set."""

from typing import TYPE_CHECKING, Any

import polars as pl

from mlops.errors import MlopsError, UsageError
from mlops.files import sink
from mlops.params import Params
from mlops.pipeline.paths import RAW, TEST, TRAIN
from mlops.project import Dataset, Project

if TYPE_CHECKING:
    import numpy as np

ROW = "__row__"


def run(project: Project, params: Params) -> None:
    """Write `data/train.parquet` and `data/test.parquet`, in the order of the source."""
    dataset = project.dataset
    labelled = (
        pl.scan_parquet(RAW)
        .with_columns(dataset.target)
        .filter(pl.col(dataset.label).is_not_null())
        .select(*dataset.kept, dataset.label)
    )
    if not labelled.head(1).select(pl.len()).collect().item():
        raise MlopsError(
            f"no row has a label: '{dataset.label}' is missing in all of them; mend the data, or target in "
            f"src/{project.package}/dataset.py"
        )
    held_out = _held_out(labelled, dataset, params)
    rows = labelled.with_row_index(ROW)
    # A row without a time or a group tells nothing of later ones or of other groups: it is for training.
    parts = {TRAIN: rows.filter(~held_out.fill_null(False)), TEST: rows.filter(held_out.fill_null(False))}
    for path, part in parts.items():
        if not part.head(1).select(pl.len()).collect().item():
            raise MlopsError(
                f"split.by '{_kind(dataset, params)}' with split.test {params.split.test} leaves no row for "
                f"{path}; change split in params.yaml"
            )
    for path, part in parts.items():
        sink(part.drop(ROW), path)


def _kind(dataset: Dataset, params: Params) -> str:
    if params.split.by == "auto":
        return "time" if dataset.time else "random"
    return params.split.by


def _held_out(labelled: pl.LazyFrame, dataset: Dataset, params: Params) -> pl.Expr:
    """An expression that is true for the rows of the test set."""
    import numpy as np

    by, share = _kind(dataset, params), params.split.test
    generator = np.random.default_rng(params.seed)
    if by == "time":
        if dataset.time is None:
            raise UsageError("params.yaml: split.by is 'time', but DATASET in dataset.py has no time")
        times = labelled.select(dataset.time).collect().to_series().sort()
        # Rows of one moment stay together, so the cut is a moment and not a row.
        cut = times[min(int(len(times) * (1 - share)), len(times) - 1)]
        return pl.col(dataset.time) >= pl.lit(cut)
    if by == "group":
        if dataset.group is None:
            raise UsageError("params.yaml: split.by is 'group', but DATASET in dataset.py has no group")
        groups = labelled.select(dataset.group).unique().collect().to_series().sort()
        chosen = generator.permutation(len(groups))[: max(1, round(len(groups) * share))]
        return pl.col(dataset.group).is_in(groups.gather(chosen).implode())
    if by == "stratified":
        labels = labelled.select(dataset.label).collect().to_series()
        if params.task == "regression":
            raise UsageError("params.yaml: split.by is 'stratified', which needs classes; choose 'random'")
        codes = labels.rank("dense").to_numpy()
        parts = [_draw(generator, np.flatnonzero(codes == code), share) for code in np.unique(codes)]
        return _is_row(np.concatenate(parts))
    rows = labelled.select(pl.len()).collect().item()
    return _is_row(_draw(generator, np.arange(rows), share))


def _draw(generator: "np.random.Generator", rows: Any, share: float) -> Any:
    return generator.permutation(rows)[: round(len(rows) * share)]


def _is_row(rows: Any) -> pl.Expr:
    return pl.col(ROW).is_in(pl.Series(rows, dtype=pl.UInt32).sort().implode())
