"""The estimator: XGBoost; categories as codes, missing values as they are."""

from typing import Any

import polars as pl
from sklearn.pipeline import Pipeline, make_pipeline
from xgboost import XGBClassifier, XGBRegressor

from mlops.categories import Categories
from mlops.checkpoint import resumable

ESTIMATORS = {"classification": XGBClassifier, "regression": XGBRegressor}


def build(features: pl.Schema, *, task: str, seed: int, **params: Any) -> Pipeline:
    """An estimator to be fitted on features of this schema; `params` are `estimator` of params.yaml."""
    return make_pipeline(Categories(), resumable(ESTIMATORS[task](random_state=seed, **params)))
