# The template's: `copier update` renews this file.
"""Stage `evaluate`: the bundle, loaded as serving loads it, on rows that it has not seen."""

import time
from typing import Any

import numpy as np
import polars as pl

from mlops.errors import UsageError
from mlops.files import file_hash, replacing, write_json
from mlops.metrics import (
    better,
    by_slice,
    calibration,
    measure,
    naive_scores,
    standard_metrics,
)
from mlops.monitoring.reference import TEST_ROWS, sample
from mlops.params import Params
from mlops.pipeline.paths import BUNDLE, EVALUATION, METRICS, TEST, TRAIN
from mlops.pipeline.train import encode, span
from mlops.project import Metric, Project
from mlops.registry.bundle import Bundle, as_predictions, load_bundle
from mlops.registry.latency import note

PARITY_ROWS = 50


def run(project: Project, params: Params) -> None:
    """Write `reports/evaluation/` (evaluation.json, predictions, plots) and `reports/metrics.json`."""
    from mlops.plots import evaluation_plots

    dataset, metrics = project.dataset, all_metrics(project, params.task)
    deciding = params.metric
    if deciding not in metrics:
        raise UsageError(
            f"params.yaml: gate.metric is '{deciding}', which is no metric; choose from {', '.join(metrics)}"
        )
    bundle, frame = load_bundle(BUNDLE), pl.read_parquet(TEST)
    truth, scores = encode(frame[dataset.label], bundle.classes), bundle.scores(frame)
    values = measure(metrics, truth, scores)
    evaluation: dict[str, Any] = {
        "rows": len(frame),
        "test_sha256": file_hash(TEST),
        "test_span": span(frame, dataset.time),
        "metrics": values,
        "higher_is_better": {name: metric.higher_is_better for name, metric in metrics.items()},
        "naive": _naive(metrics, project, params, bundle, truth),
        "slices": by_slice(
            metrics,
            frame.select(dataset.slices),
            truth,
            scores,
            least_rows=params.evaluate.slice_rows,
            is_defined=lambda part: params.task == "regression" or len(np.unique(part)) > 1,
        ),
        "calibration": calibration(params.task, truth, scores),
        "parity": _parity(bundle, frame, scores),
    }
    with replacing(EVALUATION) as folder:
        folder.mkdir()
        write_json(folder / "evaluation.json", evaluation)
        named = [*dataset.key, *([dataset.time] if dataset.time else []), *dataset.slices, dataset.label]
        rows = frame.select(list(dict.fromkeys(named)))
        rows.with_columns(*as_predictions(scores, bundle.classes)).write_parquet(folder / "predictions.parquet")
        known = frame.select(list(dict.fromkeys([*dataset.known_when_scoring, dataset.label])))
        sample(known, TEST_ROWS).write_parquet(folder / "sample.parquet")
        evaluation_plots(folder, params.task, evaluation, truth, scores, deciding, bundle.classes)
    write_json(METRICS, values)


def all_metrics(project: Project, task: str) -> dict[str, Metric]:
    """The standard metrics of the task and the user's own, which win where names are equal."""
    return {**standard_metrics(task), **project.metrics}


def _naive(
    metrics: dict[str, Metric], project: Project, params: Params, bundle: Bundle, truth: Any
) -> dict[str, float]:
    """The best naive value of each metric."""
    labels = pl.read_parquet(TRAIN, columns=[project.dataset.label])[project.dataset.label]
    target = encode(labels, bundle.classes)
    guesses = [
        measure(metrics, truth, scores)
        for scores in naive_scores(params.task, target, len(bundle.classes or ()), len(truth))
    ]
    best = guesses[0]
    for guess in guesses[1:]:
        best = {
            name: guess[name] if better(metrics[name], guess[name], best[name]) > 0 else best[name] for name in metrics
        }
    return best


def _parity(bundle: Bundle, frame: pl.DataFrame, scores: np.ndarray[Any, Any]) -> float:
    """The largest difference between predictions of single rows and those of one batch."""
    places = np.linspace(0, len(frame) - 1, min(PARITY_ROWS, len(frame))).astype(int)
    seconds, found = [], []
    for place in places:
        start = time.perf_counter()
        found.append(bundle.scores(frame.slice(int(place), 1)))
        seconds.append(time.perf_counter() - start)
    note(seconds)
    single = np.concatenate(found)
    return float(np.abs(single - scores[places]).max())
