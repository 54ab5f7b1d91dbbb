"""Each step run in KFP's layout of paths, from what was compiled alone: the same model as `mlops run`."""

from clouds.kubeflow.pipelines import compiled
from clouds.played import same_as_at_home, shared_by_all
from support.kfp_pipeline import RUN, Player, container_of


def test_same_model_as_at_home(piped, tmp_path):
    home = piped()
    home.mlops("run")
    folder = tmp_path / "kubeflow"
    env = shared_by_all(folder)
    clone = piped()
    played = Player(compiled(clone)[0], clone, folder, env)
    played.run()
    tags = same_as_at_home(played, home)
    assert tags["mlops.platform_run"] == RUN
    variables = {each["name"]: each["value"] for each in container_of(played.spec, "judge")["env"]}
    assert tags["mlops.commit"] == variables["MLOPS_LINEAGE_COMMIT"]
