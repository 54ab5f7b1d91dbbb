"""The estimator: scikit-learn's histogram gradient boosting; categories and missing values as they are."""

from typing import Any

import polars as pl
from sklearn.compose import make_column_transformer
from sklearn.ensemble import HistGradientBoostingClassifier, HistGradientBoostingRegressor
from sklearn.pipeline import Pipeline, make_pipeline
from sklearn.preprocessing import OrdinalEncoder

ESTIMATORS = {
    "classification": HistGradientBoostingClassifier,
    "regression": HistGradientBoostingRegressor,
}
MOST_CATEGORIES = 250
"""The rarest categories beyond these count as one: the estimator takes at most 255."""


def build(features: pl.Schema, *, task: str, seed: int, **params: Any) -> Pipeline:
    """An estimator to be fitted on features of this schema; `params` are `estimator` of params.yaml."""
    categorical = [name for name, dtype in features.items() if dtype == pl.String]
    encoder = OrdinalEncoder(
        handle_unknown="use_encoded_value",
        unknown_value=float("nan"),
        encoded_missing_value=float("nan"),
        max_categories=MOST_CATEGORIES,
    )
    return make_pipeline(
        make_column_transformer((encoder, categorical), remainder="passthrough"),
        ESTIMATORS[task](categorical_features=list(range(len(categorical))), random_state=seed, **params),
    )
