"""monitor.yml and train.yml are run with act: one issue while somebody has to act, and a comment on a pull request."""

import json

import pytest
from clouds.aws.pipelines import REPOSITORY, SETTINGS
from clouds.aws.test_submit import NAME, push
from clouds.conftest import piped  # noqa: F401 - a project with an image
from loop.conftest import half_year, loop  # noqa: F401 - the same project
from project.conftest import made, rendered  # noqa: F401 - which is made there
from support.executions import Executions
from support.programs import Programs
from support.template import git
from support.workflows import act

STUBS = {
    "astral-sh/setup-uv": "uv --version",
    "actions/upload-artifact": 'cp -R "$INPUT_PATH" "$STUBS/$INPUT_NAME"',
}


@pytest.fixture
def watched(loop):  # noqa: F811
    """A project whose registry goes with its files, as act copies nothing that git ignores."""
    project = loop()
    ignored = (project.path / ".gitignore").read_text(encoding="utf-8")
    kept = [line for line in ignored.splitlines() if not line.startswith(("/mlflow.db", "/mlruns"))]
    (project.path / ".gitignore").write_text("\n".join(kept) + "\n", encoding="utf-8")
    project.run("uv", "lock", "-q", timeout=600)
    project.commit()
    return project


@pytest.fixture
def hub(tmp_path):
    return Programs(tmp_path / "hub", names=["gh"])


def run(project, hub, event, *arguments, folder, code=0):
    there = hub.before(project)
    stated = ["--var", "MLOPS_TRACKING_URI=sqlite:///mlflow.db", "-s", "GITHUB_TOKEN=a-long-token-of-no-use"]
    return act(there, event, *stated, *arguments, stubs=STUBS, folder=folder, code=code)


def monitor(project, hub, name, folder):
    rows = [f"current=new/{name}.parquet", f"labels=new/{name}-labels.parquet"]
    inputs = [part for each in rows for part in ("--input", each)]
    return run(project, hub, "workflow_dispatch", "-W", ".github/workflows/monitor.yml", *inputs, folder=folder)


def test_somebody_has_to_act_so_an_issue_is_opened_and_training_started(watched, hub, tmp_path):
    monitor(watched, hub, "december", tmp_path / "act")
    (label,) = hub.asked("gh", "label")
    assert label[:3] == ["label", "create", "monitor"]
    (issue,) = hub.asked("gh", "issue", "create")
    assert "the Brier score" in issue[issue.index("--body") + 1]
    (training,) = hub.asked("gh", "workflow")
    assert training[:3] == ["workflow", "run", "train.yml"]
    assert (tmp_path / "act" / "monitor" / "index.html").is_file()


def test_a_pull_request_gets_the_metrics_of_both_sides_as_a_comment(watched, hub, tmp_path):
    base = git("rev-parse", "HEAD", cwd=watched.path)
    watched.set({"estimator.max_iter": 120, "gate.minimum_gain": -1.0})
    watched.commit()
    repository = {"full_name": "me/mine"}
    pull = {"number": 7, "base": {"sha": base}, "head": {"repo": repository}}
    event = tmp_path / "event.json"
    event.write_text(json.dumps({"pull_request": pull, "repository": repository}), encoding="utf-8")
    git("remote", "add", "origin", "https://github.com/me/mine.git", cwd=watched.path)
    hub.answer((["gh", "api", "--paginate"], "11\n", 0, 1))
    chosen = ["-W", ".github/workflows/train.yml", "-e", event]
    run(watched, hub, "pull_request", *chosen, folder=tmp_path / "act")
    search, renew = hub.asked("gh", "api")
    assert search[1] == "repos/me/mine/issues/7/comments"
    assert {"PATCH", "repos/me/mine/issues/comments/11"} <= set(renew)
    assert renew[-1].startswith("## The model of this pull request\n")
    assert "champion (version 1)" in renew[-1]
    assert "roc_auc (decides)" in renew[-1]


def test_with_a_cloud_the_workflow_tells_and_the_cloud_trains(loop, site):  # noqa: F811
    there = site(loop())
    there.variables |= {"MLOPS_TRACKING_URI": f"sqlite:///{there.project.path}/mlflow.db"}
    rows = ["--input", "current=new/december.parquet", "--input", "labels=new/december-labels.parquet"]
    there.run("workflow_dispatch", "monitor.yml", *rows, AWS_REGION="us-east-1")
    assert there.lines("logins") == ["arn:aws:iam::123456789012:role/train"]
    assert [call[-2:] for call in there.programs.asked("uv", "sync")] == [["--extra", "aws"]]
    (issue,) = there.programs.asked("gh", "issue", "create")
    assert "the Brier score" in issue[issue.index("--body") + 1]
    assert there.programs.asked("gh", "workflow") == []


def test_with_a_cloud_a_person_brings_the_pipeline_there(piped, site, aws, network):  # noqa: F811
    project, executions = piped(), Executions(aws)
    network.rule = executions.rule
    there = site(project, network)
    there.variables |= {name: value for name, value in SETTINGS.items() if name.startswith("MLOPS_")}
    aws.client("ecr").create_repository(repositoryName=REPOSITORY)
    push(project, aws)
    done = there.run("workflow_dispatch", "train.yml")
    (run,) = executions.states
    assert f"run {run}" in done.out
    definition = aws.client("sagemaker").describe_pipeline(PipelineName=NAME)["PipelineDefinition"]
    assert git("rev-parse", "HEAD", cwd=project.path) in definition
    assert there.lines("logins") == ["arn:aws:iam::123456789012:role/train"]
    # The same commit again starts nothing.
    there.run("workflow_dispatch", "train.yml")
    assert list(executions.states) == [run]
