"""Each step run as SageMaker runs it, from the definition alone: the same model as `mlops run`, at home again later."""

import json
import tarfile

import pytest
import yaml
from clouds.aws.pipelines import BUCKET, compiled
from clouds.played import runs, same_as_at_home
from support.aws import CREDENTIALS, REGION
from support.sagemaker import EXECUTION, Player


@pytest.fixture
def account(aws):
    aws.client("s3").create_bucket(Bucket=BUCKET)
    return aws


def player(project, account, folder, *arguments, **env):
    """A player of a project's pipeline, whose tracking store is a file that all containers share."""
    there = {**CREDENTIALS, "AWS_REGION": REGION, "AWS_ENDPOINT_URL": account.url, "MLOPS_ENVIRONMENT": "local"}
    store = {"MLOPS_TRACKING_URI": f"sqlite:///{folder}/mlflow.db"}
    folder.mkdir(exist_ok=True)
    return Player(compiled(project, *arguments), project, folder, {**there, **store, **env})


def test_same_model_as_at_home_and_back_home(piped, account, tmp_path):
    home = piped()
    home.mlops("run")
    commit = home.run("git", "rev-parse", "HEAD").out.strip()
    cloud = piped()
    played = player(cloud, account, tmp_path / "sagemaker")
    played.definition["Steps"][-1]["Arguments"]["Environment"]["MLOPS_LINEAGE_COMMIT"] = commit
    played.run()

    judge = played.container("judge") / "app"
    there = type(home)(judge, home.env)
    store = {"MLOPS_TRACKING_URI": played.env["MLOPS_TRACKING_URI"]}
    run = same_as_at_home(played, home)
    assert run["mlops.platform_run"] == EXECUTION["Execution.PipelineExecutionArn"]
    assert run["mlops.commit"] == commit
    assert run["mlops.dirty"] == "false"
    assert not (there.path / ".git").exists()

    # Only what is declared goes from step to step.
    train = played.container("train") / "opt/ml/input/data"
    assert sorted(path.name for path in train.iterdir()) == ["prepare_data-train-parquet", "prepare_lock"]
    # What the judge had besides, no other step's key for the cache has.
    for name in ("prepare", "train"):
        step = next(step for step in played.definition["Steps"] if step["Name"] == name)
        assert "LINEAGE" not in json.dumps(step)

    # Home again, in a clone that has run nothing.
    clone = cloud
    remote = {"MLOPS_DATA_REMOTE": f"s3://{BUCKET}/dvc", "AWS_ENDPOINT_URL": account.url, **CREDENTIALS}
    told = clone.mlops("pull", EXECUTION["Execution.PipelineExecutionArn"], AWS_REGION=REGION, **store, **remote)
    assert "dvc.lock" in told.out
    assert clone.lock["stages"]["train"] == home.lock["stages"]["train"]
    assert clone.run("dvc", "status", "evaluate", "train", "split", "validate", "ingest").out.strip() in (
        "",
        "Data and pipelines are up to date.",
    )
    assert "nothing to do" not in clone.refuses("pull", "nowhere", code=2, **store, **remote)
    (clone.path / "dvc.lock").write_text("schema: '2.0'\nstages: {}\n", encoding="utf-8")
    assert "--force" in clone.refuses("pull", "1", code=2, **store, **remote)
    clone.mlops("pull", "1", "--force", AWS_REGION=REGION, **store, **remote)
    assert clone.lock["stages"]["train"] == home.lock["stages"]["train"]

    again = home.mlops("reproduce", "1", "--here", "--json", AWS_REGION=REGION, **store, **remote)
    assert json.loads(again.out.splitlines()[-1])["same"]


@pytest.fixture
def alone(piped):
    """A project of two stages with commands of their own, and a folder for artifacts."""
    project = piped()
    write = "mkdir -p work/made && echo made > work/made/file && ln -s file work/made/link"
    stages = {
        "make": {"cmd": write, "outs": ["work/made"]},
        "use": {
            "cmd": "cat work/made/link > work/used && env > work/env",
            "deps": ["work/made"],
            "outs": ["work/used"],
        },
    }
    (project.path / "dvc.yaml").write_text(yaml.safe_dump({"stages": stages}), encoding="utf-8")
    return project


def test_artifacts_are_whole_and_faults_are_told(alone, tmp_path):
    project, out = alone, tmp_path / "out"
    failure = tmp_path / "reasons" / "failure"
    make = ("exec", "make", f"--output=work/made={out}/made", f"--output=dvc.lock={out}/lock")
    project.mlops(*make)
    assert (out / "made/made/link").read_text(encoding="utf-8") == "made\n"
    assert not (out / "made/made/link").is_symlink()
    use = ("exec", "use", f"--input=dvc.lock={out}/lock", f"--output=work/used={out}/used", f"--failure={failure}")
    packed = tmp_path / "model.tar.gz"
    with tarfile.open(packed, "w:gz") as archive:
        archive.add(out / "made", "made")
    for place in (out / "made", packed / "made"):
        project.run("rm", "-rf", "work")
        project.mlops(*use, f"--input=work/made={place}")
        assert (out / "used/used").read_text(encoding="utf-8") == "made\n"
        assert list(project.lock["stages"]) == ["make", "use"]
    assert not failure.exists()
    told = project.refuses(*use, f"--input=work/made={tmp_path}/nowhere", code=1)
    assert "'work/made' did not come" in told
    assert failure.read_text(encoding="utf-8").strip() == told.removeprefix("mlops: ")
    packed.write_bytes(b"no archive")
    assert "cannot be unpacked" in project.refuses(*use, f"--input=work/made={packed}/made", code=1)
    assert "'nothing' is no stage" in project.refuses("exec", "nothing", code=2)
    assert "write NAME=PATH" in project.refuses("exec", "make", "--output=work", code=2)
    (project.path / "work/empty").mkdir()
    for name, said in (("other", "was not made"), ("empty", "is an empty folder")):
        told = project.mlops("exec", "make", f"--output=work/{name}={out}", code=1).err.splitlines()
        assert told[-1].startswith(f"mlops: 'work/{name}' {said}")


def test_of_several_machines_the_first_gives(alone, tmp_path):
    project, hosts = alone, tmp_path / "hosts.json"
    project.mlops("exec", "make", f"--output=dvc.lock={tmp_path}/lock")
    for host in ("algo-2", "algo-1"):
        hosts.write_text(json.dumps({"current_host": host, "hosts": ["algo-1", "algo-2"]}), encoding="utf-8")
        out = tmp_path / host
        project.mlops("exec", "use", "--hosts", hosts, f"--input=dvc.lock={tmp_path}/lock", f"--output=work/used={out}")
        seen = (project.path / "work/env").read_text(encoding="utf-8").splitlines()
        assert f"MLOPS_RANK={int(host[-1]) - 1}" in seen
        assert "MLOPS_HOSTS=algo-1,algo-2" in seen
        assert out.exists() == (host == "algo-1")


def test_a_stage_a_container_and_other_data(piped, account, tmp_path):
    project = piped()
    key = "flights/2013.parquet"
    account.client("s3").upload_file(str(project.path / "data/sample/flights.parquet"), BUCKET, key)
    played = player(project, account, tmp_path / "sagemaker", "--ungrouped")
    played.parameters["DataSource"] = f"s3://{BUCKET}/{key}"
    played.run()
    register = played.container("register") / "app"
    assert f"source: s3://{BUCKET}/{key}" in (register / "params.yaml").read_text(encoding="utf-8")
    assert len(yaml.safe_load((register / "dvc.lock").read_text(encoding="utf-8"))["stages"]) == 6
    source = json.loads((register / "data/source.json").read_text(encoding="utf-8"))
    assert source["source"] == f"s3://{BUCKET}/{key}"
    assert len(runs(played)) == 1
