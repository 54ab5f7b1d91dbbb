"""Each module is formatted and valid, its own tests pass whatever the answers, and each of them can fail."""

import re
import tomllib
from pathlib import Path

import pytest
from support.tf_offline.session import terraform

ROOTS = ["bootstrap", "platform", "project"]
SHARED = ["modules/bucket", "modules/copying", "modules/endpoint", "modules/role"]
BREAKS = tomllib.loads(Path(__file__).with_name("breaks.toml").read_text(encoding="utf-8"))


@pytest.mark.parametrize(
    ("answers", "module"), [("default", name) for name in [*ROOTS, *SHARED]] + [("awkward", name) for name in ROOTS]
)
def test_module_is_valid_and_its_tests_pass(rendered, answers, module):
    folder = rendered(answers) / module
    with terraform(folder) as run:
        for command in (("fmt", "-check", "-recursive", "-diff"), ("init", "-backend=false"), ("validate",)):
            code, said = run(*command)
            assert code == 0, said
        if [*folder.glob("tests/*.tftest.hcl")]:
            code, said = run("test")
            assert code == 0, said
            assert " 0 failed" in said


def test_every_module_is_looked_at(rendered):
    found = {str(path.parent.relative_to(rendered("default"))) for path in rendered("default").rglob("outputs.tf")}
    assert found == {*ROOTS, *SHARED}


@pytest.mark.parametrize("name", BREAKS)
def test_its_tests_fail_on(own, name):
    fault = BREAKS[name]
    folder = own("default") / fault["module"]
    path = Path(folder, fault["file"])
    text = path.read_text(encoding="utf-8")
    assert text.count(fault["right"]) == 1, f"{fault['file']} no longer has it"
    path.write_text(text.replace(fault["right"], fault["wrong"]), encoding="utf-8")
    with terraform(folder) as run:
        code, said = run("init", "-backend=false")
        assert code == 0, said
        code, said = run("test")
    assert code == 1
    assert re.search(fault["says"], " ".join(said.split())), said
