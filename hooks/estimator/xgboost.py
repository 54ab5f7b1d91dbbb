"""The estimator: XGBoost, categories as such, missing values as they are."""

from typing import Any

import polars as pl
from sklearn.compose import make_column_transformer
from sklearn.pipeline import Pipeline, make_pipeline
from sklearn.preprocessing import OrdinalEncoder
from xgboost import XGBClassifier, XGBRegressor

from mlops.checkpoint import resumable

ESTIMATORS = {"classification": XGBClassifier, "regression": XGBRegressor}


def build(features: pl.Schema, *, task: str, seed: int, **params: Any) -> Pipeline:
    """An estimator to be fitted on features of this schema; `params` are `estimator` of params.yaml."""
    categorical = [name for name, dtype in features.items() if dtype == pl.String]
    encoder = OrdinalEncoder(
        handle_unknown="use_encoded_value",
        unknown_value=float("nan"),
        encoded_missing_value=float("nan"),
    )
    types = ["c"] * len(categorical) + ["q"] * (len(features) - len(categorical))
    return make_pipeline(
        make_column_transformer((encoder, categorical), remainder="passthrough"),
        resumable(ESTIMATORS[task](enable_categorical=True, feature_types=types, random_state=seed, **params)),
    )
