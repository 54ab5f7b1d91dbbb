"""A pipeline submitted by Google's own clients: started once for the same thing, followed, and on a schedule."""

import json

import pytest
from clouds.gcp.pipelines import JOBS, REPOSITORY, SETTINGS
from support.google import BUCKET, LOCATION, LOST, NOBODY, Said, refused
from support.google_images import Images
from support.kfp_pipeline import container_of, steps
from support.vertex_runs import DONE, Runs, Schedules

NAME = "flight-delays-dev"
RUNNING = ("RUNNING", {"prepare": "SKIPPED", "train": "PENDING"}, None)
FAILED = ("FAILED", {"prepare": "SUCCEEDED", "train": "FAILED"}, "The data have no rows\nand a stack trace")


@pytest.fixture
def runs(google):
    return Runs(google)


@pytest.fixture
def schedules(google):
    return Schedules(google)


@pytest.fixture
def images(google):
    return Images(google)


@pytest.fixture
def project(piped, google, images, storage):
    """A project whose image is in the registry."""
    project = piped()
    for name, value in {**SETTINGS, **google.env, **storage.env, "MLOPS_POLL_SECONDS": "0.01"}.items():
        project.env.pop(name, None)
        project.env.update({name: value} if value is not None else {})
    images.push(f"{REPOSITORY}/pipeline", project.mlops("image", "pipeline").out.strip())
    return project


def submitted(project, *arguments, **env):
    """What is said when it is submitted, a line each."""
    done = project.mlops("submit", "--on", "gcp", *arguments, **env)
    assert done.err == "", done
    return done.out.splitlines()


def test_it_is_made_started_once_and_followed(project, google, runs, schedules, storage):
    runs.plan = [RUNNING, RUNNING, DONE]
    lines = submitted(project)
    assert lines[1:] == ["prepare: succeeded", "train: running", "train: succeeded", "judge: succeeded", "succeeded"]
    run = lines[0].removeprefix("run ")
    assert list(runs.jobs) == [f"{LOCATION}/pipelineJobs/{run}"]
    (job,) = runs.jobs.values()
    assert job["serviceAccount"] == JOBS
    assert job["labels"] == {"project": "flight-delays", "environment": "dev"}
    spec = job["pipelineSpec"]
    told = {name: each["defaultValue"] for name, each in spec["root"]["inputDefinitions"]["parameters"].items()}
    assert told["data_source"] == "data/sample/flights.parquet"
    assert len(told["data_version"]) == 64
    assert steps(spec)["prepare"]["cachingOptions"] == {"enableCache": True}
    commit = project.run("git", "rev-parse", "HEAD").out.strip()
    judge = container_of(spec, "judge")
    assert {"name": "MLOPS_LINEAGE_COMMIT", "value": commit} in judge["env"]
    image, _, digest = judge["image"].partition("@")
    assert (image, digest[:7]) == (f"{REPOSITORY}/pipeline", "sha256:")

    # What a retraining starts is the same, whichever data there will be.
    kept = json.loads(storage.read(f"pipelines/{NAME}.json"))
    assert google.models.faults("PipelineJob", kept) == []
    assert steps(kept["pipelineSpec"])["prepare"]["cachingOptions"] == {}
    assert container_of(kept["pipelineSpec"], "judge") == judge
    assert kept["runtimeConfig"] == {"gcsOutputDirectory": f"gs://{BUCKET}/pipeline"}

    # The same again is followed, and nothing is started; other data or another word start it.
    assert submitted(project)[0] == lines[0]
    assert len(runs.jobs) == 1
    other = submitted(project, "--detach", "--token", "again")
    assert other[0] != lines[0]
    assert len(other) == 1
    assert project.mlops("status", run, "--on", "gcp").out.splitlines()[-1] == "succeeded"
    assert "'nothing' is no run of flight-delays-dev" in project.refuses("status", "nothing", "--on", "gcp", code=2)


def test_a_failure_is_told_and_starts_anew(project, runs, schedules):
    runs.plan = [RUNNING, FAILED]
    done = project.mlops("submit", "--on", "gcp", code=1)
    first = done.out.splitlines()[0].removeprefix("run ")
    assert done.err == f"mlops: the run {first} failed: train: The data have no rows\n"
    runs.plan = [DONE]
    assert submitted(project)[0] != f"run {first}"
    runs.plan = [("FAILED", {}, "There is no quota for it")]
    told = project.refuses("submit", "--on", "gcp", "--token", "other", code=1)
    assert told.endswith("failed: The run failed: There is no quota for it")
    runs.plan = [("CANCELLED", {}, None)]
    assert "stopped" in project.refuses("submit", "--on", "gcp", "--token", "another", code=1)


def test_an_answer_that_is_lost_starts_nothing_twice(project, google, runs, schedules):
    def lost(call):
        runs._create(call)
        return LOST

    google.rpc("PipelineService.CreatePipelineJob", lost)
    assert "does not answer" in project.refuses("submit", "--on", "gcp", "--detach", code=1)
    google.rpc("PipelineService.CreatePipelineJob", runs._create)
    (there,) = runs.jobs
    assert submitted(project, "--detach") == [f"run {there.rpartition('/')[2]}"]
    assert len(runs.jobs) == 1
    # Another's at the same moment is the same run.
    google.rpc("PipelineService.GetPipelineJob", lambda call: refused(404, "not found"))
    assert submitted(project, "--detach") == [f"run {there.rpartition('/')[2]}"]


def test_what_is_missing_is_one_line(project, google, runs, schedules, images):
    submit = ("submit", "--on", "gcp", "--detach")
    images.pushed.clear()
    assert "the workflow image.yml makes it" in project.refuses(*submit, code=2)
    images.push(f"{REPOSITORY}/pipeline", project.mlops("image", "pipeline").out.strip())
    told = project.refuses(*submit, code=2, MLOPS_GCP_PIPELINE_REPOSITORY="mlops")
    assert "'mlops' is no repository; write REGION-docker.pkg.dev/" in told
    assert "MLOPS_GCP_PROJECT" in project.refuses(*submit, code=2, MLOPS_GCP_PROJECT=None)
    told = project.refuses(*submit, code=1, MLOPS_GCP_PROJECT="elsewhere")
    assert "cannot be started: Google Cloud says 403: Permission denied on resource project elsewhere." in told
    assert runs.jobs == {}
    told = project.refuses(*submit, code=1, **NOBODY)
    assert "log in ('gcloud auth application-default login')" in told
    told = project.refuses(*submit, code=1, MLOPS_GCP_BUCKET="nowhere")
    assert "cannot be started: Google Cloud says 404" in told
    (project.path / "notes.txt").write_text("not in the image\n", encoding="utf-8")
    assert "commit them first" in project.refuses(*submit, code=2)


def test_schedules_are_those_of_the_file(project, google, runs, schedules):
    text = (project.path / "resources.yaml").read_text(encoding="utf-8")
    more = (
        "  retrain: {cron: '30 6 1 * 5-7'}\n"
        "  score-all: {cron: '0 */6 * * *', command: 'mlops score gs://mlops/new/ gs://mlops/scored.parquet'}\n"
    )
    (project.path / "resources.yaml").write_text(text + more, encoding="utf-8")
    project.commit()
    schedules.kept["elsewhere"] = anothers("elsewhere")
    submitted(project, "--detach")
    found = {name.removeprefix(f"{NAME}-"): each for name, each in schedules.shown.items()}
    assert {name: each["cron"] for name, each in found.items()} == {
        "elsewhere": "0 5 * * *",
        "monitor": "TZ=UTC 0 5 * * *",
        "retrain": "TZ=UTC 30 6 1 * 5-7",
        "score-all": "TZ=UTC 0 */6 * * *",
    }
    monitor = found["monitor"]["createPipelineJobRequest"]["pipelineJob"]["pipelineSpec"]
    assert list(steps(monitor)) == ["monitor"]
    container = container_of(monitor, "monitor")
    assert container["command"][-1] == "mlops monitor --on gcp || [ $? -eq 3 ]"
    assert {"name": "MLOPS_GCP_BUCKET", "value": BUCKET} in container["env"]
    assert monitor["pipelineInfo"]["name"] == f"{NAME}-monitor"
    retrain = found["retrain"]["createPipelineJobRequest"]["pipelineJob"]["pipelineSpec"]
    assert set(steps(retrain)) == {"prepare", "train", "judge"}
    assert steps(retrain)["prepare"]["cachingOptions"] == {}

    # What has not changed stays as it is; another commit is what the pipeline runs from then on.
    before = {name: each["name"] for name, each in schedules.shown.items()}
    submitted(project, "--detach")
    assert {name: each["name"] for name, each in schedules.shown.items()} == before
    project.commit()
    submitted(project, "--detach")
    after = {name: each["name"] for name, each in schedules.shown.items()}
    assert {name for name in before if before[name] != after[name]} == {f"{NAME}-retrain"}
    schedules.kept[after[f"{NAME}-monitor"]]["state"] = "PAUSED"

    # What is taken out there goes here too.
    (project.path / "resources.yaml").write_text(text, encoding="utf-8")
    project.commit()
    submitted(project, "--detach")
    assert {name: each["state"] for name, each in schedules.shown.items()} == {
        "elsewhere": "ACTIVE",
        f"{NAME}-monitor": "ACTIVE",
    }


def anothers(name):
    """Another's schedule."""
    job = {"runtimeConfig": {"gcsOutputDirectory": "gs://elsewhere"}, "labels": {"project": "elsewhere"}}
    request = {"parent": LOCATION, "pipelineJob": job}
    about = {"cron": "0 5 * * *", "maxConcurrentRunCount": "1", "createPipelineJobRequest": request}
    return {"name": f"{LOCATION}/schedules/1", "displayName": name, "state": "ACTIVE", **about}


OUTCOME = "mlops.platforms.outcome"


def test_how_it_ended_is_told_where_alerts_look(project, google):
    written = []

    def answer(asked, match):
        written.extend(asked.body["timeSeries"])
        return Said(body={})

    google.route("POST", r"monitoring\.googleapis\.com", r"/v3/projects/[^/]+/timeSeries", answer)
    error = {"code": 9, "message": "The data have no rows"}
    status = {"state": "FAILED", "pipelineJobResourceName": f"{LOCATION}/pipelineJobs/x", "error": error}
    done = project.run(project.python, "-m", OUTCOME, "gcp", json.dumps(status))
    assert done.out == f"the run {LOCATION}/pipelineJobs/x: failed: The data have no rows\n"
    project.run(project.python, "-m", OUTCOME, "gcp", json.dumps({**status, "state": "SUCCEEDED", "error": {}}))
    assert [each["metric"]["type"] for each in written] == ["custom.googleapis.com/mlops/PipelineFailed"] * 2
    assert [each["points"][0]["value"]["doubleValue"] for each in written] == [1.0, 0.0]
    assert {each["metric"]["labels"]["environment"] for each in written} == {"dev"}
    refused_ = project.run(project.python, "-m", OUTCOME, "gcp", "{{status}}", code=1)
    assert refused_.err.startswith("mlops: the status of the run cannot be read: ")
