"""Each step run in KFP's layout of paths, from what was compiled alone: the same model as `mlops run`."""

import sqlite3
from contextlib import closing

import yaml
from clouds.kubeflow.pipelines import compiled
from support.kfp_pipeline import RUN, Player, container_of


def test_same_model_as_at_home(piped, tmp_path):
    home = piped()
    home.mlops("run")
    folder = tmp_path / "kubeflow"
    (folder / "remote").mkdir(parents=True)
    env = {
        "MLOPS_ENVIRONMENT": "local",
        "MLOPS_TRACKING_URI": f"sqlite:///{folder}/mlflow.db",
        "MLOPS_DATA_REMOTE": str(folder / "remote"),
    }
    clone = piped()
    played = Player(compiled(clone)[0], clone, folder, env)
    played.run()
    judge = played.container("judge") / "app"
    lock = yaml.safe_load((judge / "dvc.lock").read_text(encoding="utf-8"))
    for name, stage in home.lock["stages"].items():
        assert {each["path"]: each["md5"] for each in lock["stages"][name].get("outs", [])} == {
            each["path"]: each["md5"] for each in stage.get("outs", [])
        }, name
    with closing(sqlite3.connect(folder / "mlflow.db")) as connection:
        tags = dict(connection.execute("SELECT key, value FROM tags").fetchall())
    (own,) = home.runs
    assert tags["mlops.model"] == own["mlops.model"]
    assert tags["mlops.platform_run"] == RUN
    variables = {each["name"]: each["value"] for each in container_of(played.spec, "judge")["env"]}
    assert tags["mlops.commit"] == variables["MLOPS_LINEAGE_COMMIT"]
