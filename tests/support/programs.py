"""Small programs before the real ones on the PATH, that keep what they are asked: az, gh, docker, kubectl, terraform.

The real `uv` runs what no answer is given for; that a cloud's packages are installed is only kept, for they are there.
"""

import json
import os
import sys
from dataclasses import replace
from pathlib import Path

from support.environment import UV

PROGRAM = """#!{python}
import json, os, pathlib, sys

name, asked = pathlib.Path(sys.argv[0]).name, sys.argv[1:]
here = pathlib.Path({folder!r})
answers = json.loads((here / "answers.json").read_text())
fitting = [answer for answer in answers if set(answer[0]) <= {{name, *asked}} and answer[3:] != [0]]
if name == "uv" and asked[:1] != ["sync"] and not fitting:
    os.execv({uv!r}, [{uv!r}, *asked])
files = [asked[at + 1] for at, part in enumerate(asked) if part == "--body-file"]
files += [part.removeprefix("body=@") for part in asked if part.startswith("body=@")]
shown = [*asked, *(pathlib.Path(file).read_text() for file in files)]
with (here / "calls.jsonl").open("a") as stream:
    stream.write(json.dumps([name, *shown]) + "\\n")
if fitting:
    _, out, code, *times = answer = fitting[0]
    if times:
        answer[3] -= 1
        (here / "answers.json").write_text(json.dumps(answers))
    print(out, end="")
    sys.exit(code)
"""


class Programs:
    """`Programs(folder)` has them; `answers` are (words that the command has, what it prints, its exit code).

    The first that fits counts; a number at the end says how often it does. All else prints nothing and ends well.
    """

    def __init__(self, folder, *answers, names=("az", "docker", "gh", "kubectl", "terraform", "tofu", "uv")):
        self.folder = Path(folder)
        self.folder.mkdir(parents=True)
        text = PROGRAM.format(python=sys.executable, folder=str(self.folder), uv=str(UV))
        for name in names:
            program = self.folder / name
            program.write_text(text, encoding="utf-8")
            program.chmod(0o755)
        self.answer(*answers)

    def answer(self, *answers):
        """Takes these answers in place of those before."""
        (self.folder / "answers.json").write_text(json.dumps(answers), encoding="utf-8")

    def asked(self, name, *words):
        """What the program was asked, of the calls that have these words, in order."""
        file = self.folder / "calls.jsonl"
        calls = [json.loads(line) for line in file.read_text(encoding="utf-8").splitlines()] if file.exists() else []
        return [call[1:] for call in calls if call[0] == name and set(words) <= set(call)]

    def before(self, project):
        """The project with these programs first on its PATH."""
        path = os.pathsep.join([str(self.folder), project.env["PATH"]])
        return replace(project, env={**project.env, "PATH": path})
