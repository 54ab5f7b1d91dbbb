"""Labels of any type, two classes or more, and each way to split, through to a registered model."""

import pytest

LABELS = {
    "text": 'pl.when(pl.col("arr_delay") > 15).then(pl.lit("late")).otherwise(pl.lit("on time"))',
    "whole number": '(pl.col("arr_delay") > 15).cast(pl.Int8) + 3',
    "three of text": (
        'pl.when(pl.col("arr_delay") > 15).then(pl.lit("late"))'
        '.when(pl.col("arr_delay") < -10).then(pl.lit("early")).otherwise(pl.lit("on time"))'
    ),
    "three numbers": 'pl.col("arr_delay").sign().cast(pl.Int32)',
    "enum": '(pl.when(pl.col("arr_delay") > 15).then(pl.lit("late")).otherwise(pl.lit("fine"))'
    '.cast(pl.Enum(["fine", "late"])))',
}
LOOK = """
import json, sys
from pathlib import Path
import polars as pl
from mlops.registry.bundle import load_bundle
bundle = load_bundle(Path("models/bundle"))
found = bundle.predict(pl.read_parquet("data/test.parquet").head(50))
sums = found.select(pl.sum_horizontal(pl.selectors.starts_with("probability_"))).to_series()
print(json.dumps([bundle.classes, found.columns, sorted(set(found["prediction"].to_list())), sums.min(), sums.max()]))
"""
PARTS = """
import json, polars as pl
parts = [pl.read_parquet(f"data/{name}.parquet") for name in ("train", "test")]
print(json.dumps([
    {
        "rows": len(part),
        "first": str(part["scheduled_departure"].min()),
        "last": str(part["scheduled_departure"].max()),
        "origins": sorted(part["origin"].unique()),
        "late": part["late"].mean(),
        "key": part.select("scheduled_departure", "carrier", "flight").n_unique(),
    }
    for part in parts
]))
"""


@pytest.mark.parametrize(
    ("kind", "classes"),
    [
        ("text", ["late", "on time"]),
        ("whole number", [3, 4]),
        ("three of text", ["early", "late", "on time"]),
        ("three numbers", [-1, 0, 1]),
        ("enum", ["fine", "late"]),
    ],
)
def test_labels_of_any_type_and_number_make_a_model(small, kind, classes):
    project = small()
    label = f'pl.when(pl.col("arr_delay").is_not_null()).then({LABELS[kind]})'
    project.edit("PACKAGE/dataset.py", '(pl.col("arr_delay") > 15).alias("late")', f'({label}).alias("late")')
    (project.path / "src/flight_delays/metrics.py").write_text(
        '"""None beside the standard ones."""\n\nfrom mlops.project import Metric\n\nMETRICS: dict[str, Metric] = {}\n',
        encoding="utf-8",
    )
    if kind == "three of text":
        project.set({"gate.minimum": 0.52})
        project.mlops("run")
        assert project.champion == "1"
    else:
        project.mlops("run", "evaluate")
    labels, columns, predicted, least, most = project.script(LOOK)
    assert labels == classes
    assert columns == ["prediction", *(f"probability_{name}" for name in classes)]
    assert set(predicted) <= set(classes)
    assert (least, most) == (pytest.approx(1), pytest.approx(1))


def test_declared_classes_say_which_one_is_positive(small):
    project = small()
    project.edit("PACKAGE/dataset.py", '(pl.col("arr_delay") > 15).alias("late")', f"({LABELS['text']}).alias('late')")
    project.edit("PACKAGE/dataset.py", "    slices=[", '    classes=["on time", "late"],\n    slices=[')
    project.mlops("run", "train")
    assert project.script(LOOK)[0] == ["on time", "late"]
    project.edit("PACKAGE/dataset.py", '["on time", "late"]', '["on time", "Late"]')
    assert "'late'" in project.refuses("run", "train", code=1)


@pytest.mark.parametrize("by", ["auto", "random", "stratified", "group"])
def test_each_way_to_split(small, by):
    project = small()
    project.set({"split.by": by})
    if by == "group":
        project.edit("PACKAGE/dataset.py", "    slices=[", '    group="origin",\n    slices=[')
    project.mlops("run", "split")
    train, test = project.script(PARTS)
    rows = train["rows"] + test["rows"]
    if by == "group":
        assert not set(train["origins"]) & set(test["origins"])
        assert len(test["origins"]) == 1
    else:
        assert test["rows"] / rows == pytest.approx(0.2, abs=0.005)
    if by == "auto":
        assert train["last"] < test["first"]
    else:
        assert test["first"] < train["last"]
    if by == "stratified":
        assert test["late"] == pytest.approx(train["late"], abs=0.001)
    assert train["key"] + test["key"] == rows

    # The same seed draws the same rows, another seed other ones; time is told by no seed.
    first = project.lock["stages"]["split"]["outs"]
    project.run("dvc", "repro", "--force", "--single-item", "split")
    assert project.lock["stages"]["split"]["outs"] == first
    project.set({"seed": 7})
    project.mlops("run", "split")
    assert (project.lock["stages"]["split"]["outs"] == first) == (by == "auto")


@pytest.mark.parametrize(("by", "word"), [("group", "no group"), ("time", "no time"), ("stratified", "needs classes")])
def test_a_split_that_the_data_set_has_no_column_for(small, by, word):
    project = small("regression")
    project.set({"split.by": by})
    project.edit("PACKAGE/dataset.py", '    time="scheduled_departure",\n', "")
    assert word in project.refuses("run", "split", code=2)
    assert "data/train.parquet" not in project.outputs


def test_a_split_that_leaves_no_rows(small):
    project = small()
    project.edit_data("frame.head(3).with_columns(arr_delay=pl.Series([1.0, 30.0, 2.0], dtype=pl.Float32))")
    project.set({"split.by": "random", "split.test": 0.01})
    assert "split.test" in project.refuses("run", "split", code=1)
    assert "data/test.parquet" not in project.outputs
