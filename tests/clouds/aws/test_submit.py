"""A pipeline submitted: created or updated, started once for the same thing, followed to its end, and on a schedule."""

import json

import pytest
from clouds.aws.pipelines import REPOSITORY, SETTINGS
from support.executions import DONE, Executions
from support.sagemaker import faults

NAME = "flight-delays-dev"
RUNNING = ("Executing", {"prepare": "Succeeded", "train": "Executing"}, None)
FAILED = ("Failed", {"prepare": "Succeeded", "train": "Failed"}, "ClientError: the data have no rows")


@pytest.fixture
def executions(network, aws):
    found = Executions(aws)
    network.rule = found.rule
    return found


@pytest.fixture
def project(piped, network, aws):
    """A project whose image is in the registry."""
    project = piped()
    project.env.update({**SETTINGS, "AWS_ENDPOINT_URL": network.url, "MLOPS_POLL_SECONDS": "0.01"})
    aws.client("ecr").create_repository(repositoryName=REPOSITORY)
    push(project, aws)
    return project


def push(project, aws):
    """The image of the project as it is."""
    tag = project.mlops("image", "pipeline").out.strip()
    manifest = {"schemaVersion": 2, "mediaType": "application/vnd.oci.image.manifest.v1+json", "of": tag}
    aws.client("ecr").put_image(repositoryName=REPOSITORY, imageManifest=json.dumps(manifest), imageTag=tag)


def definition(aws):
    return json.loads(aws.client("sagemaker").describe_pipeline(PipelineName=NAME)["PipelineDefinition"])


def test_it_is_made_started_once_and_followed(project, aws, executions):
    executions.plan = [RUNNING, RUNNING, DONE]
    done = project.mlops("submit", "--on", "aws")
    lines = done.out.splitlines()
    assert lines[1:] == [
        "prepare: succeeded",
        "train: running",
        "train: succeeded",
        "judge: succeeded",
        "succeeded",
    ]
    run = lines[0].removeprefix("run ")
    assert "@sha256:" in definition(aws)["Steps"][0]["Arguments"]["AppSpecification"]["ImageUri"]
    found = aws.client("sagemaker").list_pipeline_executions(PipelineName=NAME)["PipelineExecutionSummaries"]
    assert [each["PipelineExecutionArn"] for each in found] == [run]
    given = aws.client("sagemaker").list_pipeline_parameters_for_execution(PipelineExecutionArn=run)
    given = {each["Name"]: each["Value"] for each in given["PipelineParameters"]}
    assert given["DataSource"] == "data/sample/flights.parquet"
    assert len(given["DataVersion"]) == 64

    # The same again starts nothing; other data, or another word, do.
    assert project.mlops("submit", "--on", "aws", "--detach").out.splitlines() == [f"run {run}"]
    assert len(executions.states) == 1
    project.mlops("submit", "--on", "aws", "--detach", "--token", "again")
    project.mlops("submit", "--on", "aws", "--detach", "--data", "s3://nowhere/flights.parquet")
    assert len(executions.states) == 3
    assert project.mlops("status", run, "--on", "aws").out.splitlines()[-1] == "succeeded"
    assert project.mlops("status", run.rpartition("/")[2], "--on", "aws").out.splitlines()[-1] == "succeeded"
    assert "'nothing' is no run" in project.refuses("status", "nothing", "--on", "aws", code=2)


def test_one_that_failed_says_why_and_is_started_anew(project, executions):
    executions.plan = [RUNNING, FAILED]
    done = project.mlops("submit", "--on", "aws", code=1)
    assert "train: failed" in done.out
    assert done.err.splitlines()[-1].endswith("failed: train: ClientError: the data have no rows")
    (first,) = executions.states
    assert "no rows" in project.refuses("status", first, "--on", "aws", code=1)
    executions.ages[first] = 3600
    executions.plan = [DONE]
    project.mlops("submit", "--on", "aws")
    assert len(executions.states) == 2
    project.mlops("submit", "--on", "aws")
    assert len(executions.states) == 2


def test_what_is_not_ready_is_refused(project, aws, executions):
    for variables, said in (
        ({"MLOPS_TRACKING_URI": None}, "MLOPS_TRACKING_URI"),
        ({"MLOPS_AWS_BUCKET": None}, "MLOPS_AWS_BUCKET"),
        ({"MLOPS_AWS_PIPELINE_ROLE_ARN": None}, "MLOPS_AWS_PIPELINE_ROLE_ARN"),
    ):
        assert said in project.refuses("submit", "--on", "aws", code=2, **variables)
    with (project.path / "params.yaml").open("a", encoding="utf-8") as params:
        params.write("# Another file, another image.\n")
    told = project.refuses("submit", "--on", "aws", code=2)
    assert "there is no image" in told
    assert "image.yml makes it" in told
    push(project, aws)
    assert "commit them first" in project.refuses("submit", "--on", "aws", code=2)
    project.commit()
    assert executions.states == {}
    project.mlops("submit", "--on", "aws")


def schedules(aws):
    client = aws.client("scheduler")
    return {
        each["Name"]: client.get_schedule(Name=each["Name"], GroupName=NAME)
        for each in client.list_schedules(GroupName=NAME)["Schedules"]
    }


def test_schedules_are_those_of_resources_yaml(project, aws, executions):
    text = (project.path / "resources.yaml").read_text(encoding="utf-8")
    more = (
        "  retrain: {cron: '30 6 * * 1-5'}\n"
        "  score-all: {cron: '0 */6 1 * *', command: 'mlops score s3://bucket/new/ s3://bucket/scored.parquet'}\n"
    )
    (project.path / "resources.yaml").write_text(text + more, encoding="utf-8")
    project.commit()
    project.mlops("submit", "--on", "aws", "--detach")
    found = schedules(aws)
    assert {name: each["ScheduleExpression"] for name, each in found.items()} == {
        "monitor": "cron(0 5 * * ? *)",
        "retrain": "cron(30 6 ? * MON-FRI *)",
        "score-all": "cron(0 */6 1 * ? *)",
    }
    assert {each["Target"]["RoleArn"] for each in found.values()} == {SETTINGS["MLOPS_AWS_SCHEDULER_ROLE_ARN"]}
    assert found["retrain"]["Target"]["Arn"].endswith(f"pipeline/{NAME}")
    assert found["monitor"]["Target"]["Arn"].endswith(f"pipeline/{NAME}-monitor")
    client = aws.client("sagemaker")
    alone = json.loads(client.describe_pipeline(PipelineName=f"{NAME}-monitor")["PipelineDefinition"])
    assert faults(alone) == []
    job = alone["Steps"][0]["Arguments"]
    assert job["AppSpecification"]["ContainerEntrypoint"][-1] == "mlops monitor --on aws || [ $? -eq 3 ]"
    assert job["Environment"]["MLOPS_AWS_BUCKET"] == SETTINGS["MLOPS_AWS_BUCKET"]

    # Without the role that starts them, nothing is scheduled, and it says so.
    told = project.mlops("submit", "--on", "aws", "--detach", MLOPS_AWS_SCHEDULER_ROLE_ARN="").out
    assert "Nothing is started regularly: MLOPS_AWS_SCHEDULER_ROLE_ARN is not set" in told

    # What is taken out there goes here too.
    (project.path / "resources.yaml").write_text(text, encoding="utf-8")
    project.commit()
    project.mlops("submit", "--on", "aws", "--detach")
    assert list(schedules(aws)) == ["monitor"]
    names = {each["PipelineName"] for each in client.list_pipelines()["PipelineSummaries"]}
    assert names == {NAME, f"{NAME}-monitor"}
    (project.path / "resources.yaml").write_text(text.replace("0 5 * * *", "0 5 1 * 1"), encoding="utf-8")
    project.commit()
    assert "put '*' for the other" in project.refuses("submit", "--on", "aws", "--detach", code=2)
