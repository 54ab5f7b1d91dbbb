"""Workflows are valid, secure and pinned, and the checks that say so do find faults."""

import json
import re
import sys
from pathlib import Path

import pytest
from support.environment import run
from support.questions import everything
from support.template import ROOT
from support.workflows import load, uses

SCHEMAS = {
    "vendor.github-workflows": ".github/workflows/*.yml",
    "vendor.github-actions": ".github/actions/*/action.yml",
    "vendor.dependabot": ".github/dependabot.yml",
}
FAULTS = {
    "a misspelt name": ("is not defined", "run: uv --version", "run: echo ${{ github.shaa }}"),
    "a script that ShellCheck warns of": ("SC2086", "run: uv --version", "run: rm $HOME/x"),
    "a title from outside in a script": ("untrusted", "run: uv --version", "run: echo ${{ github.head_ref }}"),
    "an action that is not pinned": ("unpinned-uses", "run: uv --version", "uses: actions/setup-python@v6"),
    "rights that nobody needs": ("excessive-permissions", "permissions: {}", "permissions: write-all"),
}
WORKFLOW = """
name: Mine
on: push
permissions: {}
concurrency: {group: mine, cancel-in-progress: true}
jobs:
  mine:
    name: mine
    runs-on: ubuntu-latest
    timeout-minutes: 5
    steps:
      - run: uv --version
"""


@pytest.mark.parametrize("schema", SCHEMAS)
def test_files_fit_their_schema(schema, render):
    project = render(**everything())
    files = sorted(project.glob(SCHEMAS[schema]))
    assert files
    command = [Path(sys.executable).with_name("check-jsonschema"), "--builtin-schema", schema]
    done = run(*command, *files, cwd=project, env={"NO_COLOR": "1"})
    assert done.code == 0, done


def test_lint_is_content_with_a_new_project_on_every_platform(project):
    project(**everything()).run("nox", "-s", "lint")


def test_lint_is_content_with_a_new_project_and_finds_faults_in_a_workflow(project):
    mine = project()
    workflow = mine.path / ".github" / "workflows" / "mine.yml"
    workflow.write_text(WORKFLOW, encoding="utf-8")
    mine.run("nox", "-s", "lint")

    for fault, (named, before, after) in FAULTS.items():
        assert before in WORKFLOW, fault
        workflow.write_text(WORKFLOW.replace(before, after), encoding="utf-8")
        done = mine.run("nox", "-s", "lint", code=1)
        assert named in done.out + done.err, f"{fault}: {done}"


def test_actions_are_pinned_by_commit_and_alike_everywhere():
    found = uses(ROOT / "template") + uses(ROOT)
    assert {"actions/checkout", "astral-sh/setup-uv"} <= {action for _, action, _, _ in found}
    pins = {}
    for file, action, ref, tag in found:
        assert re.fullmatch("[0-9a-f]{40}", ref or ""), f"{file}: {action}@{ref} is no commit"
        assert re.fullmatch(r"v\d+(\.\d+)*", tag or ""), f"{file}: {action} lacks its tag"
        assert pins.setdefault(action, (ref, tag)) == (ref, tag), f"{file}: {action} differs"


def test_the_renovate_preset_is_valid_and_leaves_the_template_s_pins_to_the_template(render):
    preset = ROOT / "default.json"
    command = [Path(sys.executable).with_name("check-jsonschema"), "--builtin-schema", "vendor.renovate", preset]
    done = run(*command, cwd=ROOT, env={"NO_COLOR": "1"})
    assert done.code == 0, done

    project = render(**everything())
    rules = json.loads(preset.read_text(encoding="utf-8"))["packageRules"]
    (off,) = (rule for rule in rules if rule.get("enabled") is False)
    ours = [path.relative_to(project).as_posix() for path in (project / ".github").glob("*/**/*.yml")]
    ours.remove(".github/actions/setup/action.yml")
    assert set(off["matchFileNames"]) == {*ours, "Dockerfile", ".pre-commit-config.yaml"}
    assert "copier" not in off["matchManagers"]


def test_dependabot_leaves_the_template_s_workflows_to_the_template(render):
    project = render(**everything())
    updates = load(project / ".github" / "dependabot.yml")["updates"]
    (actions,) = (entry for entry in updates if entry["package-ecosystem"] == "github-actions")

    workflows = sorted((project / ".github" / "workflows").iterdir())
    assert actions["exclude-paths"] == [path.relative_to(project).as_posix() for path in workflows]
    assert all((project / folder.lstrip("/")).is_dir() for folder in actions["directories"])
