"""A `gh` that knows what the workflows ask of it, and refuses all else; GitHub is a JSON file."""

import json
import sys
from pathlib import Path

PROGRAM = """#!{python}
import argparse, json, os, pathlib, sys

STATE = pathlib.Path({state!r})
FILTERS = {{
    ".[].number": lambda found: "\\n".join(str(entry["number"]) for entry in found),
    "[.[].commits[]] | length": lambda found: str(sum(len(entry["commits"]) for entry in found)),
}}
if not os.environ.get("GH_TOKEN") or os.environ.get("GH_REPO", "").count("/") != 1:
    sys.exit("gh: no GH_TOKEN, or no GH_REPO")
parser = argparse.ArgumentParser("gh", allow_abbrev=False)
kinds = parser.add_subparsers(dest="kind", required=True)
OPTIONS = {{
    ("issue", "list"): ["--label", "--state", "--limit", "--json", "--jq"],
    ("issue", "create"): ["--title", "--body", "--label"],
    ("issue", "edit"): ["number", "--title", "--body"],
    ("issue", "close"): ["number", "--comment"],
    ("label", "create"): ["name", "--description"],
    ("pr", "list"): ["--head", "--state", "--json", "--jq"],
}}
groups = {{}}
for (kind, verb), options in OPTIONS.items():
    if kind not in groups:
        groups[kind] = kinds.add_parser(kind, allow_abbrev=False).add_subparsers(dest="verb", required=True)
    command = groups[kind].add_parser(verb, allow_abbrev=False)
    for option in options:
        command.add_argument(option, **({{"required": True}} if option.startswith("--") else {{}}))
    if kind == "label":
        command.add_argument("--force", action="store_true")
asked = vars(parser.parse_args())
state = json.loads(STATE.read_text())
issues = state["issues"]
match asked["kind"], asked["verb"]:
    case "issue", "list":
        found = [i for i in issues if i["state"] == asked["state"] and asked["label"] in i["labels"]]
        print(FILTERS[asked["jq"]](found[: int(asked["limit"])]))
    case "issue", "create":
        if asked["label"] not in state["labels"]:
            sys.exit(f"could not add label: '{{asked['label']}}' not found")
        issues.append({{"number": len(issues) + 1, "state": "open", "labels": [asked["label"]],
                        "title": asked["title"], "body": asked["body"]}})
    case "issue", "edit":
        issues[int(asked["number"]) - 1] |= {{"title": asked["title"], "body": asked["body"]}}
    case "issue", "close":
        issues[int(asked["number"]) - 1] |= {{"state": "closed", "comment": asked["comment"]}}
    case "label", "create":
        state["labels"].append(asked["name"])
    case "pr", "list":
        print(FILTERS[asked["jq"]]([pull for pull in state["pulls"] if pull["head"] == asked["head"]]))
STATE.write_text(json.dumps(state))
"""


class GitHub:
    """A repository's issues, labels and open pull requests; `folder` holds the command `gh`."""

    def __init__(self, folder):
        self.folder = Path(folder)
        self.folder.mkdir(parents=True)
        self._state = self.folder / "state.json"
        self._state.write_text(json.dumps({"issues": [], "labels": [], "pulls": []}), encoding="utf-8")
        program = self.folder / "gh"
        program.write_text(PROGRAM.format(python=sys.executable, state=str(self._state)), encoding="utf-8")
        program.chmod(0o755)

    @property
    def issues(self):
        return json.loads(self._state.read_text(encoding="utf-8"))["issues"]

    def set(self, **values):
        state = json.loads(self._state.read_text(encoding="utf-8"))
        self._state.write_text(json.dumps(state | values), encoding="utf-8")
