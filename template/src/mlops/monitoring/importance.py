# The template's: `copier update` renews this file.
"""How much each column matters to a model: by how much its loss grows when the column is shuffled."""

from pathlib import Path
from typing import Any

import numpy as np
import polars as pl

from mlops.files import file_hash, read_json, write_json
from mlops.monitoring.outcomes import row_loss
from mlops.monitoring.reference import COUNTS, Reference
from mlops.pipeline.train import encode

REPEATS = 3
CACHE = Path(".mlops/importance")


def importance(reference: Reference, metric: str) -> dict[str, float]:
    """The share of each column in what all columns matter; worked out once a version.

    A column without which the model does no worse has 0. Where no column matters, all share alike.
    """
    model = reference.model
    # Two bundles with equal counts of equal data may still be different models.
    mark = file_hash(model.path / "estimator.joblib")[:16] + file_hash(model.path / COUNTS)[:16]
    kept = CACHE / f"{mark}-{metric}.json"
    if kept.is_file():
        found: dict[str, float] = read_json(kept)
        return found
    growths = _growths(reference, metric)
    total = sum(growths.values())
    shares = {name: growth / total if total > 0 else 1 / len(growths) for name, growth in growths.items()}
    write_json(kept, shares)
    return shares


def _growths(reference: Reference, metric: str) -> dict[str, float]:
    frame = reference.labelled_sample()
    bundle = reference.bundle
    labels = frame[reference.label]
    if bundle.classes is not None:
        frame = frame.filter(labels.is_in(bundle.classes))
    truth = encode(frame[reference.label], bundle.classes)
    generator = np.random.default_rng(0)

    def loss(rows: pl.DataFrame) -> float:
        return float(row_loss(metric, truth, bundle.scores(rows)).mean())

    before = loss(frame)
    growths: dict[str, float] = {}
    for name in bundle.about["inputs"]:
        orders: list[Any] = [generator.permutation(len(frame)) for _ in range(REPEATS)]
        shuffled = [loss(frame.with_columns(frame[name].gather(order))) for order in orders]
        growths[name] = max(0.0, float(np.mean(shuffled)) - before)
    return growths
