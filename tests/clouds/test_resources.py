"""resources.yaml: what it leaves out has the values of the shipped file, mistakes are one line, groups become steps."""

import json

import pytest
import yaml
from project.conftest import made, rendered, small  # noqa: F401 - made the same way

STEPS = """
import json, sys
from dataclasses import asdict
from mlops.platforms.dag import read_dag
from mlops.platforms.resources import read_resources, schedules, serving, steps
found = read_resources()
print(json.dumps({
    "steps": [asdict(step) for step in steps(read_dag(), found)],
    "serving": asdict(serving(found)),
    "schedules": [asdict(each) for each in schedules(found, "somewhere")],
}))
"""


@pytest.fixture
def project(small):  # noqa: F811
    return small()


def write(project, content, file="resources.yaml"):
    (project.path / file).write_text(content if isinstance(content, str) else yaml.safe_dump(content), encoding="utf-8")


def test_a_project_without_it_is_as_a_new_one(project):
    shipped = project.script(STEPS)
    assert [step["name"] for step in shipped["steps"]] == ["prepare", "train", "judge"]
    assert shipped["schedules"][0]["command"] == ["mlops", "monitor", "--on", "somewhere"]
    for content in ("", "# Nothing.\n", {"stages": {"train": None}}, {"stages": {"train": {"cpu": 4}}}):
        write(project, content)
        assert project.script(STEPS) == shipped
    (project.path / "resources.yaml").unlink()
    assert project.script(STEPS) == shipped
    assert shipped["steps"][1]["needs"]["spot"]
    assert shipped["steps"][0]["needs"]["timeout_minutes"] == 180


def test_a_stage_of_a_family_inherits_and_groups_are_what_their_stages_need(project):
    fit = {"foreach": {"small": 1, "large": 2}, "do": {"cmd": "true", "outs": ["work/${key}"]}}
    best = {"cmd": "true", "deps": ["work/small", "work/large"], "outs": ["work/best"]}
    write(project, {"stages": {"fit": fit, "best": best}}, "dvc.yaml")
    needs = {"fit": {"cpu": 8, "spot": True, "timeout_minutes": 30}, "fit@large": {"gpu": 1, "spot": False}}
    write(project, {"stages": {**needs, "best": {"memory_gb": 2}}})
    little, large, best = project.script(STEPS)["steps"]
    assert (little["name"], large["name"], best["name"]) == ("fit-small", "fit-large", "best")
    assert (little["needs"]["cpu"], little["needs"]["gpu"], little["needs"]["spot"]) == (8, 0, True)
    assert (large["needs"]["cpu"], large["needs"]["gpu"], large["needs"]["spot"]) == (8, 1, False)
    assert [(port["path"], port["step"]) for port in best["inputs"]] == [
        ("work/small", "fit-small"),
        ("work/large", "fit-large"),
        ("dvc.lock", "fit-small"),
        ("dvc.lock", "fit-large"),
    ]
    write(project, {"stages": {**{name: {**each, "group": "fits"} for name, each in needs.items()}}})
    fits, best = project.script(STEPS)["steps"]
    assert fits["stages"] == ["fit@small", "fit@large"]
    assert (fits["needs"]["gpu"], fits["needs"]["spot"], fits["needs"]["timeout_minutes"]) == (1, False, 60)
    assert best["inputs"][-1] == {"path": "dvc.lock", "name": "lock", "step": "fits"}


CHAIN = {
    "a": {"cmd": "true", "outs": ["work/a"]},
    "b": {"cmd": "true", "deps": ["work/a"], "outs": ["work/b"]},
    "c": {"cmd": "true", "deps": ["work/b"], "outs": ["work/c"]},
}
MISTAKES = [
    ("stages: [", "cannot be read"),
    ({"stage": {}}, "unknown key 'stage'"),
    ({"stages": {"a": {"cpus": 2}}}, "unknown key 'stages.a.cpus'"),
    ({"stages": {"a": {"cpu": "many"}}}, "stages.a.cpu is 'many'"),
    ({"stages": {"a": {"spot": 1}}}, "stages.a.spot is 1"),
    ({"stages": {"a": {"memory_gb": 0}}}, "stages.a.memory_gb is 0"),
    ({"stages": {"a": {"nodes": 2}}}, "'a' asks for nodes, which local cannot give"),
    ({"stages": {"d": {}}}, "stages names 'd', which dvc.yaml lacks; choose from a, b, c"),
    ({"stages": {"a": {"group": "x"}, "c": {"group": "x"}}}, "would wait for each other: x needs b needs x"),
    ({"stages": {"a": {"group": "b"}, "c": {"group": "d"}}}, "the group 'b' has the name of a stage"),
    ({"stages": {"a": {"group": "x y"}, "b": {"group": "x.y"}}}, "are both 'x-y' on a platform"),
    ({"serving": {"max_instances": 1}}, "less than min_instances"),
    ({"serving": {"canary": 1}}, "unknown key 'serving.canary'"),
    ({"schedules": {"x": {"cron": "daily"}}}, "five fields"),
    (["stages"], "resources.yaml"),
]


def test_mistakes_are_one_line(project):
    write(project, {"stages": CHAIN}, "dvc.yaml")
    for content, said in MISTAKES:
        write(project, content)
        told = project.refuses("compile", "--on", "local", code=2)
        assert said in told, (content, told)


def test_names_of_artifacts_are_legal_and_differ(project):
    outs = ["work/a_b", "work/a-b", "work/" + "x" * 100, "lock"]
    write(project, {"stages": {"a": {"cmd": "true", "outs": outs}}}, "dvc.yaml")
    write(project, "")
    (step,) = project.script(STEPS)["steps"]
    names = [port["name"] for port in step["outputs"]]
    assert len(set(names)) == len(outs) + 1
    assert all(len(name) <= 40 and name.replace("-", "").isalnum() for name in names)
    assert json.dumps(names).islower()
