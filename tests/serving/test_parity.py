"""Training, batch and online say the same of the same rows, whatever the framework and the size of a batch."""

from dataclasses import dataclass

import pytest
from serving.conftest import json_rows
from support.server import served

ROWS = 1_000
TRAINING = """
import json, sys, joblib, polars as pl
from pathlib import Path
from mlops.project import load_project
from mlops.registry.bundle import estimator_scores, make_features
project, classes = load_project(), json.loads(Path("models/bundle/bundle.json").read_text())["classes"]
frame = pl.read_parquet(sys.argv[1])
features = make_features(project.build_features, frame, list(project.dataset.known_when_scoring))
scores = estimator_scores(joblib.load("models/bundle/estimator.joblib"), features, classes)
print(json.dumps((scores if classes is None else scores[:, 1]).tolist()))
"""
BATCH = "import json, sys, polars as pl; print(json.dumps(pl.read_parquet(sys.argv[1])[sys.argv[2]].to_list()))"


@dataclass(frozen=True)
class Kind:
    """A framework's project: where its scores are, and how far those of other batches may be away."""

    task: str
    framework: str
    tolerance: float

    @property
    def column(self):
        return "prediction" if self.task == "regression" else "probability_True"

    def score(self, prediction):
        return prediction["prediction"] if self.task == "regression" else prediction["probabilities"]["True"]


# xgboost computes in float32, the others in float64.
KINDS = [
    Kind("classification", "scikit-learn", 1e-9),
    Kind("regression", "xgboost", 1e-5),
    Kind("classification", "xgboost", 1e-5),
    Kind("classification", "lightgbm", 1e-9),
]


@pytest.fixture(scope="module", params=KINDS, ids=lambda kind: f"{kind.framework}-{kind.task}")
def kind(request):
    return request.param


@pytest.fixture(scope="module")
def trained(kind, first_run, tmp_path_factory):
    """A project, a file of rows, and what the estimator that `train` fitted says of their features by today's code."""
    project, _ = first_run(kind.task, kind.framework)
    path = tmp_path_factory.mktemp("parity") / "rows.parquet"
    project.edit_data(f"frame.head({ROWS})", target=path)
    expected = project.script(TRAINING, path)
    assert len(set(expected)) > ROWS / 10, "rows that differ are told apart"
    return project, path, expected


def test_batch_says_what_training_says(kind, trained, tmp_path):
    project, path, expected = trained
    out = tmp_path / "out.parquet"
    project.mlops("score", path, out)
    assert project.script(BATCH, out, kind.column) == expected


def test_online_says_what_training_says_and_the_size_of_a_batch_hardly_matters(kind, trained):
    project, _, expected = trained
    rows = json_rows(project)
    with served(project, MLOPS_LOG_URI="") as server:

        def online(size):
            parts = [rows[at : at + size] for at in range(0, ROWS, size)]
            return [kind.score(each) for part in parts for each in server.predict(part)]

        assert online(ROWS) == expected
        for size in (1, 7, 100):
            assert online(size) == pytest.approx(expected, rel=0, abs=kind.tolerance)
