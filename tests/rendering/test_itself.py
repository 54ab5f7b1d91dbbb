"""The repository lives by what it renders: the same pins, rules and hooks."""

import re
import tomllib

import yaml
from support.template import ROOT, files

PIN = re.compile(r"uses: (?P<action>[\w.-]+/[\w./-]+)@(?P<commit>\S+) # (?P<tag>v\S+)$")


def uses():
    """Every `uses:` of an action of others, in workflows and actions, here and in a project."""
    for folder in (".github", "template/.github"):
        for name in files(ROOT / folder):
            for line in (ROOT / folder / name).read_text(encoding="utf-8").splitlines():
                if "uses:" in line and "uses: ./" not in line:
                    yield f"{folder}/{name}", line.strip(" -")


def test_actions_are_pinned_by_commit_and_alike():
    pins = {}
    for name, line in uses():
        pin = PIN.fullmatch(line)
        assert pin and re.fullmatch("[0-9a-f]{40}", pin["commit"]), f"{name}: {line}"
        pins.setdefault(pin["action"], set()).add((pin["commit"], pin["tag"]))
    assert pins
    assert {action: found for action, found in pins.items() if len(found) > 1} == {}


def test_rules_of_ruff_are_those_of_a_project(render):
    ours, theirs = (
        tomllib.loads((folder / "pyproject.toml").read_text(encoding="utf-8"))["tool"]["ruff"]
        for folder in (ROOT, render())
    )
    assert ours["line-length"] == theirs["line-length"]
    for rules in ("select", "ignore"):
        assert ours["lint"][rules] == theirs["lint"][rules]


def test_hooks_are_those_of_a_project(render):
    ours, theirs = (hooks(folder) for folder in (ROOT, render()))
    del theirs["uv-lock"]
    # Here, zizmor looks into two folders that have workflows.
    ours["zizmor"] = ours["zizmor"].replace(" .github template/.github", " .")
    assert ours == theirs


def hooks(folder):
    config = yaml.safe_load((folder / ".pre-commit-config.yaml").read_text(encoding="utf-8"))
    (repository,) = config["repos"]
    return {hook["id"]: hook["entry"].removeprefix("uv run --frozen ") for hook in repository["hooks"]}


def test_hooks_have_the_versions_of_the_lint_session():
    config = yaml.safe_load((ROOT / ".pre-commit-config.yaml").read_text(encoding="utf-8"))
    settings = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    group = set(settings["dependency-groups"]["lint"][1:])
    for hook in config["repos"][0]["hooks"]:
        assert set(hook["additional_dependencies"]) <= group


def test_ci_runs_the_test_command_of_the_readme():
    command = "pip install nox && nox -s tests"
    assert command in (ROOT / "README.md").read_text(encoding="utf-8")
    assert command in (ROOT / ".ci" / "run").read_text(encoding="utf-8")


def test_dependabot_watches_every_pin():
    config = yaml.safe_load((ROOT / ".github" / "dependabot.yml").read_text(encoding="utf-8"))
    (actions,) = [u for u in config["updates"] if u["package-ecosystem"] == "github-actions"]
    pinned = {f"/{name}".rpartition("/")[0] for name, line in uses()}
    assert pinned == {each if each != "/" else "/.github/workflows" for each in actions["directories"]}
