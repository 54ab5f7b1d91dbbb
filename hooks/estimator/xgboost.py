"""The estimator: XGBoost, categories as such, missing values as they are."""

from typing import Any

import polars as pl
from sklearn.pipeline import Pipeline, make_pipeline
from xgboost import XGBClassifier, XGBRegressor

from mlops.categories import Categories
from mlops.checkpoint import resumable

ESTIMATORS = {"classification": XGBClassifier, "regression": XGBRegressor}


def build(features: pl.Schema, *, task: str, seed: int, **params: Any) -> Pipeline:
    """An estimator to be fitted on features of this schema; `params` are `estimator` of params.yaml."""
    categorical = sum(dtype == pl.String for dtype in features.dtypes())
    types = ["c"] * categorical + ["q"] * (len(features) - categorical)
    return make_pipeline(
        Categories(),
        resumable(ESTIMATORS[task](enable_categorical=True, feature_types=types, random_state=seed, **params)),
    )
