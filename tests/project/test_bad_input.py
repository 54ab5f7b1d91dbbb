"""Wrong use is one line that says what, which value and what to do; exit code 2, and nothing is begun."""

import shutil

import pytest


@pytest.fixture
def untouched(small):
    """A project, which must be afterwards as it was before."""
    project = small()
    before = project.outputs
    yield project
    after = project.outputs
    after.pop("data/source.json", None)  # the source's fingerprint, where the source was not at fault
    assert after == before
    assert project.lock is None
    assert project.runs == []


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"gate.minimun": 0.5}, ["unknown key 'gate.minimun'"]),
        ({"estimators": {"max_iter": 3}}, ["unknown key 'estimators'"]),
        ({"split.test": 1.5}, ["split.test is 1.5", "less than 1"]),
        ({"split.test": "a fifth"}, ["split.test is 'a fifth'", "number"]),
        ({"split.by": "weekday"}, ["split.by is 'weekday'", "'stratified'"]),
        ({"seed": -1}, ["seed is -1"]),
        ({"task": "clustering"}, ["task is 'clustering'", "'regression'"]),
        ({"task": None}, ["task", "required"]),
        ({"evaluate": [1, 2]}, ["evaluate"]),
        ({"data.source": "data/nowhere.parquet"}, ["data/nowhere.parquet", "no such file"]),
        ({"data.source": "data/sample/*.csv"}, ["data/sample/*.csv", "no such file"]),
        ({"data.source": "data/empty"}, ["data/empty", "no such file"]),
        ({"data.source": "gopher://host/flights.parquet"}, ["gopher://host/flights.parquet"]),
        ({"data.source": "params.yaml"}, ["params.yaml", ".parquet", ".csv"]),
        ({"data.source": "data/mixed"}, ["data/mixed", "one format"]),
        ({"data.source": ""}, ["data.source"]),
        ({"data.source": "x" * 300}, ["data.source", "too long"]),
        ({"data.source": 7}, ["data.source is 7", "string"]),
        ({"data.since": "2013-13-01"}, ["data.since is '2013-13-01'"]),
        ({"data.since": "2019-01-01"}, ["2019-01-01", "no row"]),
    ],
    ids=lambda value: " ".join(f"{k}={v}" for k, v in value.items()) if isinstance(value, dict) else "",
)
def test_a_wrong_parameter_or_source(untouched, change, words):
    (untouched.path / "data/empty").mkdir()
    (untouched.path / "data/mixed").mkdir()
    (untouched.path / "data/mixed/a.parquet").touch()
    (untouched.path / "data/mixed/b.csv").touch()
    untouched.set(change)
    told = untouched.refuses("run", code=2)
    for word in words:
        assert word in told, told
    shutil.rmtree(untouched.path / "data/mixed")


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("task: [classification", ["params.yaml", "cannot be read"]),
        ("", ["params.yaml", "no keys"]),
        ("- task\n", ["params.yaml", "no keys"]),
    ],
    ids=["no YAML", "empty", "a list"],
)
def test_params_that_cannot_be_read(untouched, text, words):
    (untouched.path / "params.yaml").write_text(text, encoding="utf-8")
    told = untouched.refuses("run", code=2)
    for word in words:
        assert word in told


def test_an_unknown_stage_or_target(untouched):
    told = untouched.refuses("stage", "trian", code=2)
    assert "trian" in told
    assert "train" in told
    told = untouched.refuses("run", "trian", code=2)
    assert "trian" in told
    assert "choose from ingest, validate, split, train, evaluate, register" in told


def test_a_stage_whose_inputs_are_not_there(untouched):
    """A stage by hand, before those that it depends on."""
    for stage, code, missing in (
        ("validate", 2, "data/raw.parquet"),
        ("split", 2, "data/raw.parquet"),
        ("train", 2, "data/train.parquet"),
        ("evaluate", 1, "models/bundle is no model bundle"),
        ("register", 2, "reports/evaluation"),
    ):
        assert missing in untouched.refuses("stage", stage, code=code)


def test_outside_a_project(untouched, tmp_path):
    folder = tmp_path / "elsewhere"
    folder.mkdir()
    for verb in (["run"], ["stage", "ingest"], ["init"], ["doctor"], ["ui"]):
        done = untouched.mlops(*verb, code=2, cwd=folder)
        assert "is not in a project" in done.err
        assert str(folder) in done.err
        assert len(done.err.splitlines()) == 1
    assert list(folder.iterdir()) == []


def test_below_a_project_s_folder_is_in_it(small):
    project = small()
    project.mlops("stage", "ingest", cwd=project.path / "src")
    assert "data/raw.parquet" in project.outputs


@pytest.mark.parametrize(
    ("verb", "word"),
    [(["ui", "--port", "70000"], "65535"), (["ui", "--port", "x"], "--port"), (["rnu"], "rnu"), (["run", "-x"], "-x")],
    ids=["port", "no number", "verb", "option"],
)
def test_a_wrong_option(untouched, verb, word):
    done = untouched.mlops(*verb, code=2)
    assert word in done.err
    assert "Traceback" not in done.err


@pytest.mark.parametrize(
    ("name", "text", "words"),
    [
        ("features.py", "import polars as pl\n\ndef build(frame:\n", ["features", "SyntaxError"]),
        ("features.py", "build_features = 1\n", ["features.py", "build"]),
        ("features.py", "import no_such_package\n", ["features", "no_such_package"]),
        ("dataset.py", "DATASETS = 1\n", ["dataset.py", "DATASET"]),
        ("estimator.py", "raise ValueError('two\\nlines')\n", ["estimator", "ValueError"]),
        ("metrics.py", "METRICS = {'m': 1 / 0}\n", ["metrics", "ZeroDivisionError"]),
        ("dataset.py", "DATASET = 3\n", ["dataset.py", "DATASET is 3", "Dataset"]),
    ],
    ids=["syntax", "no build", "no import", "no DATASET", "raises", "metrics", "no Dataset"],
)
def test_seeds_that_cannot_be_imported(small, name, text, words):
    project = small()
    (project.path / "src/flight_delays" / name).write_text(text, encoding="utf-8")
    told = project.refuses("run", code=2)
    for word in words:
        assert word in told
    assert project.runs == []


@pytest.mark.parametrize(
    ("old", "new", "words"),
    [
        ('"flight"],', '"flihgt"],', ["key", "'flihgt'"]),
        ('time="scheduled_departure"', 'time="departure"', ["time", "'departure'"]),
        ('slices=["carrier", "origin"]', 'slices="carrier"', ["slices", "'carrier'", "list"]),
        ('"visib",\n    ],', '"visibility",\n    ],', ["known_when_scoring", "'visibility'"]),
        ('key=["scheduled_departure", "carrier", "flight"],', "key=[],", ["key is empty"]),
        ("contract=Flights", "contract='Flights'", ["contract is 'Flights'", "DataFrameModel"]),
        ("target=TARGET", "target='late'", ["target is 'late'", "expression"]),
    ],
    ids=["key", "time", "slices", "known", "no key", "contract", "target"],
)
def test_a_dataset_that_names_what_the_contract_lacks(untouched, old, new, words):
    untouched.edit("PACKAGE/dataset.py", old, new)
    told = untouched.refuses("run", code=2)
    for word in words:
        assert word in told


def test_seeds_that_fail_when_they_are_used(small):
    """One project for all: each fault meets a stage that is not up to date."""
    project = small()
    folder = project.path / "src/flight_delays"
    for name, text, words in (
        ("features.py", "def build(flights):\n    return 1 / 0\n", ["features.py: build failed", "division by zero"]),
        ("features.py", "def build(flights):\n    return None\n", ["features.py: build gave NoneType"]),
        ("estimator.py", "def build(*_, **__):\n    return 1 / 0\n", ["estimator.py: build failed"]),
        ("metrics.py", "METRICS = {'m': max}\n", ["metrics.py: METRICS['m'] is no Metric"]),
        ("metrics.py", "METRICS = 3\n", ["metrics.py: METRICS is 3", "Mapping"]),
    ):
        kept = (folder / name).read_text(encoding="utf-8")
        (folder / name).write_text(text, encoding="utf-8")
        told = project.refuses("run", code=2)
        for word in words:
            assert word in told, told
        (folder / name).write_text(kept, encoding="utf-8")
    assert project.runs == []


def test_a_variable_with_an_impossible_value(untouched):
    told = untouched.refuses("run", code=2, MLOPS_LOG_SAMPLE="2")
    assert "MLOPS_LOG_SAMPLE is '2'" in told
    assert ".env" in told
    done = untouched.mlops("doctor", code=3, MLOPS_POLL_SECONDS="soon")
    assert "MLOPS_POLL_SECONDS is 'soon'" in done.out
