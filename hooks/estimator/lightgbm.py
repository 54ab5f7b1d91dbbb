"""The estimator: LightGBM; categories as codes, missing values as they are."""

from typing import Any

import polars as pl
from lightgbm import LGBMClassifier, LGBMRegressor
from sklearn.pipeline import Pipeline, make_pipeline

from mlops.categories import Categories
from mlops.checkpoint import resumable

ESTIMATORS = {"classification": LGBMClassifier, "regression": LGBMRegressor}


def build(features: pl.Schema, *, task: str, seed: int, **params: Any) -> Pipeline:
    """An estimator to be fitted on features of this schema; `params` are `estimator` of params.yaml."""
    return make_pipeline(
        Categories(),
        resumable(ESTIMATORS[task](deterministic=True, force_row_wise=True, random_state=seed, verbose=-1, **params)),
    )
