"""infra.yml is run with act: what a pull request shows, what the main branch applies, what the night finds."""

import json

import pytest
from support import workspace as workspaces


def changing(*environments):
    """Answers of a Terraform in which these environments are to change."""
    plans = [([f"-var-file=../environments/{name}.tfvars"], f"planned {name}\n", 2) for name in environments]
    return [*plans, (["show"], "Terraform will change the bucket.\n", 0)]


@pytest.fixture
def infra(site, project):
    return site(workspaces.workspace(project(clouds=["aws"])))


def test_a_pull_request_is_checked_and_shown_its_plans(infra, tmp_path):
    infra.programs.answer(*changing("prod"))
    repository = {"full_name": "me/mine"}
    pull = {"number": 7, "head": {"repo": repository}}
    event = tmp_path / "event.json"
    event.write_text(json.dumps({"pull_request": pull, "repository": repository}), encoding="utf-8")

    infra.run("pull_request", "infra.yml", "-e", event)

    terraform = infra.programs.asked("terraform")
    assert terraform[0] == ["fmt", "-check", "-diff", "-recursive", "infra"]
    modules = {path.parent.name for path in (infra.project.path / "infra/aws").glob("*/*.tf")}
    assert {"bootstrap", "platform", "project"} <= modules
    for module in modules:
        here = f"-chdir=infra/aws/{module}/"
        assert [call[1] for call in terraform if call[0] == here] == ["init", "validate", "test"]
    (comment,) = infra.programs.asked("gh", "pr", "comment")
    assert comment[2] == "7"
    assert "Terraform will change the bucket." in comment[-1]
    assert "<summary>prod</summary>" in comment[-1]
    assert "<summary>dev</summary>" not in comment[-1]
    assert infra.lines("logins") == ["arn:aws:iam::123456789012:role/plan"] * 3
    assert infra.lines("installed") == ["terraform false"] * 4
    assert infra.programs.asked("terraform", "apply", "plan.out") == []


def test_the_main_branch_applies_what_was_shown_and_nothing_else(infra):
    infra.programs.answer(*changing("dev", "prod"))
    infra.run("push", "infra.yml")
    assert (
        infra.programs.asked("terraform", "apply")
        == [["-chdir=infra/aws/project", "apply", "-lock-timeout=5m", "plan.out"]] * 2
    )
    inits = infra.programs.asked("terraform", "init", "-chdir=infra/aws/project")
    for name in ("dev", "staging", "prod"):
        backend = ["-backend-config=../backend.hcl", f"-backend-config=key=project/{name}.tfstate"]
        assert backend in [call[2:] for call in inits]
    roles = [line.rpartition("/")[2] for line in infra.lines("logins")]
    assert roles == ["plan"] * 3 + ["apply"] * 3

    infra.programs.answer((["show"], "Another change.\n", 0, 1), *changing("dev"))
    done = infra.run("workflow_dispatch", "infra.yml", code=1, MLOPS_TERRAFORM="tofu", MLOPS_ENVIRONMENTS='["dev"]')
    assert "has become another one" in done.out
    assert infra.lines("installed") == ["tofu false"] * 3
    assert infra.programs.asked("tofu", "fmt")
    assert infra.programs.asked("tofu", "apply") == []


def test_at_night_one_issue_tells_of_drift(infra):
    infra.programs.answer(*changing("staging"))
    infra.run("schedule", "infra.yml")
    (issue,) = infra.programs.asked("gh", "issue", "create")
    assert "is not what its code says" in issue[issue.index("--title") + 1]
    assert "staging" in issue[issue.index("--body") + 1]
    assert infra.programs.asked("terraform", "fmt") + infra.programs.asked("terraform", "apply") == []
    assert infra.programs.asked("gh", "pr", "comment") == []

    infra.programs.answer((["gh", "list"], "7\n", 0))
    infra.run("schedule", "infra.yml", MLOPS_ENVIRONMENTS='["dev"]')
    assert [call[:3] for call in infra.programs.asked("gh", "issue", "close")] == [["issue", "close", "7"]]
