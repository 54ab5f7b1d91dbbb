"""What the three layers of a cloud make together, each from what the one before hands on: applied and destroyed."""

import ast
import re

import pytest
from infra.clouds import ENVIRONMENTS
from support.template import ROOT


@pytest.fixture(params=["default", "awkward"])
def made(applied, cloud, request):
    return applied(cloud, request.param)


def purposes(cloud):
    """The settings of a cloud that outputs of project/ set, as its session has them."""
    path = ROOT / "template" / "src" / "mlops" / "platforms" / cloud.name / "session.py"
    for node in ast.parse(path.read_text(encoding="utf-8")).body:
        if isinstance(node, ast.Assign) and node.targets[0].id == "PURPOSES":
            return set(ast.literal_eval(node.value))
    return set()


def test_everything_has_the_tags_that_the_bill_is_split_by(cloud, made):
    tagged = [each for each in made.resources if cloud.tags in each["values"]]
    assert len(tagged) > cloud.tagged
    for each in tagged:
        tags = each["values"][cloud.tags] or {}
        assert {"project", "environment", "owner", "managed-by"} <= set(tags), each["address"]
        for value in tags.values():
            assert re.fullmatch(cloud.tag, value), f"{each['address']}: {cloud.name} refuses the tag {value}"


def test_names_fit(cloud, made):
    seen = set()
    for each in made.resources:
        if each["type"] in cloud.lengths:
            name, pattern = cloud.lengths[each["type"]]
            seen.add(each["type"])
            assert re.fullmatch(pattern, each["values"][name]), f"{each['address']}: {each['values'][name]}"
    assert seen == set(cloud.lengths)


def test_outputs_are_the_variables_of_the_project(cloud, made):
    of_runs = {f"mlops_{cloud.name}_{name}" for name in purposes(cloud)}
    given = {name for name in made.outputs["project"] if name.startswith("mlops_")}
    assert given == {*of_runs, "mlops_tracking_uri", "mlops_log_uri", "mlops_data_remote"}
    of_logins = {f"mlops_{cloud.name}_{name}": each for name, each in cloud.logins.items()}
    assert {name for name in made.outputs["bootstrap"] if name.startswith("mlops_")} == set(of_logins)
    for name, by_environment in of_logins.items():
        said = made.outputs["bootstrap"][name]
        assert set(said) == ENVIRONMENTS if by_environment else isinstance(said, str), name


def test_destroy_leaves_nothing(made):
    assert made.left == []
