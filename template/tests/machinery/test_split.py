# The template's: `copier update` renews this file.
"""The ways to split: what is together, what is apart, and that a seed draws the same rows again."""

from pathlib import Path
from typing import Any

import pandera.polars as pa
import polars as pl
import pytest

from mlops.errors import MlopsError, UsageError
from mlops.params import Params, Split
from mlops.pipeline import split
from mlops.project import Dataset

SCHEMA = pa.DataFrameSchema(
    {
        "id": pa.Column(pl.Int64),
        "day": pa.Column(pl.Int64, nullable=True),
        "who": pa.Column(pl.String),
        "label": pa.Column(pl.String, nullable=True),
    }
)
ROWS = pl.DataFrame(
    {
        "id": range(200),
        "day": [None if at == 0 else at // 7 for at in range(200)],
        "who": [f"w{at % 10}" for at in range(200)],
        "label": [None if at % 20 == 19 else "rare" if at % 10 == 0 else "common" for at in range(200)],
    }
)


class Made:
    """As much of a project as the stage asks for."""

    package = "made"

    def __init__(self, **declared: Any) -> None:
        self.dataset = Dataset(
            contract=SCHEMA, key=["id"], target=pl.col("label").alias("y"), known_when_scoring=["who"], **declared
        )


def parts(
    by: Any, *, test: float = 0.2, seed: int = 1, task: Any = "classification", **declared: Any
) -> list[pl.DataFrame]:
    Path("data").mkdir(exist_ok=True)
    ROWS.write_parquet("data/raw.parquet")
    project: Any = Made(**declared)
    split.run(project, Params(task=task, seed=seed, split=Split(by=by, test=test)))
    return [pl.read_parquet(f"data/{name}.parquet") for name in ("train", "test")]


def test_rows_with_a_label_are_in_one_of_the_parts_and_in_order() -> None:
    train, test = parts("random")
    assert sorted([*train["id"], *test["id"]]) == ROWS.filter(pl.col("label").is_not_null())["id"].to_list()
    assert train["id"].is_sorted()
    assert len(test) == 38
    assert train.columns == ["id", "who", "y"]


def test_by_time_the_latest_are_held_out_and_a_moment_is_not_cut() -> None:
    train, test = parts("time", time="day")
    assert train["day"].drop_nulls().max() < test["day"].min()  # type: ignore[operator]
    assert 0 in train["id"], "a row without a time is for training"
    auto = parts("auto", time="day")
    assert [part["id"].to_list() for part in auto] == [part["id"].to_list() for part in (train, test)]


def test_by_group_no_group_is_on_both_sides() -> None:
    train, test = parts("group", group="who")
    assert not set(train["who"]) & set(test["who"])
    assert test["who"].n_unique() == 2


def test_stratified_the_shares_of_classes_are_kept() -> None:
    train, test = parts("stratified")
    share = [(part["y"] == "rare").mean() for part in (train, test)]
    assert share == [pytest.approx(20 / 190, abs=0.01)] * 2


@pytest.mark.parametrize("by", ["random", "stratified", "group"])
def test_a_seed_draws_the_same_rows_again_and_another_seed_others(by: str) -> None:
    drawn = [parts(by, seed=seed, group="who")[1]["id"].to_list() for seed in (1, 1, 2)]
    assert drawn[0] == drawn[1] != drawn[2]


@pytest.mark.parametrize(
    ("by", "task", "said"),
    [
        ("time", "classification", "no time"),
        ("group", "classification", "no group"),
        ("stratified", "regression", "classes"),
    ],
)
def test_a_way_that_the_data_do_not_allow_is_refused(by: str, task: str, said: str) -> None:
    with pytest.raises(UsageError, match=said):
        parts(by, task=task)


def test_a_part_without_rows_is_refused_and_nothing_written() -> None:
    with pytest.raises(MlopsError, match="no row"):
        parts("random", test=0.001)
    assert [path.name for path in Path("data").iterdir()] == ["raw.parquet"]
