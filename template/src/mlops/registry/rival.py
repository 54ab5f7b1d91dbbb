# The template's: `copier update` renews this file.
"""The champion on the challenger's test set: the same rows, the same metric, and how sure the difference is."""

from datetime import datetime
from typing import TYPE_CHECKING, Any

import numpy as np
import polars as pl

from mlops import tracking
from mlops.files import read_json
from mlops.metrics import better, measure
from mlops.monitoring.reference import day_of
from mlops.params import Params
from mlops.pipeline.evaluate import all_metrics
from mlops.pipeline.ingest import moment
from mlops.pipeline.paths import BUNDLE, EVALUATION, TEST
from mlops.pipeline.train import encode
from mlops.project import Metric, Project
from mlops.registry.bundle import as_predictions, load_bundle
from mlops.registry.gate import Rival, SliceDrop
from mlops.registry.paired import compare, mcnemar

if TYPE_CHECKING:
    from mlflow import MlflowClient
    from mlflow.entities.model_registry import ModelVersion

Array = np.ndarray[Any, Any]


def rival_of(
    client: "MlflowClient", champion: "ModelVersion", project: Project, params: Params, evaluation: dict[str, Any]
) -> Rival:
    """Compare the model in `models/bundle` with the champion, or say why that cannot be."""
    version = str(champion.version)
    if champion.run_id is None:
        return Rival(version, None, "it was not registered by this pipeline")
    bundle = load_bundle(tracking.download(client, champion.run_id, "model"))
    about = read_json(BUNDLE / "bundle.json")
    for what in ("task", "label"):
        if bundle.about[what] != about[what]:
            return Rival(version, None, f"its {what} was {bundle.about[what]}, now it is {about[what]}")
    frame = pl.read_parquet(TEST)
    if missing := sorted(set(bundle.schema) - set(frame.columns)):
        return Rival(version, None, f"it needs the column '{missing[0]}', which the data lack now")
    ours = _own_scores(about["classes"])
    unseen = _unseen(frame, project, bundle.about.get("training_span"))
    note = ""
    if unseen is not None:
        if unseen.sum() >= params.evaluate.slice_rows:
            note = f"on the {int(unseen.sum()):,} rows that it was not trained on either"
            frame, ours = frame.filter(unseen), ours[unseen]
        else:
            note = "which was trained on these rows"
    theirs = bundle.scores(frame.with_columns(pl.col(name).cast(kind) for name, kind in bundle.schema.items()))
    if about["classes"] is not None:
        # A class that the champion does not know has no probability from it.
        known = {label: theirs[:, at] for at, label in enumerate(bundle.classes or [])}
        none = np.zeros(len(frame))
        theirs = np.column_stack([known.get(label, none) for label in about["classes"]])
    truth = encode(frame[project.dataset.label], about["classes"])
    return _Comparison(project, params, frame, truth, ours, theirs).rival(version, note, evaluation)


def _own_scores(classes: list[Any] | None) -> Array:
    """What `evaluate` has found of the test set, in its order."""
    predictions = pl.read_parquet(EVALUATION / "predictions.parquet")
    if classes is None:
        return predictions["prediction"].to_numpy()
    return predictions.select(as_predictions(np.zeros((0, len(classes))), classes).columns[1:]).to_numpy()


def _unseen(frame: pl.DataFrame, project: Project, span: list[str] | None) -> pl.Series | None:
    """Which rows came after all that the champion was trained on; None where all did, or nothing tells."""
    time = project.dataset.time
    if time is None or span is None or not frame.schema[time].is_temporal():
        return None
    end = moment(datetime.fromisoformat(span[1]), frame.schema[time])
    later = frame.select(pl.col(time) > end).to_series()
    return None if later.all() else later


class _Comparison:
    def __init__(
        self, project: Project, params: Params, frame: pl.DataFrame, truth: Array, ours: Array, theirs: Array
    ) -> None:
        self.params, self.frame, self.truth, self.ours, self.theirs = params, frame, truth, ours, theirs
        self.name = params.metric
        self.metrics = all_metrics(project, params.task)
        self.metric: Metric = self.metrics[self.name]
        # A metric of the user's may have a standard one's name.
        self.called = "" if self.name in project.metrics else self.name
        time = project.dataset.time
        timed = time is not None and frame.schema[time].is_temporal()
        self.days = day_of(frame[time]).to_numpy() if timed and time else None

    def rival(self, version: str, note: str, evaluation: dict[str, Any]) -> Rival:
        ours = measure({self.name: self.metric}, self.truth, self.ours)[self.name]
        theirs = measure(self.metrics, self.truth, self.theirs)
        if not np.isfinite(theirs[self.name]):
            return Rival(version, None, f"{self.name} is not defined for it on these rows")
        return Rival(
            version,
            theirs[self.name],
            None,
            ours=ours,
            note=note,
            paired=compare(
                self.called,
                self.metric,
                self.truth,
                self.ours,
                self.theirs,
                confidence=self.params.gate.confidence,
                groups=self.days,
            ),
            mcnemar=mcnemar(self.truth, self.ours, self.theirs) if self.params.task == "classification" else None,
            slices=tuple(self._drops(evaluation["slices"])),
            metrics=theirs,
        )

    def _drops(self, slices: list[dict[str, Any]]) -> list[SliceDrop]:
        """The slices that do worse than the champion's by more than `gate.slice_drop`, with how sure that is."""
        bound = self.params.gate.slice_drop
        if bound is None:
            return []
        only, found = {self.name: self.metric}, []
        for each in slices:
            mask = (self.frame[each["column"]].cast(pl.String) == each["value"]).fill_null(False).to_numpy()
            truth = self.truth[mask]
            if len(truth) < self.params.evaluate.slice_rows:
                continue
            if self.params.task == "classification" and len(np.unique(truth)) < 2:
                continue
            sides = [measure(only, truth, scores[mask])[self.name] for scores in (self.ours, self.theirs)]
            drop = better(self.metric, sides[1], sides[0])
            if drop > bound:
                # Of many slices one is bound to look bad, so each has to be surer.
                confidence = 1 - (1 - self.params.gate.confidence) / len(slices)
                paired = compare(
                    self.called,
                    self.metric,
                    truth,
                    self.ours[mask],
                    self.theirs[mask],
                    confidence=confidence,
                    groups=None if self.days is None else self.days[mask],
                )
                found.append(SliceDrop(each["column"], each["value"], len(truth), sides[0], sides[1], paired.high < 0))
        return sorted(found, key=lambda drop: better(self.metric, drop.ours, drop.theirs))
