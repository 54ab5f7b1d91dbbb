"""Columns of text as an estimator gets them: as scikit-learn's encoder says them, whatever comes later."""

AGREES = """
import json
import numpy as np, polars as pl
from sklearn.base import clone
from sklearn.compose import make_column_transformer
from sklearn.preprocessing import OrdinalEncoder
from mlops.categories import Categories

random = np.random.default_rng(1)
names = [f"k{number}" for number in range(30)]
weights = np.arange(30, 0, -1) ** 2.0

def frame(rows, known, missing=0.1):
    def some(values, dtype):
        empty = random.random(rows) < missing
        return pl.Series([None if gap else value for gap, value in zip(empty, values, strict=True)], dtype=dtype)

    odds = weights[:known] / weights[:known].sum()
    return pl.DataFrame({
        "number": some(random.normal(size=rows).tolist(), pl.Float32),
        "kind": some(random.choice(names[:known], rows, p=odds).tolist(), pl.String),
        "count": pl.Series(random.integers(0, 9, rows), dtype=pl.Int64),
        "place": some(random.choice(["a", "B", "\\u00e9", ""], rows).tolist(), pl.String),
    })

# scikit-learn takes None for a category where training has it: so none is there.
train, empty, later = frame(3000, 25, missing=0), frame(50, 25, missing=1), frame(500, 30)
missing = float("nan")
theirs = make_column_transformer(
    (OrdinalEncoder(handle_unknown="use_encoded_value", unknown_value=missing, encoded_missing_value=missing),
     ["kind", "place"]),
    remainder="passthrough",
).fit(train)
ours = clone(Categories()).fit(pl.concat([train, empty]))
for rows in (train, later, later[:1]):
    np.testing.assert_array_equal(ours.transform(rows), np.asarray(theirs.transform(rows), dtype=float))
np.testing.assert_array_equal(ours.transform(later.select(sorted(later.columns))), ours.transform(later))
assert ours.transform(later[:0]).shape == (0, 4)
print(json.dumps([ours.transform(later).dtype.name, int(np.nanmax(ours.transform(train)[:, 0]))]))
"""


def test_codes_are_those_of_scikit_learn(first_run):
    project, _ = first_run("classification", "scikit-learn")
    told = project.script(AGREES)
    assert told == ["float64", 24], "for rows of training, later ones and one, in any order of the columns"
