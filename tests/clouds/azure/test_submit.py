"""A pipeline submitted: made by Azure's own package, started once for the same thing, followed, and on a schedule."""

import pytest
from clouds.azure.pipelines import SETTINGS, computes
from support.azure_ml import PLACE
from support.azure_runs import DONE, Images, Runs

NAME = "flight-delays-dev"
REPOSITORY = "flight-delays/pipeline"
RUNNING = ("Running", {"prepare": "Completed", "train": "Queued"}, None)
FAILED = ("Failed", {"prepare": "Completed", "train": "Failed"}, "The data have no rows\nand a stack trace")


@pytest.fixture
def runs(azure):
    return Runs(azure)


@pytest.fixture
def images(azure):
    return Images(azure)


@pytest.fixture
def project(piped, azure, images):
    """A project whose image is in the registry."""
    project = piped()
    settings = {**SETTINGS, "MLOPS_AZURE_PIPELINE_REPOSITORY": f"{azure.host}/{REPOSITORY}"}
    project.env.update({**settings, **azure.env, "MLOPS_POLL_SECONDS": "0.01"})
    images.push(REPOSITORY, project.mlops("image", "pipeline").out.strip())
    computes(azure)
    return project


def submitted(project, *arguments, **env):
    """What is said when it is submitted, a line each."""
    done = project.mlops("submit", "--on", "azure", *arguments, **env)
    assert done.err == "", done
    return done.out.splitlines()


def test_it_is_made_started_once_and_followed(project, azure, runs):
    runs.plan = [RUNNING, RUNNING, DONE]
    lines = submitted(project)
    assert lines[1:] == [
        "prepare: succeeded",
        "train: running",
        "train: succeeded",
        "judge: succeeded",
        "succeeded",
    ]
    run = lines[0].removeprefix("run ")
    assert list(azure.of("jobs")) == [run]
    job = azure.of("jobs")[run]["properties"]
    assert job["experimentName"] == NAME
    assert job["inputs"]["data_source"]["value"] == "data/sample/flights.parquet"
    assert job["inputs"]["data_version"]["value"] != "unknown"
    assert not job["settings"]["force_rerun"]
    commit = project.run("git", "rev-parse", "HEAD").out.strip()
    assert job["jobs"]["judge"]["environment_variables"]["MLOPS_LINEAGE_COMMIT"] == commit
    environments = [each["properties"]["image"] for each in azure.of("environments/versions").values()]
    assert {image.partition("@")[0] for image in environments} == {f"{azure.host}/{REPOSITORY}"}
    assert all("@sha256:" in image for image in environments)
    made = {each["properties"]["componentSpec"]["command"] for each in azure.of("components/versions").values()}
    assert len([command for command in made if " mlops exec " in command]) == 3

    # The same again is followed, and nothing is started; other data or another word start it.
    assert submitted(project)[0] == lines[0]
    assert len(azure.of("jobs")) == 1
    other = submitted(project, "--detach", "--token", "again")
    assert other[0] != lines[0]
    assert len(other) == 1
    assert project.mlops("status", run, "--on", "azure").out.splitlines()[-1] == "succeeded"
    assert "'nothing' is no run of flight-delays-dev" in project.refuses("status", "nothing", "--on", "azure", code=2)


def test_a_failure_is_told_and_starts_anew(project, azure, runs):
    runs.plan = [RUNNING, FAILED]
    done = project.mlops("submit", "--on", "azure", code=1)
    first = done.out.splitlines()[0].removeprefix("run ")
    assert done.err == f"mlops: the run {first} failed: train: The data have no rows\n"
    runs.plan = [DONE]
    assert submitted(project)[0] != f"run {first}"
    runs.plan = [("Canceled", {}, None)]
    assert "stopped" in project.refuses("submit", "--on", "azure", "--token", "other", code=1)


def test_what_is_missing_is_one_line(project, azure, runs, images):
    submit = ("submit", "--on", "azure", "--detach")
    nobody = {
        **dict.fromkeys(("AZURE_CLIENT_ID", "AZURE_CLIENT_SECRET", "AZURE_TENANT_ID")),
        "AZURE_TOKEN_CREDENTIALS": "prod",
    }
    images.digests.clear()
    assert "the workflow image.yml makes it" in project.refuses(*submit, code=2)
    images.push(REPOSITORY, project.mlops("image", "pipeline").out.strip())
    gone = azure.resources.pop(f"{PLACE}/computes/spot".lower())
    told = project.refuses(*submit, code=1)
    assert "cannot be started: jobs.train.compute: (ResourceNotFound)" in told
    azure.put(gone["id"], gone)
    assert "MLOPS_AZURE_WORKSPACE" in project.refuses(*submit, code=2, MLOPS_AZURE_WORKSPACE=None)
    told = project.refuses(*submit, code=1, MLOPS_AZURE_WORKSPACE="elsewhere")
    assert "cannot be started: jobs.prepare.compute: (ResourceGroupNotFound)" in told
    assert azure.of("jobs") == {}
    told = project.refuses(*submit, code=1, **nobody)
    assert "log in ('az login')" in told
    (project.path / "notes.txt").write_text("not in the image\n", encoding="utf-8")
    assert "commit them first" in project.refuses(*submit, code=2)


def test_steps_are_kept_as_components(project, azure, runs):
    lines = submitted(project, "--detach", "--register-components")
    kept = [line.removeprefix("component ").split(":") for line in lines if line.startswith("component")]
    assert [name for name, _ in kept] == ["flight_delays_judge", "flight_delays_prepare", "flight_delays_train"]
    for name, version in kept:
        spec = azure.resources[f"{PLACE}/components/{name}/versions/{version}".lower()]["properties"]["componentSpec"]
        assert spec["display_name"] == name.removeprefix("flight_delays_")
    before = len(azure.requests("PUT", "/components/flight_delays"))
    submitted(project, "--detach", "--register-components")
    assert len(azure.requests("PUT", "/components/flight_delays")) == before
    told = project.refuses("submit", "--on", "local", "--register-components", code=2)
    assert "local keeps no components" in told


def test_schedules_are_those_of_the_file(project, azure, runs):
    text = (project.path / "resources.yaml").read_text(encoding="utf-8")
    more = (
        "  retrain: {cron: '30 6 * * 5-7'}\n"
        "  score-all: {cron: '0 */6 * * *', command: 'mlops score az://mlops/new/ az://mlops/scored.parquet'}\n"
    )
    (project.path / "resources.yaml").write_text(text + more, encoding="utf-8")
    project.commit()
    azure.put(f"{PLACE}/schedules/elsewhere", azure_schedule("elsewhere", {}))
    submitted(project, "--detach")
    found = {name.removeprefix(f"{NAME}-"): each["properties"] for name, each in azure.of("schedules").items()}
    assert {name: each["trigger"]["expression"] for name, each in found.items()} == {
        "elsewhere": "0 5 * * *",
        "monitor": "0 5 * * *",
        "retrain": "30 6 * * 5,6,0",
        "score-all": "0 */6 * * *",
    }
    monitor = found["monitor"]["action"]["jobDefinition"]["jobs"]["monitor"]
    spec = azure.resources[monitor["componentId"].lower()]["properties"]["componentSpec"]
    assert spec["command"] == "cd /app && { mlops monitor --on azure || [ $? -eq 3 ]; }"
    assert not spec["is_deterministic"]
    assert monitor["environment_variables"]["MLOPS_AZURE_WORKSPACE"] == SETTINGS["MLOPS_AZURE_WORKSPACE"]
    retrain = found["retrain"]["action"]["jobDefinition"]
    assert retrain["settings"]["force_rerun"]
    assert set(retrain["jobs"]) == {"prepare", "train", "judge"}

    # What is taken out there goes here too.
    (project.path / "resources.yaml").write_text(text, encoding="utf-8")
    project.commit()
    submitted(project, "--detach")
    assert set(azure.of("schedules")) == {"elsewhere", f"{NAME}-monitor"}
    for cron in ("0 5 1 * *", "0 5 * 1 *"):
        (project.path / "resources.yaml").write_text(text.replace("0 5 * * *", cron), encoding="utf-8")
        project.commit()
        assert "put '*' for both" in project.refuses("submit", "--on", "azure", "--detach", code=2), cron


def azure_schedule(name, tags):
    """Another's schedule."""
    action = {"actionType": "CreateJob", "jobDefinition": {"jobType": "Command", "command": "true"}}
    trigger = {"triggerType": "Cron", "expression": "0 5 * * *", "timeZone": "UTC"}
    return {"properties": {"action": action, "trigger": trigger, "tags": tags, "isEnabled": True}}
