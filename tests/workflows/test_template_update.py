"""template-update.yml is run with act against a GitHub that is a file: each way in which an update can go."""

import json
import os
from dataclasses import replace as with_changes

import pytest
from support.gh import GitHub
from support.successor import CHANGED, LINE, NEW, NEW_LINE, OLD, commit, replace, two_releases
from support.template import copy
from support.workflows import act, load, take_environment_of_tests

WORKFLOW = ".github/workflows/template-update.yml"
APP = ("--var", "TEMPLATE_UPDATE_APP_ID=12345", "--secret", "TEMPLATE_UPDATE_APP_KEY=a-private-key-of-an-app")
OWN_TOKEN = ("--secret", "GITHUB_TOKEN=the-token-of-the-workflow")
INPUTS = ("TOKEN", "BRANCH", "TITLE", "BODY", "LABELS", "DRAFT", "COMMIT_MESSAGE", "DELETE_BRANCH")
STUBS = {
    "actions/create-github-app-token": """
        [ "$INPUT_APP_ID $INPUT_PRIVATE_KEY" = "12345 a-private-key-of-an-app" ]
        [ "$INPUT_PERMISSION_WORKFLOWS" = write ]
        [ "$INPUT_PERMISSION_CONTENTS $INPUT_PERMISSION_PULL_REQUESTS" = "write write" ]
        echo token=the-token-of-the-app >>"$GITHUB_OUTPUT"
    """,
    # It would fail on an index with unmerged files, and so does this.
    "peter-evans/create-pull-request": "\n".join(
        [
            '[ "$INPUT_TOKEN" = the-token-of-the-app ]',
            'git -c user.name=x -c user.email=x@x commit --quiet --no-verify --message "$INPUT_COMMIT_MESSAGE"',
            'git show --name-only --format= >"$STUBS/files"',
            f'cp {CHANGED} "$STUBS/changed"',
            *(f'printf %s "$INPUT_{name}" >"$STUBS/{name.lower()}"' for name in INPUTS),
        ]
    ),
}


@pytest.fixture(scope="session")
def releases(template, once):
    with once("two-releases") as folder:
        if folder:
            two_releases(template, folder)
    return once.path("two-releases")


class Repository:
    """A project on the fake GitHub, its workflow run by `run`."""

    def __init__(self, project, folder):
        self.github = GitHub(folder / "bin")
        self.folder = folder
        path = os.pathsep.join([str(self.github.folder), project.env["PATH"]])
        self.project = with_changes(project, env={**project.env, "PATH": path})
        self.path = project.path
        take_environment_of_tests(self)
        commit(self.path)
        self._runs = 0

    def run(self, *options, event="schedule", code=0):
        self._runs += 1
        self.seen = self.folder / f"act-{self._runs}"
        return act(self.project, event, "-W", WORKFLOW, *OWN_TOKEN, *options, stubs=STUBS, folder=self.seen, code=code)

    @property
    def pull_request(self):
        """What the pull request was given in the last run; None where there was none."""
        if not (self.seen / "branch").exists():
            return None
        return {
            name: (self.seen / name).read_text(encoding="utf-8")
            for name in ("changed", "files", *map(str.lower, INPUTS))
        }


@pytest.fixture
def repository(releases, environment, tmp_path):
    """`repository(version)` is a project of that release on a GitHub of its own."""

    def repository(version=OLD):
        project = environment.install(copy(releases, tmp_path / "project", vcs_ref=version))
        return Repository(project, tmp_path / "github")

    return repository


def test_a_clean_update_becomes_a_pull_request_and_closes_the_issue(repository):
    mine = repository()
    mine.github.set(labels=["template-update"])
    mine.github.set(issues=[{"number": 1, "state": "open", "labels": ["template-update"], "title": "Old", "body": ""}])

    mine.run(*APP)

    pull = mine.pull_request
    assert pull["branch"] == "template-update"
    assert OLD in pull["title"]
    assert NEW in pull["title"]
    assert pull["title"] == pull["commit_message"]
    assert "A module, by" in pull["body"]
    assert (pull["labels"], pull["draft"], pull["delete_branch"]) == ("template-update", "false", "true")
    assert {CHANGED, ".copier-answers.yml"} <= set(pull["files"].split())
    assert NEW_LINE in pull["changed"]
    assert [issue["state"] for issue in mine.github.issues] == ["closed"]


def test_conflicts_make_a_draft_with_a_label_and_the_branch_of_somebody_is_left_alone(repository):
    mine = repository()
    replace(mine.path / CHANGED, LINE, '"""Mine."""')
    commit(mine.path)

    mine.run(*APP)

    pull = mine.pull_request
    assert (pull["labels"], pull["draft"]) == ("template-update,conflicts", "always-true")
    assert f"- `{CHANGED}`" in pull["body"]
    assert "<<<<<<<" in pull["changed"]
    assert mine.github.issues == []

    mine.github.set(pulls=[{"head": "template-update", "commits": [{"oid": "1"}, {"oid": "2"}]}])
    done = mine.run(*APP)
    assert mine.pull_request is None
    assert "left as it is" in done.out


def test_without_an_app_there_is_one_issue_and_it_is_renewed(repository):
    mine = repository()
    for _ in range(2):
        mine.run()
        assert mine.pull_request is None
        (issue,) = mine.github.issues
        assert NEW in issue["title"]
        assert "mlops template update" in issue["body"]
        assert "A module, by" in issue["body"]


def test_nothing_new_says_nothing(repository):
    mine = repository(NEW)
    mine.run(*APP)
    assert mine.pull_request is None
    assert mine.github.issues == []


def test_a_failure_is_told_in_an_issue_and_the_run_is_red(repository):
    mine = repository()
    done = mine.run(*APP, "--input", "version=v7.0.0", event="workflow_dispatch", code=1)
    assert mine.pull_request is None
    (issue,) = mine.github.issues
    assert "failed" in issue["title"]
    assert "'v7.0.0' is not in the template" in issue["body"], done
    assert "/actions/runs/" in issue["body"]

    mine.run(*APP, "--input", f"version={NEW}", event="workflow_dispatch")
    assert mine.pull_request is not None
    assert mine.github.issues[0]["state"] == "closed"


def test_only_a_job_that_needs_it_may_write_and_no_step_sees_the_key_but_the_one_for_it(render):
    jobs = load(render() / WORKFLOW)["jobs"]
    assert jobs["update"]["permissions"] == {"contents": "read", "pull-requests": "read"}
    assert jobs["tell"]["permissions"] == {"issues": "write"}
    with_key = [step for step in jobs["update"]["steps"] if "secrets." in json.dumps(step)]
    assert [step["id"] for step in with_key] == ["token"]
