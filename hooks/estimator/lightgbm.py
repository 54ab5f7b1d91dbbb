"""The estimator: LightGBM, categories as such, missing values as they are."""

from typing import Any

import polars as pl
from lightgbm import LGBMClassifier, LGBMRegressor
from sklearn.compose import make_column_transformer
from sklearn.pipeline import Pipeline, make_pipeline
from sklearn.preprocessing import OrdinalEncoder

from mlops.checkpoint import resumable

ESTIMATORS = {"classification": LGBMClassifier, "regression": LGBMRegressor}


def build(features: pl.Schema, *, task: str, seed: int, **params: Any) -> Pipeline:
    """An estimator to be fitted on features of this schema; `params` are `estimator` of params.yaml."""
    categorical = [name for name, dtype in features.items() if dtype == pl.String]
    encoder = OrdinalEncoder(
        handle_unknown="use_encoded_value",
        unknown_value=float("nan"),
        encoded_missing_value=float("nan"),
    )
    return make_pipeline(
        make_column_transformer((encoder, categorical), remainder="passthrough"),
        resumable(
            ESTIMATORS[task](
                categorical_column=list(range(len(categorical))),
                deterministic=True,
                force_row_wise=True,
                random_state=seed,
                verbose=-1,
                **params,
            )
        ),
    )
