"""A pipeline submitted: uploaded by Kubeflow's own client, started once for the same thing, followed, on a schedule."""

import pytest
from clouds.kubeflow.pipelines import SETTINGS, executors
from support.kfp_api import DONE

NAME, REPOSITORY = "flight-delays-dev", "flight-delays/pipeline"
RUNNING = ("RUNNING", {"prepare": "SUCCEEDED", "train": "PENDING"}, None)
FAILED = ("FAILED", {"prepare": "SUCCEEDED", "train": "FAILED"}, "The data have no rows\nand a stack trace")


@pytest.fixture
def project(piped, kubeflow, registry, tmp_path):
    """A project whose image is in the registry, of one who is logged in by a token that a file has."""
    project = piped()
    (tmp_path / "token").write_text(kubeflow.token, encoding="utf-8")
    kubeflow.by_token = True
    project.env.update(
        {
            **SETTINGS,
            "HOME": str(tmp_path),
            "MLOPS_POLL_SECONDS": "0.01",
            "MLOPS_KUBEFLOW_HOST": kubeflow.url,
            "MLOPS_KUBEFLOW_TOKEN_FILE": str(tmp_path / "token"),
            "MLOPS_KUBEFLOW_PIPELINE_REPOSITORY": f"{registry.host}/{REPOSITORY}",
        }
    )
    registry.push(REPOSITORY, project.mlops("image", "pipeline").out.strip())
    return project


def submitted(project, *arguments, **env):
    """What is said when it is submitted, a line each."""
    done = project.mlops("submit", "--on", "kubeflow", *arguments, **env)
    assert done.err == "", done
    return done.out.splitlines()


def test_it_is_uploaded_started_once_and_followed(project, kubeflow, registry):
    kubeflow.plan = [RUNNING, RUNNING, DONE]
    lines = submitted(project)
    assert lines[1:] == ["prepare: succeeded", "train: running", "train: succeeded", "judge: succeeded", "succeeded"]
    run = lines[0].removeprefix("run ")
    (kept,) = kubeflow.kept.runs.values()
    assert kept["run_id"] == run
    assert kept["service_account"] == "jobs"
    spec, platform = kubeflow.document(kept["pipeline_version_reference"]["pipeline_version_id"])
    image = spec["deploymentSpec"]["executors"]["exec-train"]["container"]["image"]
    assert image.startswith(f"{registry.host}/{REPOSITORY}@sha256:")
    assert set(executors((spec, platform))) == {"prepare", "train", "judge", "outcome"}
    assert spec["root"]["inputDefinitions"]["parameters"]["data_version"]["defaultValue"] != "unknown"
    (experiment,) = kubeflow.kept.experiments.values()
    assert (experiment["display_name"], experiment["namespace"]) == (NAME, "flight-delays-dev")

    # The same again is followed, and nothing is uploaded or started; another word starts it.
    before = len(kubeflow.kept.versions)
    assert submitted(project)[0] == lines[0]
    assert len(kubeflow.kept.runs) == 1
    other = submitted(project, "--detach", "--token", "again")
    assert other[0] != lines[0]
    assert len(other) == 1
    assert len(kubeflow.kept.versions) == before
    assert project.mlops("status", run, "--on", "kubeflow").out.splitlines()[-1] == "succeeded"
    assert "'nothing' is no run of flight-delays-dev" in project.refuses(
        "status", "nothing", "--on", "kubeflow", code=2
    )

    # Another commit is another version of the same pipeline.
    project.commit()
    submitted(project, "--detach")
    assert len(kubeflow.kept.versions) > before
    assert sorted(each["display_name"] for each in kubeflow.kept.pipelines.values()) == [NAME, f"{NAME}-monitor"]


def test_a_failure_is_told_and_starts_anew(project, kubeflow):
    kubeflow.plan = [RUNNING, FAILED]
    done = project.mlops("submit", "--on", "kubeflow", code=1)
    first = done.out.splitlines()[0].removeprefix("run ")
    assert done.err == f"mlops: the run {first} failed: train: The data have no rows\n"
    kubeflow.plan = [DONE]
    assert submitted(project)[0] != f"run {first}"
    kubeflow.plan = [("CANCELED", {}, None)]
    assert "stopped" in project.refuses("submit", "--on", "kubeflow", "--token", "other", code=1)


def test_an_installation_for_one_user_knows_no_namespaces(project, kubeflow):
    kubeflow.multi_user = False
    submitted(project)
    assert all("namespace" not in each for each in kubeflow.kept.pipelines.values())


def test_what_is_missing_is_one_line(project, kubeflow, registry, tmp_path):
    submit = ("submit", "--on", "kubeflow", "--detach")
    nowhere = {"MLOPS_KUBEFLOW_HOST": "http://127.0.0.1:9"}
    assert "cannot be started: " in project.refuses(*submit, code=1, **nowhere)
    (tmp_path / "old").write_text("an old token", encoding="utf-8")
    told = project.refuses(*submit, code=1, MLOPS_KUBEFLOW_TOKEN_FILE=tmp_path / "old")
    assert "the cluster says 401 Request header error" in told
    told = project.refuses(*submit, code=2, MLOPS_KUBEFLOW_TOKEN_FILE=tmp_path / "none")
    assert "MLOPS_KUBEFLOW_TOKEN_FILE: there is no file" in told
    told = project.refuses(*submit, code=1, MLOPS_KUBEFLOW_NAMESPACE="elsewhere")
    assert "the cluster says 403 User 'tests' is not authorized in elsewhere" in told
    assert not kubeflow.kept.runs
    registry.digests.clear()
    assert "the workflow image.yml makes it" in project.refuses(*submit, code=2)


def test_images_of_any_registry(project, kubeflow, registry, tmp_path):
    def looked(code=0, **env):
        return project.mlops("image", "pipeline", "--on", "kubeflow", "--json", code=code, **env)

    for way in ("basic", "bearer"):
        registry.way = way
        assert '"digest": "sha256:' in looked(**registry.login(tmp_path / "docker")).out
        done = looked(1, DOCKER_CONFIG=tmp_path / "nowhere")
        assert f"lets nobody in without a login that may pull; 'docker login {registry.host}' makes one" in done.err
    for repository, told in {
        "flight-delays/pipeline": "names no registry",
        "registry.example.com/pipeline:latest": "is no repository",
        "127.0.0.1:9/pipeline": "does not answer as a registry",
    }.items():
        setting = {"MLOPS_KUBEFLOW_PIPELINE_REPOSITORY": repository}
        done = project.mlops("submit", "--on", "kubeflow", code=None, **setting)
        assert done.code in (1, 2), done
        assert told in done.err, done


def test_schedules_are_those_of_the_file(project, kubeflow):
    text = (project.path / "resources.yaml").read_text(encoding="utf-8")
    more = (
        "  retrain: {cron: '30 6 * * 5-7'}\n"
        "  score-all: {cron: '0 */6 1 * *', command: 'mlops score s3://a/new/ s3://a/scored.parquet'}\n"
    )
    (project.path / "resources.yaml").write_text(text + more, encoding="utf-8")
    project.commit()
    other = kubeflow._keep("experiments", "experiment_id", {"display_name": "other", "namespace": kubeflow.namespace})
    theirs = kubeflow._keep("recurring", "recurring_run_id", {"experiment_id": other["experiment_id"]})
    submitted(project, "--detach")
    ours = {each["display_name"]: each for each in kubeflow.kept.recurring.values() if each is not theirs}
    assert {name: each["trigger"]["cron_schedule"]["cron"] for name, each in ours.items()} == {
        f"{NAME}-monitor": "0 0 5 * * *",
        f"{NAME}-retrain": "0 30 6 * * 5,6,0",
        f"{NAME}-score-all": "0 0 */6 1 * *",
    }
    assert all(each["no_catchup"] and int(each["max_concurrency"]) == 1 for each in ours.values())
    spec, platform = kubeflow.document(_version(ours[f"{NAME}-monitor"]))
    container = spec["deploymentSpec"]["executors"]["exec-monitor"]["container"]
    assert container["command"][3:] == ["sh", "-c", "mlops monitor --on kubeflow || [ $? -eq 3 ]"]
    variables = {each["name"]: each["value"] for each in container["env"]}
    assert variables["MLOPS_KUBEFLOW_PUSHGATEWAY"] == "http://pushgateway:9091"
    assert "MLOPS_KUBEFLOW_TOKEN_FILE" not in variables
    assert set(executors((spec, platform))) == {"monitor", "outcome"}
    # Which data there will be nobody knows: what reads them is not taken from before.
    spec, _ = kubeflow.document(_version(ours[f"{NAME}-retrain"]))
    assert spec["root"]["inputDefinitions"]["parameters"]["data_version"]["defaultValue"] == "unknown"

    # The same again changes nothing; what is taken out there goes here too, and what others have stays.
    before = set(kubeflow.kept.recurring)
    submitted(project, "--detach")
    assert set(kubeflow.kept.recurring) == before
    (project.path / "resources.yaml").write_text(text.replace("0 5 * * *", "15 5 * * *"), encoding="utf-8")
    project.commit()
    submitted(project, "--detach")
    (monitor,) = [each for each in kubeflow.kept.recurring.values() if each is not theirs]
    assert monitor["trigger"]["cron_schedule"]["cron"] == "0 15 5 * * *"
    assert theirs["recurring_run_id"] in kubeflow.kept.recurring


def _version(recurring):
    return recurring["pipeline_version_reference"]["pipeline_version_id"]
