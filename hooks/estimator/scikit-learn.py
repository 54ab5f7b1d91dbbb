"""The estimator: scikit-learn's histogram gradient boosting; categories and missing values as they are."""

from typing import Any

import polars as pl
from sklearn.ensemble import HistGradientBoostingClassifier, HistGradientBoostingRegressor
from sklearn.pipeline import Pipeline, make_pipeline

from mlops.categories import Categories

ESTIMATORS = {
    "classification": HistGradientBoostingClassifier,
    "regression": HistGradientBoostingRegressor,
}
MOST_CATEGORIES = 250
"""The rarest categories beyond these count as one: the estimator takes at most 255."""


def build(features: pl.Schema, *, task: str, seed: int, **params: Any) -> Pipeline:
    """An estimator to be fitted on features of this schema; `params` are `estimator` of params.yaml."""
    categorical = sum(dtype == pl.String for dtype in features.dtypes())
    return make_pipeline(
        Categories(MOST_CATEGORIES),
        ESTIMATORS[task](categorical_features=list(range(categorical)), random_state=seed, **params),
    )
