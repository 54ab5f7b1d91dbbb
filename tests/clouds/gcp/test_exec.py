"""Each step run in KFP's layout of paths, from what was compiled alone: the same model as `mlops run`, home again."""

import json

import pytest
import yaml
from clouds.gcp.pipelines import compiled
from clouds.played import runs, same_as_at_home, shared_by_all
from support.google import BUCKET
from support.kfp_pipeline import RUN, Player
from support.vertex_pipeline import container_of


@pytest.fixture
def player(tmp_path):
    """`player(project)` plays its pipeline; the tracking store and DVC's remote are what all containers share."""
    folder = tmp_path / "vertex"
    env = shared_by_all(folder)

    def play(project, *arguments):
        spec = compiled(project, *arguments)["pipeline.yaml"]
        return Player(spec, project, folder, env, container_of=container_of)

    return play


def test_same_model_as_at_home_and_back_home(piped, player):
    home = piped()
    home.mlops("run")
    commit = home.run("git", "rev-parse", "HEAD").out.strip()
    clone = piped()
    played = player(clone)
    variables = container_of(played.spec, "judge")["env"]
    next(each for each in variables if each["name"] == "MLOPS_LINEAGE_COMMIT")["value"] = commit
    played.run()

    judge = played.container("judge") / "app"
    run = same_as_at_home(played, home)
    assert run["mlops.platform_run"] == RUN
    assert run["mlops.commit"] == commit
    assert not (judge / ".git").exists()

    # Only what is declared goes from step to step.
    root = played.container("train") / "gcs"
    came = sorted(path.relative_to(root).as_posix() for path in root.rglob("*") if path.is_file())
    of_prepare = played.stored("prepare", "x").parent.as_posix()
    assert [path for path in came if path.startswith(of_prepare)] == [
        f"{of_prepare}/data_train_parquet/train.parquet",
        f"{of_prepare}/lock/dvc.lock",
        f"{of_prepare}/lock/source.json",
    ]

    # Home again, in a clone that has run nothing, and made anew from the same.
    there = {name: played.env[name] for name in ("MLOPS_TRACKING_URI", "MLOPS_DATA_REMOTE")}
    assert "dvc.lock" in clone.mlops("pull", RUN, **there).out
    assert clone.lock["stages"]["train"] == home.lock["stages"]["train"]
    again = home.mlops("reproduce", "1", "--here", "--json", **there)
    assert json.loads(again.out.splitlines()[-1])["same"]


def test_several_machines_know_their_number_and_spot_ones_where_they_left_off(piped, player):
    project = piped()
    stages = {
        "make": {"cmd": 'env > seen; mkdir -p "$MLOPS_CHECKPOINTS"; echo it > made', "outs": ["made"]},
        "use": {"cmd": "env > used; cp made copy", "deps": ["made"], "outs": ["copy"]},
    }
    (project.path / "dvc.yaml").write_text(yaml.safe_dump({"stages": stages}), encoding="utf-8")
    needs = {"stages": {"make": {"spot": True}, "use": {"nodes": 3}}}
    (project.path / "resources.yaml").write_text(yaml.safe_dump(needs), encoding="utf-8")
    played = player(project)
    played.job("make")
    kept = played.folder / "gcs" / BUCKET / "pipeline/checkpoints/flight-delays-dev/make"
    assert kept.is_dir()
    assert f"MLOPS_CHECKPOINTS={kept}" in (played.container("make") / "app/seen").read_text(encoding="utf-8")
    names = {"workerpool0": ["job-workerpool0-0:2222"], "workerpool1": [f"job-workerpool1-{n}:2222" for n in range(2)]}
    given = played.folder / "gcs" / played.stored("use", "copy")
    for rank, (pool, index) in enumerate((("workerpool1", 1), ("workerpool1", 0), ("workerpool0", 0))):
        told = {"cluster": names, "task": {"type": pool, "index": index, "trial": ""}, "environment": "cloud"}
        played.job("use", CLUSTER_SPEC=json.dumps(told))
        seen = (played.container("use") / "app/used").read_text(encoding="utf-8").splitlines()
        assert f"MLOPS_RANK={2 - rank}" in seen
        assert "MLOPS_HOSTS=job-workerpool0-0,job-workerpool1-0,job-workerpool1-1" in seen
        assert given.exists() == (rank == 2)


def test_a_stage_a_container_and_other_data(piped, player):
    project = piped()
    project.edit_data("frame.head(3000)", target="elsewhere.parquet")
    played = player(project, "--ungrouped")
    played.parameters["data_source"] = str(project.path / "elsewhere.parquet")
    played.run()
    register = played.container("register") / "app"
    source = json.loads((register / "data/source.json").read_text(encoding="utf-8"))
    assert source["source"] == played.parameters["data_source"]
    assert len(yaml.safe_load((register / "dvc.lock").read_text(encoding="utf-8"))["stages"]) == 6
    assert len(runs(played)) == 1
    # What cannot be done ends with the code of wrong use, and what takes too long with that of `timeout`.
    container = container_of(played.spec, "ingest")
    assert container["command"][:3] == ["timeout", "--kill-after=60", "3600"]
    container["command"][2] = "0.2"
    played.job("ingest", code=124)
    container["command"][2] = "3600"
    args = container["args"]
    args[args.index("ingest")] = "nothing"
    assert "'nothing' is no stage of dvc.yaml" in played.job("ingest", code=2).err
