"""monitor.yml and train.yml are run with act: one issue while somebody has to act, and a comment on a pull request."""

import json
import sys

import pytest
from loop.conftest import half_year, loop  # noqa: F401 - the same project
from project.conftest import made, rendered  # noqa: F401 - which is made there
from support.template import git
from support.workflows import act

STUBS = {
    "astral-sh/setup-uv": "uv --version",
    "actions/upload-artifact": 'cp -R "$INPUT_PATH" "$STUBS/$INPUT_NAME"',
}
GH = """#!{python}
import json, pathlib, sys
asked = sys.argv[1:]
if "--body-file" in asked:
    asked.append(pathlib.Path(asked[asked.index("--body-file") + 1]).read_text())
with pathlib.Path({calls!r}).open("a") as stream:
    stream.write(json.dumps(asked) + "\\n")
if asked[:2] == ["issue", "list"]:
    print({issue!r})
"""


class Hub:
    """A `gh` that keeps what it was asked for."""

    def __init__(self, folder, issue=""):
        folder.mkdir()
        self.folder, self.calls = folder, folder / "calls.jsonl"
        script = folder / "gh"
        script.write_text(GH.format(python=sys.executable, calls=str(self.calls), issue=issue), encoding="utf-8")
        script.chmod(0o755)

    @property
    def asked(self):
        lines = self.calls.read_text(encoding="utf-8").splitlines() if self.calls.exists() else []
        return [json.loads(line) for line in lines if json.loads(line)[:2] != ["issue", "list"]]


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


def run(project, hub, event, *arguments, folder, code=0):
    there = type(project)(project.path, {**project.env, "PATH": f"{hub.folder}:{project.env['PATH']}"})
    stated = ["--var", "MLOPS_TRACKING_URI=sqlite:///mlflow.db", "-s", "GITHUB_TOKEN=a-long-token-of-no-use"]
    return act(there, event, *stated, *arguments, stubs=STUBS, folder=folder, code=code)


def monitor(project, hub, name, folder):
    rows = [f"current=new/{name}.parquet", f"labels=new/{name}-labels.parquet"]
    inputs = [part for each in rows for part in ("--input", each)]
    return run(project, hub, "workflow_dispatch", "-W", ".github/workflows/monitor.yml", *inputs, folder=folder)


def test_somebody_has_to_act_so_an_issue_is_opened_and_training_started(watched, tmp_path):
    hub = Hub(tmp_path / "hub")
    monitor(watched, hub, "december", tmp_path / "act")
    label, issue = (call for call in hub.asked if call[0] in ("label", "issue"))
    assert label[:3] == ["label", "create", "monitor"]
    assert issue[:2] == ["issue", "create"]
    assert "the Brier score" in issue[issue.index("--body") + 1]
    (training,) = [call for call in hub.asked if call[0] == "workflow"]
    assert training[:3] == ["workflow", "run", "train.yml"]
    assert (tmp_path / "act" / "monitor" / "index.html").is_file()


def test_a_pull_request_gets_the_metrics_of_both_sides_as_a_comment(watched, tmp_path):
    base = git("rev-parse", "HEAD", cwd=watched.path)
    watched.set({"estimator.max_iter": 120, "gate.minimum_gain": -1.0})
    watched.commit()
    repository = {"full_name": "me/mine"}
    pull = {"number": 7, "base": {"sha": base}, "head": {"repo": repository}}
    event = tmp_path / "event.json"
    event.write_text(json.dumps({"pull_request": pull, "repository": repository}), encoding="utf-8")
    git("remote", "add", "origin", "https://github.com/me/mine.git", cwd=watched.path)
    hub = Hub(tmp_path / "hub")
    chosen = ["-W", ".github/workflows/train.yml", "-e", event]
    run(watched, hub, "pull_request", *chosen, folder=tmp_path / "act")
    (comment,) = hub.asked
    assert comment[:3] == ["pr", "comment", "7"]
    assert "champion (version 1)" in comment[-1]
    assert "roc_auc (decides)" in comment[-1]
