# The template's: `copier update` renews this file.
"""Stage `train`: features and estimator of the user's, fitted, as a bundle."""

from typing import Any

import numpy as np
import polars as pl

from mlops.errors import MlopsError, UsageError
from mlops.files import file_hash, replacing
from mlops.monitoring.reference import write_reference
from mlops.params import Params
from mlops.pipeline.paths import BUNDLE, TRAIN
from mlops.project import Project
from mlops.registry.bundle import make_features, save_bundle


def run(project: Project, params: Params) -> None:
    """Fit on `data/train.parquet` and write `models/bundle`; the same inputs give the same bundle."""
    dataset = project.dataset
    frame = pl.read_parquet(TRAIN)
    try:
        features = make_features(project.build_features, frame, list(dataset.known_when_scoring))
    except MlopsError:
        raise
    except Exception as error:
        raise UsageError(f"features.py: build failed: {type(error).__name__}: {error}; mend it there") from error
    classes = class_labels(frame[dataset.label], dataset.classes) if params.task == "classification" else None
    target = encode(frame[dataset.label], classes)
    try:
        estimator = project.build_estimator(features.schema, task=params.task, seed=params.seed, **params.estimator)
    except TypeError as error:
        raise UsageError(f"params.yaml: estimator does not fit estimator.py: {error}") from error
    except Exception as error:
        raise UsageError(f"estimator.py: build failed: {type(error).__name__}: {error}; mend it there") from error
    try:
        estimator.fit(features, target)
    except Exception as error:
        raise MlopsError(f"the estimator could not be fitted: {type(error).__name__}: {error}") from error
    with replacing(BUNDLE) as folder:
        save_bundle(
            folder,
            project,
            estimator,
            task=params.task,
            classes=classes,
            features=features.schema,
            about={
                "training_rows": len(frame),
                "training_sha256": file_hash(TRAIN),
                "training_span": span(frame, dataset.time),
                "params": params.model_dump(include={"task", "seed", "estimator"}),
            },
        )
        write_reference(folder, frame, dataset, classes)


def span(frame: pl.DataFrame, time: str | None) -> list[str] | None:
    """The first and the last moment of rows that have a time."""
    return [str(frame[time].min()), str(frame[time].max())] if time else None


def class_labels(labels: pl.Series, declared: Any) -> list[Any]:
    """The labels in order.

    Raises:
        MlopsError: there are fewer than two, or one that is not declared.
    """
    present = labels.unique().sort().to_list()
    if len(present) < 2:
        raise MlopsError(
            f"the training set has one class only, {labels.name} = {present[0]!r}; a classification needs two"
        )
    if declared is None:
        return present
    if unknown := [label for label in present if label not in declared]:
        raise MlopsError(f"the training set has the label {unknown[0]!r}, which classes in dataset.py lacks")
    return list(declared)


def encode(labels: pl.Series, classes: list[Any] | None) -> np.ndarray[Any, Any]:
    """Labels as an estimator takes them: indices of classes as int64, or numbers as float64.

    Raises:
        MlopsError: a label that training has not seen, or one that is no number in a regression.
    """
    if classes is None:
        if not (labels.dtype.is_numeric() or labels.dtype == pl.Boolean):
            raise MlopsError(f"the target '{labels.name}' is {labels.dtype}; a regression needs numbers")
        return labels.cast(pl.Float64).to_numpy()
    codes = labels.replace_strict(classes, list(range(len(classes))), default=None, return_dtype=pl.Int64)
    if codes.null_count():
        unknown = labels.filter(codes.is_null())
        raise MlopsError(
            f"{codes.null_count():,} rows have a label that the training set lacks, such as {unknown[0]!r}"
        )
    return codes.to_numpy()
