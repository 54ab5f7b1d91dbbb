"""Retraining: it has a reason or does nothing, promotes or refuses for a true one, and can be killed and doubled."""

import json
import signal
from pathlib import Path

from project.test_killed import KILLING
from support.environment import changed

DECEMBER = ("new/december.parquet", "--labels", "new/december-labels.parquet")
SUMMER = ("new/q3.parquet", "--labels", "new/q3-labels.parquet")


def outcome(project):
    return json.loads((project.path / "reports/retrain/retrain.json").read_text(encoding="utf-8"))


def test_without_a_reason_nothing_is_trained(loop):
    project = loop()
    project.mlops("retrain", code=0)
    assert outcome(project)["outcome"] == "nothing"
    assert list(project.versions) == ["1"]


def test_drift_without_newer_data_says_so(loop):
    project = loop()
    project.mlops("retrain", *DECEMBER, code=3)
    told = outcome(project)
    assert (told["outcome"], told["champion"]) == ("same", "1")
    assert "nothing newer to learn from" in told["paragraph"]
    assert list(project.versions) == ["1"]


def test_a_fresh_window_is_learnt_and_judged_on_rows_that_neither_saw(loop):
    project = loop()
    project.set({"data.until": "2013-10-01"})
    done = project.mlops("retrain", *SUMMER, code=None)
    told = outcome(project)
    assert any("share of late" in reason for reason in told["reasons"]), done
    assert any("labelled rows came" in reason for reason in told["reasons"])
    (run,) = [run for run in project.runs if run.get("mlops.retrain")]
    assert run["mlops.retrain.paragraph"] == told["paragraph"]
    if told["outcome"] == "promoted":
        assert (done.code, project.champion, told["champion_before"]) == (0, "2", "1")
        assert "interval of the gain" in told["paragraph"]
    else:
        assert (done.code, told["outcome"], project.champion) == (3, "refused", "1")
        assert "of version 1 on the same rows" in told["paragraph"]
    # Again: the same rows are no news to a champion that was tested on them, and a refusal stands.
    again = project.mlops("retrain", *SUMMER, code=None)
    assert again.code == (0 if told["outcome"] == "promoted" else 3), again
    assert outcome(project)["outcome"] == ("nothing" if told["outcome"] == "promoted" else "refused")
    assert len(project.versions) == (2 if told["outcome"] == "promoted" else 1)


def test_a_worse_challenger_is_refused_and_the_champion_stays(loop):
    project = loop()
    project.set({"estimator.max_iter": 1, "estimator.max_leaf_nodes": 2})
    project.mlops("retrain", *DECEMBER, code=3)
    told = outcome(project)
    assert (told["outcome"], project.champion) == ("refused", "1")
    assert "champion: roc_auc" in told["paragraph"]


def test_an_unfair_challenger_is_refused(loop):
    """Better or equal over all rows would not help it: one carrier's flights are scored by nothing at all."""
    project = loop()
    project.set({"gate.minimum_gain": -1.0, "gate.worst_slice": None})
    project.edit(
        "PACKAGE/features.py",
        "    return flights.select(\n",
        "    blind = pl.col('carrier') == 'EV'\n"
        "    numbers = [name for name, dtype in flights.schema.items() if dtype == pl.Float32]\n"
        "    flights = flights.with_columns(\n"
        "        *(pl.when(~blind).then(name).alias(name) for name in numbers),\n"
        "        scheduled_departure=pl.when(~blind).then('scheduled_departure'),\n"
        "        sched_arr_time=pl.when(~blind).then('sched_arr_time'),\n"
        "        distance=pl.when(~blind).then('distance'),\n"
        "        dest=pl.when(~blind).then('dest'),\n"
        "        origin=pl.when(~blind).then('origin'),\n"
        "    )\n"
        "    return flights.select(\n",
    )
    told = project.refuses("run", code=1)
    assert "slice against champion" in told
    assert "carrier = EV" in told
    assert project.champion == "1"


def test_a_slow_challenger_is_refused(loop):
    project = loop()
    project.set({"gate.latency_ms": 200, "gate.minimum_gain": -1.0})
    project.edit(
        "PACKAGE/features.py",
        "    return flights.select(\n",
        "    import time\n\n    time.sleep(0.3)\n    return flights.select(\n",
    )
    told = project.refuses("run", code=1)
    assert "gate.latency_ms is 200" in told
    assert project.champion == "1"


def test_two_at_once_cannot_both_promote(loop):
    import subprocess

    project = loop()
    project.set({"data.until": "2013-10-01", "gate.minimum_gain": -1.0})
    processes = [
        subprocess.Popen(
            ["mlops", "retrain", *SUMMER],
            cwd=project.path,
            env=changed(project.env, {}),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        for _ in range(2)
    ]
    ended = [(process.communicate(timeout=600), process.returncode) for process in processes]
    codes = sorted(code for _, code in ended)
    assert codes == [0, 1], ended
    (refused,) = [err for (_, err), code in ended if code == 1]
    assert "another 'mlops retrain' is at work" in refused
    assert (list(project.versions), project.champion) == (["1", "2"], "2")


def test_killed_in_between_it_goes_on(loop):
    project = loop()
    project.set({"data.until": "2013-10-01", "gate.minimum_gain": -1.0})
    for place in ("after mlops.pipeline.split:run", "after mlops.pipeline.train:run"):
        done = project.mlops("retrain", *SUMMER, code=None, PYTHONPATH=KILLING, KILL_AT=place)
        assert done.code == -signal.SIGKILL, f"{place}: {done}"
        assert project.champion == "1"
    done = project.mlops("retrain", *SUMMER, code=0)
    assert "interrupted" in done.out
    told = outcome(project)
    assert (told["outcome"], project.champion, list(project.versions)) == ("promoted", "2", ["1", "2"])
    assert any("share of late" in reason for reason in told["reasons"]), "why it was begun is not forgotten"
    assert not Path(project.path, ".mlops/retrain.json").exists()
