"""An organisation's defaults, as the how-to page types them."""

import os
import re

import yaml
from support.environment import changed, run
from support.template import ROOT, TAG

PAGE = (ROOT / "docs/how-to/fleet.md").read_text(encoding="utf-8")
URL = "https://github.com/copier-mlops/copier-mlops"


def blocks():
    """The files and commands of the section, in order."""
    section = PAGE.partition("## Organisation defaults")[2]
    return re.findall(r"```(yaml|bash)(?: title=\"([^\"]+)\")?\n(.*?)```", section, re.DOTALL)


def test_settings_and_data_file_work_as_typed(template, tmp_path):
    script = []
    for language, title, text in blocks():
        if language == "yaml":
            (tmp_path / title).write_text(text, encoding="utf-8")
        else:
            script += text.splitlines()
    assert [line.split()[0] for line in script] == ["export", "copier", "copier"]
    text = "\n".join(["set -e", *script]).replace(URL, f"--quiet --vcs-ref {TAG} {template}")
    # Each way alone: the export of the first must not reach the second.
    settings, data = text.split("copier copy --defaults --data-file")
    for part in (settings, f"set -e\ncopier copy --defaults --data-file{data}"):
        done = run("bash", "-c", part, cwd=tmp_path, env=changed(dict(os.environ), {}))
        assert done.code == 0, done
    for folder, name in (("by-settings", "settings.yml"), ("by-data", "org.yml")):
        wanted = yaml.safe_load((tmp_path / name).read_text(encoding="utf-8"))
        answers = yaml.safe_load((tmp_path / folder / ".copier-answers.yml").read_text(encoding="utf-8"))
        wanted = wanted.get("defaults", wanted)
        assert wanted.items() <= answers.items()
        assert answers["project_name"] == "Flight delays"


def test_every_command_of_the_page_is_one_of_the_program(fleet):
    """Options and verbs that the page types are there."""
    typed = re.findall(r"nox -s fleet -- (\w+)([^\n#]*)", PAGE)
    assert {verb for verb, _ in typed} == {"list", "try", "update"}
    for verb in ("list", "try", "update"):
        known = set(re.findall(r"--[a-z-]+", fleet(verb, "--help").out))
        used = {option for one, rest in typed if one == verb for option in re.findall(r"--[a-z-]+", rest)}
        assert used <= known
    every = set(re.findall(r"`(--[a-z-]+)", PAGE)) - {"--defaults", "--data-file"}
    assert every <= {
        option for verb in ("list", "try", "update") for option in re.findall(r"--[a-z-]+", fleet(verb, "--help").out)
    }
