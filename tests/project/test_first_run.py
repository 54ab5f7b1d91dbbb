"""A new project of either task and any framework is clean, and its first run registers a champion."""

import hashlib
import json
from pathlib import Path

import pytest
import yaml

READBACK = Path(__file__).with_name("readback.py").read_text(encoding="utf-8")
TASKS = ("classification", "regression")
FRAMEWORKS = ("scikit-learn", "xgboost", "lightgbm")
PAIRS = [(task, framework) for framework in FRAMEWORKS for task in TASKS]
# Each task and each framework once: their seeds do not meet in one file.
PAIRWISE = [("classification", "scikit-learn"), ("regression", "xgboost"), ("classification", "lightgbm")]
KNOWN = [
    *("scheduled_departure", "carrier", "origin", "dest", "distance", "sched_arr_time"),
    *("temp", "dewp", "humid", "wind_speed", "precip", "pressure", "visib"),
]


@pytest.mark.parametrize(("task", "framework"), PAIRS)
def test_a_first_run_registers_a_champion_that_mlflow_reads_back(first_run, task, framework):
    project, done = first_run(task, framework)
    for stage in ("ingest", "validate", "split", "train", "evaluate", "register"):
        assert stage in done.out
    assert "flight-delays version 1" in done.out
    assert done.err.strip() == "", "a run that goes well has nothing to warn of"
    assert not any(line.startswith("  ") for line in done.out.splitlines()), "nothing is folded off a terminal"

    found = project.script(READBACK, "flight-delays", 200)
    assert found["versions"] in ([1], ["1"])
    assert found["aliases"] == {"champion": "1"}
    assert found["status"] == "FINISHED"

    params = yaml.safe_load((project.path / "params.yaml").read_text(encoding="utf-8"))
    assert found["params"]["task"] == task
    assert found["params"]["data.source"] == params["data"]["source"]
    for key, value in params["estimator"].items():
        assert found["params"][f"estimator.{key}"] == str(value)

    metric, higher = ("roc_auc", True) if task == "classification" else ("mae", False)
    value, naive = found["metrics"][metric], found["metrics"][f"naive_{metric}"]
    assert value > naive if higher else value < naive
    written = json.loads((project.path / "reports/metrics.json").read_text(encoding="utf-8"))
    assert written == {name: pytest.approx(found["metrics"][name]) for name in written}

    (raw,) = project.lock["stages"]["ingest"]["outs"]
    answers = yaml.safe_load((project.path / ".copier-answers.yml").read_text(encoding="utf-8"))
    for tags in (found["tags"], found["version_tags"]):
        assert tags["mlops.commit"] == project.run("git", "rev-parse", "HEAD").out.strip()
        assert tags["mlops.dirty"] == "false"
        assert tags["mlops.data_md5"] == raw["md5"]
        assert len(tags["mlops.params_sha256"]) == 64
        assert tags["mlops.template_version"] == answers["_commit"]
    assert found["tags"]["mlops.gate"] == "passed"

    for name, context in (("train", "training"), ("test", "evaluation")):
        dataset = found["datasets"][name]
        digest = hashlib.sha256((project.path / f"data/{name}.parquet").read_bytes()).hexdigest()
        assert digest.startswith(dataset["digest"])
        assert dataset["context"] == context
        assert params["data"]["source"] in dataset["source"]
        assert dataset["rows"] > 1000

    for artifact in (
        "model/MLmodel",
        "model/bundle.json",
        "model/estimator.joblib",
        "model/requirements.txt",
        "model/code/flight_delays/features.py",
        "evaluation/evaluation.json",
        "evaluation/calibration.svg",
        "evaluation/slices.svg",
        "evaluation/predictions.svg",
        "source/params.yaml",
        "source/dvc.lock",
        "source/source.json",
        "index.html",
    ):
        assert artifact in found["artifacts"]

    assert list(found["inputs"]) == KNOWN
    outputs = ["prediction", "probability_False", "probability_True"] if task == "classification" else ["prediction"]
    assert list(found["outputs"]) == outputs == found["columns"]
    assert found["equal"] == dict.fromkeys(outputs, True)


@pytest.mark.parametrize(("task", "framework"), PAIRS)
def test_a_new_project_has_no_finding_of_ruff_and_is_formatted(first_run, task, framework):
    project, _ = first_run(task, framework)
    project.run("ruff", "check", "--no-cache", "--config", "pyproject.toml")
    project.run("ruff", "format", "--check", "--no-cache", "--config", "pyproject.toml")


@pytest.mark.parametrize(("task", "framework"), PAIRWISE[1:])
def test_a_new_project_has_no_finding_of_types_and_passes_its_own_tests(first_run, once, task, framework):
    project, _ = first_run(task, framework)
    project.run("mypy", "--cache-dir", once.base / "mypy")
    project.run("pytest", "-q", "-p", "no:cacheprovider")


def test_the_sessions_of_a_new_project_pass(first_run, once):
    project, _ = first_run(*PAIRWISE[0])
    done = project.run(
        *("uv", "run", "--no-sync", "nox", "-s", "lint", "typecheck", "tests"),
        MYPY_CACHE_DIR=once.base / "mypy",
        timeout=900,
    )
    assert "3 sessions" in done.err or done.err.count("was successful") == 3, done


def test_a_run_leaves_nothing_untracked_that_is_not_meant_for_git(first_run):
    project, _ = first_run("classification", "scikit-learn")
    changed = project.run("git", "status", "--porcelain", "--untracked-files=all").out.split("\n")
    new = {line[3:] for line in changed if line}
    assert new <= {"dvc.lock", "data/source.json", "reports/metrics.json"}
