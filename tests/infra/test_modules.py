"""Each module is formatted and valid, its own tests pass whatever the answers, and each of them can fail."""

import re
import tomllib
from contextlib import contextmanager
from pathlib import Path

import pytest
from infra.clouds import CLOUDS, LAYERS
from support.tf_offline.session import terraform

BREAKS = [
    pytest.param(cloud, fault, id=f"{cloud}-{name}")
    for cloud in CLOUDS
    for name, fault in tomllib.loads(
        Path(__file__).with_name("breaks").joinpath(f"{cloud}.toml").read_text("utf-8")
    ).items()
]
MODULES = [
    (cloud.name, answers, module)
    for cloud in CLOUDS.values()
    for answers, modules in (("default", (*LAYERS, *cloud.modules)), ("awkward", LAYERS))
    for module in modules
]


@pytest.mark.parametrize(("cloud", "answers", "module"), MODULES)
def test_module_is_valid_and_its_tests_pass(rendered, cloud, answers, module):
    folder = rendered(cloud, answers) / module
    with terraform(folder) as run:
        for command in (("fmt", "-check", "-recursive", "-diff"), ("init", "-backend=false"), ("validate",)):
            code, said = run(*command)
            assert code == 0, said
        if [*folder.glob("tests/*.tftest.hcl")]:
            code, said = run("test")
            assert code == 0, said
            assert " 0 failed" in said


def test_every_module_is_looked_at(rendered, cloud):
    folder = rendered(cloud.name, "default")
    assert {str(path.parent.relative_to(folder)) for path in folder.rglob("outputs.tf")} == {*LAYERS, *cloud.modules}


@pytest.mark.parametrize(("cloud", "fault"), BREAKS)
def test_its_tests_fail_on(own, cloud, fault):
    folder = own(cloud, "default") / fault["module"]
    path = Path(folder, fault["file"])
    text = path.read_text(encoding="utf-8")
    assert text.count(fault["right"]) == 1, f"{fault['file']} no longer has it"
    path.write_text(text.replace(fault["right"], fault["wrong"]), encoding="utf-8")
    with terraform(folder) as run:
        code, said = run("init", "-backend=false")
        assert code == 0, said
        with only_those_that_say(fault["says"], folder):
            code, said = run("test")
        if code != 1 or not found(fault["says"], said):  # by another run, then, or by one that needs those before
            code, said = run("test")
    assert code == 1
    assert found(fault["says"], said), said


def found(says, text):
    return re.search(says, " ".join(text.split()))


@contextmanager
def only_those_that_say(says, folder):
    """In it, a module has only those runs of its tests that may say this, if there are any: each takes a second."""
    tests = {path: path.read_text(encoding="utf-8") for path in folder.glob("tests/*.tftest.hcl")}
    for path, text in tests.items():
        head, *runs = re.split(r'(?m)^(?=run ")', text)
        saying = [run for run in runs if found(says, run)]
        path.write_text("".join([head, *saying]) if saying else text, encoding="utf-8")
    yield
    for path, text in tests.items():
        path.write_text(text, encoding="utf-8")
