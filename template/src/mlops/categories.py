# The template's: `copier update` renews this file.
"""Categories as the numbers that estimators of trees take."""

from typing import Any, Self

import numpy as np
import polars as pl
from sklearn.base import BaseEstimator


class Categories(BaseEstimator):  # type: ignore[misc]  # scikit-learn has no types
    """The first step of a pipeline: columns of text become codes, and come first; the others stay as they are.

    A code is a category's place among those that training saw, in order, from 0; NaN where the value is missing or new.

    scikit-learn's OrdinalEncoder in a ColumnTransformer says the same of polars' columns, but takes many times
    as long for a single row. Bundles name this class: it stays where it is.
    """

    def fit(self, features: pl.DataFrame, target: object = None) -> Self:
        """Learn the categories of each column of text, and the order of the columns."""
        text = [name for name, dtype in features.schema.items() if dtype == pl.String]
        known = {name: features[name].drop_nulls().unique().sort() for name in text}
        self.codes_ = {name: {value: float(code) for code, value in enumerate(known[name])} for name in text}
        self.numbers_ = [name for name in features.columns if name not in text]
        return self

    def transform(self, features: pl.DataFrame) -> np.ndarray[Any, Any]:
        """Float64 of shape (rows, columns)."""
        missing = float("nan")
        table = np.empty((len(features), len(self.codes_) + len(self.numbers_)))
        # Column by column: for a single row, any operation on the whole table costs more than all of this.
        for at, (name, codes) in enumerate(self.codes_.items()):
            table[:, at] = [codes.get(value, missing) for value in features[name].to_list()]
        for at, name in enumerate(self.numbers_, len(self.codes_)):
            table[:, at] = features[name].cast(pl.Float64).to_numpy()
        return table
