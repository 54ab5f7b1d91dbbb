# The template's: `copier update` renews this file.
"""Categories as the numbers that estimators of trees take."""

from typing import Any, Self

import numpy as np
import polars as pl
from sklearn.base import BaseEstimator


class Categories(BaseEstimator):  # type: ignore[misc]  # scikit-learn has no types
    """The first step of a pipeline: columns of text become codes, and come first; the others stay as they are.

    A code is a category's place among those that training saw, from 0; NaN where the value is missing or new.
    Beyond the `most` codes that an estimator bears, the rarest categories share the last one.

    scikit-learn's OrdinalEncoder in a ColumnTransformer says the same of polars' columns, but takes several
    times as long for a single row. Bundles name this class: it stays where it is.
    """

    def __init__(self, most: int | None = None) -> None:
        self.most = most

    def fit(self, features: pl.DataFrame, target: object = None) -> Self:
        """Learn the categories of each column of text, and the order of the columns."""
        text = [name for name, dtype in features.schema.items() if dtype == pl.String]
        self.categories_ = {name: self._learn(features[name]) for name in text}
        self.numbers_ = [name for name in features.columns if name not in text]
        return self

    def _learn(self, column: pl.Series) -> list[str]:
        """Those with a code of their own in order, then the others."""
        found = column.drop_nulls().unique().sort().to_list()
        if self.most is None or len(found) <= self.most:
            return found
        counts = dict(column.value_counts().iter_rows())
        frequent = sorted(sorted(found, key=counts.__getitem__, reverse=True)[: self.most - 1])
        return [*frequent, *sorted(set(found).difference(frequent))]

    def transform(self, features: pl.DataFrame) -> np.ndarray[Any, Any]:
        """Float64 of shape (rows, columns)."""
        codes = [
            pl.col(name).cast(pl.Enum(known), strict=False).to_physical() for name, known in self.categories_.items()
        ]
        if self.most is not None:
            codes = [code.clip(upper_bound=self.most - 1) for code in codes]
        return features.select(*codes, *self.numbers_).cast(pl.Float64).to_numpy()
