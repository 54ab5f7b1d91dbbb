"""`mlops lineage`: from a version to what it came from, and from data and predictions to versions."""

import json

from support.template import git


def lineage(project, *arguments):
    return json.loads(project.mlops("lineage", *arguments, "--json").out)


def test_a_version_names_its_run_code_data_parameters_and_people(project):
    found = lineage(project)
    first, second = git("log", "--format=%H", "--reverse", cwd=project.path).splitlines()
    assert (found["model"], found["version"], found["status"][:14]) == ("flight-delays", "2", "champion since")
    assert found["run"] == {
        "id": project.versions["2"],
        "name": found["run"]["name"],
        "trainer": "Ann Lee <ann@example.com>",
    }
    assert (found["code"]["commit"], found["code"]["uncommitted_changes"]) == (second, None)
    assert found["data"]["md5"] == project.lock["stages"]["ingest"]["outs"][0]["md5"]
    assert found["params"]["values"]["estimator.max_iter"] == "10"
    assert found["environment"]["python"] in project.run(project.python, "--version").out
    assert found["environment"]["libraries"]["polars"]
    assert found["gate"]["result"] == "passed"
    assert [(move["action"], move["approver"]) for move in found["moves"]] == [("register", None), ("promote", "gate")]
    before = lineage(project, "1")
    assert (before["code"]["commit"], before["status"][:11]) == (first, "replaced on")
    shown = project.mlops("lineage", "1", COLUMNS="40").out
    for part in (
        "flight-delays version 1",
        before["code"]["commit"],
        "Ann Lee <ann@example.com>",
        "approved by gate",
    ):
        assert part in shown


def test_from_data_to_the_versions_that_learnt_from_them(project):
    md5 = project.lock["stages"]["ingest"]["outs"][0]["md5"]
    found = lineage(project, "--data", md5[:10])
    assert [each["lineage"]["version"] for each in found["versions"]] == ["2", "1"]
    found = lineage(project, "--data", "data/train.parquet")
    assert [each["as"] for each in found["versions"]] == [["training set"], ["training set"]]
    found = lineage(project, "--data", "data/sample/flights.parquet")
    assert [each["as"][0] for each in found["versions"]] == ["source", "source"]
    assert "no version of flight-delays was made of" in project.refuses("lineage", "--data", "0123456789", code=2)
    assert "is no file and no hash" in project.refuses("lineage", "--data", "dataset", code=2)


def test_from_predictions_to_the_versions_that_made_them(project):
    project.edit_data("frame.head(30)", target="some.parquet")
    project.mlops("score", "some.parquet", "logs/predictions/date=2013-01-01/a.parquet")
    project.mlops("rollback")
    project.edit_data("frame.slice(30, 20)", target="other.parquet")
    project.mlops("score", "other.parquet", "logs/predictions/date=2013-01-01/b.parquet")
    found = lineage(project, "--predictions", "logs/predictions")["predictions"]
    assert [(each["version"], each["rows"]) for each in found["versions"]] == [("2", 30), ("1", 20)]
    commits = [each["lineage"]["code"]["commit"] for each in found["versions"]]
    assert commits == git("log", "--format=%H", cwd=project.path).splitlines()
    name = project.script(
        "import json, polars as pl\n"
        "print(json.dumps(pl.read_parquet('logs/predictions/date=2013-01-01/b.parquet')['prediction_id'][0]))"
    )
    found = lineage(project, "--predictions", "logs/predictions", "--id", name)["predictions"]
    assert [(each["version"], each["rows"]) for each in found["versions"]] == [("1", 1)]
    assert lineage(project, "1")["predictions"]["rows"] == 20
    shown = project.mlops("lineage", "--predictions", "logs/predictions").out
    assert "30 rows" in shown
    assert "flight-delays version 2" in shown
    for question, answer in (
        (("--predictions", "logs/predictions", "--id", "none"), "no prediction 'none'"),
        (("--predictions", "some.parquet"), "has no column"),
        (("--predictions", "none.parquet"), "no such file"),
        (("1", "--predictions", "logs/predictions"), "ask for one"),
        (("--id", "x"), "say which with --predictions"),
    ):
        assert answer in project.refuses("lineage", *question, code=2)
