"""The estimator: scikit-learn's histogram gradient boosting; categories as codes, missing values as they are."""

from typing import Any

import polars as pl
from sklearn.ensemble import HistGradientBoostingClassifier, HistGradientBoostingRegressor
from sklearn.pipeline import Pipeline, make_pipeline

from mlops.categories import Categories

ESTIMATORS = {
    "classification": HistGradientBoostingClassifier,
    "regression": HistGradientBoostingRegressor,
}


def build(features: pl.Schema, *, task: str, seed: int, **params: Any) -> Pipeline:
    """An estimator to be fitted on features of this schema; `params` are `estimator` of params.yaml."""
    return make_pipeline(Categories(), ESTIMATORS[task](random_state=seed, **params))
