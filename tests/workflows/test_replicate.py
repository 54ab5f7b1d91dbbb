"""replicate.yml is run with act: logged in to both clouds, it brings the champion to the second."""

from support import workspace as workspaces
from workflows.conftest import AZURE

SECOND = {
    "MLOPS_SECOND_PLATFORM": "azure",
    "MLOPS_TRACKING_URI": "arn:aws:sagemaker:us-east-1:123456789012:mlflow-tracking-server/shared",
    "MLOPS_AZURE_TRACKING_URI": "azureml://eastus.api.azureml.ms/mlflow/v2.0/of-the-second",
    **{name: value for name, value in AZURE.items() if name != "MLOPS_PLATFORM"},
}


def test_it_logs_in_to_both_clouds_and_replicates(project, site, github):
    there = site(workspaces.workspace(project(clouds=["aws", "azure"])))
    there.programs.answer((["mlops", "replicate"], "brought\n", 0))
    there.run("schedule", "replicate.yml", *github, **SECOND)
    assert there.lines("logins") == ["identity/train", "arn:aws:iam::123456789012:role/train"]
    assert [call[-2:] for call in there.programs.asked("uv", "sync") if "--extra" in call] == [
        ["--extra", "azure"],
        ["--extra", "aws"],
    ]
    (asked,) = there.programs.asked("uv", "replicate")
    assert asked == ["run", "mlops", "replicate", "--on", "azure"]
    there.run("workflow_dispatch", "replicate.yml", "--input", "all=true", *github, **SECOND)
    assert there.programs.asked("uv", "replicate")[-1] == ["run", "mlops", "replicate", "--on", "azure", "--all"]


def test_without_a_second_cloud_it_does_nothing(project, site):
    there = site(workspaces.workspace(project(clouds=["aws", "azure"])))
    there.run("schedule", "replicate.yml")
    assert there.lines("logins") == []
    assert there.programs.asked("uv") == []
