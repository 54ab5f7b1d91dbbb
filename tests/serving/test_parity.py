"""Training, batch and online say the same of the same rows."""

import pytest

TRAINING = (
    "import json, sys, polars as pl\n"
    "from mlops.project import load_project\n"
    "from mlops.registry.bundle import estimator_scores, make_features\n"
    "import joblib\n"
    "project = load_project()\n"
    "frame = pl.read_parquet(sys.argv[1])\n"
    "features = make_features(project.build_features, frame, list(project.dataset.known_when_scoring))\n"
    "estimator = joblib.load('models/bundle/estimator.joblib')\n"
    "print(json.dumps(estimator_scores(estimator, features, [False, True])[:, 1].tolist()))\n"
)
BATCH = "import json, sys, polars as pl; print(json.dumps(pl.read_parquet(sys.argv[1])['probability_True'].to_list()))"


@pytest.fixture(scope="module")
def trained(original, tmp_path_factory):
    """1,000 rows and what the estimator, as `train` fitted it, says of their features by today's code."""
    path = tmp_path_factory.mktemp("parity") / "rows.parquet"
    original.edit_data("frame.head(1000)", target=path)
    return path, original.script(TRAINING, path)


def test_batch_says_what_training_says(original, trained, tmp_path):
    path, expected = trained
    out = tmp_path / "out.parquet"
    original.mlops("score", path, out)
    assert original.script(BATCH, out) == expected


def test_online_says_what_training_says_and_the_size_of_a_batch_does_not_matter(champion, trained, rows):
    _, expected = trained

    def online(size):
        parts = [rows[at : at + size] for at in range(0, len(rows), size)]
        return [each["probabilities"]["True"] for part in parts for each in champion.predict(part)]

    assert online(1000) == expected
    for size in (1, 7, 100):
        assert online(size) == pytest.approx(expected, rel=0, abs=1e-9)
    assert len(expected) == 1000
