"""What tests share that play a pipeline in the folders of a platform: its runs, and the model that came of it."""

import sqlite3
from contextlib import closing

import yaml


def shared_by_all(folder):
    """Variables of containers whose tracking store and DVC remote are in a folder, which is made."""
    (folder / "remote").mkdir(parents=True)
    return {
        "MLOPS_ENVIRONMENT": "local",
        "MLOPS_TRACKING_URI": f"sqlite:///{folder}/mlflow.db",
        "MLOPS_DATA_REMOTE": str(folder / "remote"),
    }


def runs(played):
    """The tags of each run of a model."""
    with closing(sqlite3.connect(played.folder / "mlflow.db")) as connection:
        rows = connection.execute("SELECT run_uuid, key, value FROM tags").fetchall()
    found = {}
    for run, key, value in rows:
        found.setdefault(run, {})[key] = value
    return [tags for tags in found.values() if "mlops.model" in tags]


def same_as_at_home(played, home):
    """The tags of the one run, after the outputs of each stage and the model are those of `mlops run` at home."""
    lock = yaml.safe_load((played.container("judge") / "app/dvc.lock").read_text(encoding="utf-8"))
    assert list(lock["stages"]) == list(home.lock["stages"])
    for name, stage in home.lock["stages"].items():
        assert {each["path"]: each["md5"] for each in lock["stages"][name].get("outs", [])} == {
            each["path"]: each["md5"] for each in stage.get("outs", [])
        }, name
    (run,) = runs(played)
    (own,) = home.runs
    assert run["mlops.model"] == own["mlops.model"]
    return run
