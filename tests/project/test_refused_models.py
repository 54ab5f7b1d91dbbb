"""The gate: a model that is no good is not registered, its run says why, and the exit code is 1."""

import pytest


def refused(project, *reasons, runs=1, champion=None):
    """Runs a project whose model must be refused, and checks what is told and kept."""
    told = project.refuses("run", code=1)
    tags = project.runs[-1]
    for reason in reasons:
        assert reason in told
        assert reason in tags["mlops.gate.reason"]
    assert tags["mlops.gate"] == "refused"
    assert tags["run_id"] in told
    assert len(project.runs) == runs
    assert project.champion == champion
    report = (project.path / "reports/index.html").read_text(encoding="utf-8")
    assert "Refused" in report
    return told


def replace_features(project, body):
    path = project.path / "src/flight_delays/features.py"
    path.write_text(f'"""Features."""\n\nimport polars as pl\n\n\n{body}', encoding="utf-8")


@pytest.mark.parametrize("task", ["classification", "regression"])
def test_a_model_that_learnt_nothing(small, task):
    project = small(task)
    replace_features(
        project,
        "def build(flights: pl.DataFrame) -> pl.DataFrame:\n"
        "    return flights.select(nothing=pl.col('distance') * 0)\n",
    )
    project.set({"gate.minimum": None, "gate.worst_slice": None})
    refused(project, "naive")
    assert project.versions == {}
    # Nothing new, nothing done: the refusal is said again, and MLflow has still one run.
    refused(project, "naive")


def test_a_model_below_the_minimum(small):
    project = small()
    project.set({"gate.minimum": 0.99})
    refused(project, "gate.minimum is 0.99")
    # With the bound put right, the same model passes, in a run of its own: MLflow changes no run's parameters.
    project.set({"gate.minimum": 0.5})
    assert "flight-delays version 1" in project.mlops("run").out
    refusal, run = project.runs
    assert (list(project.versions.values()), project.champion) == ([run["run_id"]], "1")
    assert "gate.minimum is 0.99" in refusal["mlops.gate.reason"]
    assert (refusal["mlops.model"], run["mlops.gate"]) == (run["mlops.model"], "passed")
    assert "Refused" not in (project.path / "reports/index.html").read_text(encoding="utf-8")


def test_a_model_that_is_worse_than_the_champion(small):
    project = small(ran=True)
    champion = project.versions
    project.set({"estimator.max_iter": 1, "gate.minimum": 0.5})
    told = refused(project, "of version 1 on the same rows", runs=2, champion="1")
    assert "worst slice" not in told
    assert project.versions == champion
    report = project.path / "reports/index.html"
    assert "champion (version 1)</th>" in report.read_text(encoding="utf-8")
    # The parameter put back, the report tells of the champion again.
    project.set({"estimator.max_iter": 10})
    project.mlops("run")
    assert "Registered as version 1" in report.read_text(encoding="utf-8")


def test_a_model_that_gains_too_little(small):
    project = small(ran=True)
    project.set({"estimator.max_iter": 12, "gate.minimum_gain": 0.2})
    refused(project, "gate.minimum_gain is 0.2", runs=2, champion="1")


@pytest.mark.parametrize(("task", "bound"), [("classification", 0.95), ("regression", 1.0)])
def test_a_model_with_a_slice_that_is_too_bad(small, task, bound):
    project = small(task)
    project.set({"gate.worst_slice": bound})
    refused(project, "worst slice", f"gate.worst_slice is {bound}", "rows)")


def test_features_that_look_at_other_rows(small):
    project = small()
    replace_features(
        project,
        "def build(flights: pl.DataFrame) -> pl.DataFrame:\n"
        "    return flights.select(\n"
        "        'carrier', 'origin', 'humid', above=pl.col('distance') - pl.col('distance').mean()\n"
        "    )\n",
    )
    project.set({"gate.minimum": 0.4, "gate.worst_slice": None})
    refused(project, "parity")


@pytest.mark.parametrize("column", ["arr_delay", "flight"])
def test_features_that_reach_for_what_is_not_known_when_scoring(small, column):
    """`arr_delay` is the target's; `flight` is in the contract, but not declared known."""
    project = small()
    replace_features(
        project, f"def build(flights: pl.DataFrame) -> pl.DataFrame:\n    return flights.select('{column}')\n"
    )
    told = project.refuses("run", code=2)
    assert column in told
    assert "known_when_scoring" in told
    assert not (project.path / "models/bundle").exists()
    assert project.runs == []


def test_a_target_declared_known_when_scoring(small):
    project = small()
    project.edit("PACKAGE/dataset.py", '        "visib",\n', '        "visib",\n        "arr_delay",\n')
    assert "'arr_delay'" in project.refuses("run", code=2)


def test_features_that_drop_rows(small):
    project = small()
    replace_features(
        project,
        "def build(flights: pl.DataFrame) -> pl.DataFrame:\n"
        "    return flights.select('distance', 'temp').drop_nulls()\n",
    )
    assert "one row a row" in project.refuses("run", code=2)


def test_an_estimator_that_cannot_be_fitted(small):
    project = small()
    project.set({"estimator.max_iter": -3})
    told = project.refuses("run", code=1)
    assert "max_iter" in told
    project.set({"estimator.max_iter": 3, "estimator.no_such_option": 1})
    assert "no_such_option" in project.refuses("run", code=2)
    assert not (project.path / "models/bundle").exists()


def test_a_metric_that_is_none(small):
    project = small()
    project.set({"gate.metric": "rocauc"})
    told = project.refuses("run", code=2)
    assert "rocauc" in told
    assert "roc_auc" in told
