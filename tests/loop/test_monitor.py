"""The monitor on what came after training: it finds what changed, and seasons alone never say "act"."""

import json
import re


def report(project):
    return json.loads((project.path / "reports/monitor/monitor.json").read_text(encoding="utf-8"))


def watch(project, name, *arguments, code, labels=True):
    extra = ["--labels", f"new/{name}-labels.parquet"] if labels else []
    project.mlops("monitor", f"new/{name}.parquet", *extra, *arguments, code=code)
    return report(project)


def acting(content):
    return {each["about"] for each in content["findings"] if each["act"]}


def test_december_is_flagged_by_brier_score_and_label_drift(loop):
    content = watch(loop(), "december", code=3)
    assert acting(content) == {"performance", "labels"}
    performance = content["performance"]
    assert performance["metric"] == "brier"
    assert performance["current"] > performance["reference"]
    assert 0 < performance["low"] < performance["difference"] < performance["high"]
    assert content["labels"]["current"]["True"] > 0.3 > content["labels"]["reference"]["True"]
    assert content["retrain"]


def test_july_to_september_finds_what_changed(loop, opens_well):
    project = loop()
    content = watch(project, "q3", code=3)
    assert acting(content) == {"labels"}
    (finding,) = [each for each in content["findings"] if each["act"]]
    assert "the last 28 days" in finding["text"]
    assert finding["since"] >= "2013-08"
    moved = {column["name"] for column in content["columns"] if column["moved"]}
    assert {"temp", "dewp"} <= moved
    assert not moved & {"origin", "distance"}
    (dest,) = [column for column in content["columns"] if column["name"] == "dest"]
    shares = [share["reference"] for share in dest["shares"]]
    assert shares == sorted(shares, reverse=True), "of many values those are shown that most rows have"
    assert shares[0] > 0.04
    assert content["current"]["labelled"] == 7002
    page = (project.path / "reports/monitor/index.html").read_text(encoding="utf-8")
    assert page.count("<svg") == 4
    assert not re.search(r"""(?:src|href)=["'](?!data:|#)""", page), "nothing is loaded from elsewhere"
    assert "Act." in opens_well(project.path / "reports/monitor/index.html")


def test_its_own_hold_out_is_not_flagged(loop):
    project = loop()
    project.mlops("monitor", "data/test.parquet", code=0)
    content = report(project)
    assert acting(content) == set()
    assert content["performance"]["difference"] == 0
    assert content["current"]["labelled"] == content["current"]["rows"]
    assert any(column["moved"] for column in content["columns"]), "seasonal drift is reported all the same"


def test_the_same_question_has_one_run(loop):
    project = loop()
    for _ in range(2):
        watch(project, "december", code=3)
    (run,) = [run for run in project.runs if run.get("mlops.kind") == "monitoring"]
    assert run["mlops.verdict"] == "act"


def test_broken_data_call_for_somebody_but_not_for_training(loop):
    project = loop()
    project.edit_data(
        "frame.with_columns(distance=pl.when(pl.int_range(pl.len()) % 5 == 0).then(-1).otherwise('distance')"
        ".cast(pl.Int32))",
        source="new/december.parquet",
        target="new/broken.parquet",
    )
    project.mlops("monitor", "new/broken.parquet", code=3)
    content = report(project)
    assert acting(content) == {"quality"}
    assert not content["retrain"]


def test_wrong_use_is_one_line(loop):
    project = loop()
    december = "new/december.parquet"
    assert "no such file" in project.refuses("monitor", "new/nothing.parquet", code=2)
    assert "is no date" in project.refuses("monitor", december, "--since", "soon", code=2)
    backwards = ["--since", "2013-12-02", "--until", "2013-12-01"]
    assert "is not before" in project.refuses("monitor", december, *backwards, code=2)
    assert "has no rows in this period" in project.refuses("monitor", december, "--until", "2013-01-01", code=1)
    assert "has no label" in project.refuses("monitor", december, "--labels", december, code=2)
    other = "new/q3-labels.parquet"
    assert "joined by scheduled_departure" in project.refuses("monitor", december, "--labels", other, code=1)
    assert "no predictions in logs/predictions" in project.refuses("monitor", code=2)
