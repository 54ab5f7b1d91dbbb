"""Each job run in Azure's layout of paths, from what was compiled alone: the same model as `mlops run`, home again."""

import json

import pytest
import yaml
from clouds.azure.pipelines import compiled
from clouds.played import runs, same_as_at_home, shared_by_all
from support.azure_pipeline import FILE, ROOT_RUN, Player


@pytest.fixture
def player(tmp_path):
    """`player(project)` plays its pipeline; the tracking store and DVC's remote are what all containers share."""
    folder = tmp_path / "azure"
    env = shared_by_all(folder)
    return lambda project, *arguments: Player(compiled(project, *arguments), project, folder, env)


def test_same_model_as_at_home_and_back_home(piped, player):
    home = piped()
    home.mlops("run")
    commit = home.run("git", "rev-parse", "HEAD").out.strip()
    clone = piped()
    played = player(clone)
    played.files[FILE]["jobs"]["judge"]["environment_variables"]["MLOPS_LINEAGE_COMMIT"] = commit
    played.run()

    judge = played.container("judge") / "app"
    run = same_as_at_home(played, home)
    assert run["mlops.platform_run"] == ROOT_RUN
    assert run["mlops.commit"] == commit
    assert not (judge / ".git").exists()

    # Only what is declared goes from job to job.
    train = played.container("train") / "mnt/azureml/cr/j/0123456789abcdef/cap/data-capability/wd"
    came = sorted(path.name for path in train.iterdir() if path.name.startswith("INPUT_"))
    assert came == ["INPUT_data_train_parquet", "INPUT_lock__prepare"]

    # Home again, in a clone that has run nothing.
    there = {name: played.env[name] for name in ("MLOPS_TRACKING_URI", "MLOPS_DATA_REMOTE")}
    assert "dvc.lock" in clone.mlops("pull", ROOT_RUN, **there).out
    assert clone.lock["stages"]["train"] == home.lock["stages"]["train"]


def test_a_job_is_tried_again_and_several_machines_know_their_number(piped, player, tmp_path):
    project = piped()
    tried = tmp_path / "tried"
    stages = {
        "make": {"cmd": f"echo once >> {tried} && [ $(wc -l < {tried}) -gt 1 ] && echo it > made", "outs": ["made"]},
        "use": {"cmd": "env > used; cp made copy", "deps": ["made"], "outs": ["copy"]},
    }
    (project.path / "dvc.yaml").write_text(yaml.safe_dump({"stages": stages}), encoding="utf-8")
    needs = {"stages": {"use": {"nodes": 2, "retries": 0}}}
    (project.path / "resources.yaml").write_text(yaml.safe_dump(needs), encoding="utf-8")
    played = player(project)
    played.job("make")
    assert tried.read_text(encoding="utf-8") == "once\nonce\n"
    for rank in ("1", "0"):
        played.job("use", MASTER_ADDR="10.0.0.4", NODE_RANK=rank)
        seen = (played.container("use") / "app/used").read_text(encoding="utf-8").splitlines()
        assert f"MLOPS_RANK={rank}" in seen
        assert "MLOPS_HOSTS=10.0.0.4,10.0.0.4+1" in seen
        given = played.container("use") / "mnt/azureml/cr/j/0123456789abcdef/cap/data-capability/wd/copy"
        assert (given / "copy").exists() == (rank == "0")
        if rank == "1":
            for output in ("copy", "lock"):
                assert not any(played.stored("use", output).iterdir())
                played.stored("use", output).rmdir()
    # What cannot be done is not tried again.
    tried.unlink()
    component = played.files["components/make.yml"]
    component["command"] = component["command"].replace('exec "make"', 'exec "nothing"')
    played.job("make", code=2)
    assert not tried.exists()
    assert json.dumps(runs(played) if (played.folder / "mlflow.db").exists() else []) == "[]"


def test_a_stage_a_container_and_other_data(piped, player):
    project = piped()
    project.edit_data("frame.head(3000)", target="elsewhere.parquet")
    played = player(project, "--ungrouped")
    played.inputs["data_source"] = str(project.path / "elsewhere.parquet")
    played.run()
    register = played.container("register") / "app"
    source = json.loads((register / "data/source.json").read_text(encoding="utf-8"))
    assert source["source"] == played.inputs["data_source"]
    assert len(yaml.safe_load((register / "dvc.lock").read_text(encoding="utf-8"))["stages"]) == 6
    assert len(runs(played)) == 1
