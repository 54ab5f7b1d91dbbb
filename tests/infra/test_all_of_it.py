"""What the three layers make together, each with what the one before hands on: applied, looked at and destroyed."""

import ast
import re

import pytest
from infra.conftest import documents
from support.template import ROOT, files

SESSION = ROOT / "template" / "src" / "mlops" / "platforms" / "aws" / "session.py"


@pytest.fixture(params=["default", "awkward"])
def made(applied, request):
    return applied(request.param)


def names_in_session(table):
    tree = ast.parse(SESSION.read_text(encoding="utf-8"))
    for node in tree.body:
        if isinstance(node, ast.Assign) and node.targets[0].id == table:
            return set(ast.literal_eval(node.value))
    return set()


def test_everything_has_the_tags_that_the_bill_is_split_by(made):
    tagged = [each for each in made.resources if "tags_all" in each["values"]]
    assert len(tagged) > 50
    for each in tagged:
        tags = each["values"]["tags_all"]
        assert {"project", "environment", "owner", "managed-by"} <= set(tags), each["address"]
        for value in tags.values():
            assert re.fullmatch(r"[\w .:/=+@-]{1,256}", value), f"{each['address']}: AWS refuses the tag {value}"


def test_no_policy_allows_a_wildcard_of_actions_on_everything(made):
    seen = 0
    for each in made.resources:
        for name, statements in documents(each):
            for said in statements:
                # In the policy of a key, and of a repository, the resource is that key or repository.
                own = each["type"].startswith("aws_kms_") or "Resource" not in said
                actions = said["Action"] if isinstance(said["Action"], list) else [said["Action"]]
                seen += 1
                if said["Effect"] == "Allow" and not own and "*" in said["Resource"]:
                    everything = said["Resource"] in ("*", ["*"]) or "*" in [*said["Resource"]][:1]
                    wild = [action for action in actions if "*" in action]
                    assert not (everything and wild), f"{each['address']}.{name}: {wild}"
    assert seen > 100


def test_names_fit(made):
    limits = {
        "aws_s3_bucket": ("bucket", 63),
        "aws_iam_role": ("name", 64),
        "aws_sagemaker_model_package_group": ("model_package_group_name", 63),
    }
    for each in made.resources:
        if each["type"] in limits:
            name, longest = limits[each["type"]]
            assert len(each["values"][name]) <= longest, each["address"]


def test_every_bucket_comes_from_the_module():
    for name in files(ROOT / "template" / "infra" / "aws"):
        if name.endswith(".tf") and not name.startswith("modules/"):
            text = (ROOT / "template" / "infra" / "aws" / name).read_text(encoding="utf-8")
            assert not re.search(r'resource "aws_(s3_bucket|iam_role)', text), name


def test_outputs_are_the_variables_of_the_project(made):
    of_runs = {f"mlops_aws_{name}" for name in names_in_session("PURPOSES")}
    of_logins = {f"mlops_aws_{role}_role_arn" for role in ("plan", "apply", "train", "deploy")}
    given = {name for name in made.outputs["project"] if name.startswith("mlops_")}
    assert given == {*of_runs, "mlops_tracking_uri", "mlops_log_uri", "mlops_data_remote"}
    assert {name for name in made.outputs["bootstrap"] if name.startswith("mlops_")} == of_logins
    for name in ("apply", "train", "deploy"):
        assert set(made.outputs["bootstrap"][f"mlops_aws_{name}_role_arn"]) == {"dev", "staging", "prod"}


def test_layers_agree_on_names(made):
    said = made.outputs["project"]
    boundary = {each["values"]["permissions_boundary"] for each in made.resources if each["type"] == "aws_iam_role"}
    (policy,) = [each["values"]["arn"] for each in made.resources if each["type"] == "aws_iam_policy"]
    assert boundary == {None, policy}
    assert said["mlops_tracking_uri"] == made.outputs["platform"]["settings"]["tracking_arn"]
    assert said["mlops_log_uri"] == f"s3://{said['mlops_aws_bucket']}/logs/predictions"


def test_a_region_that_is_gone_is_left(made):
    """The name leads to the first region whose checks all pass, as Route 53 does it."""
    records = [each["values"] for each in made.resources if each["address"].endswith("aws_route53_record.name[0]")]
    checks = {
        each["values"]["id"]: each["values"] for each in made.resources if each["type"] == "aws_route53_health_check"
    }
    first, second = sorted(records, key=lambda record: record["failover_routing_policy"][0]["type"])
    assert [first["name"], first["set_identifier"] != second["set_identifier"]] == [second["name"], True]

    def healthy(check, gone):
        about = checks[check]
        if about["type"] == "CALCULATED":
            return sum(healthy(child, gone) for child in about["child_healthchecks"]) >= about["child_health_threshold"]
        if about["type"] == "CLOUDWATCH_METRIC":
            return about["cloudwatch_alarm_region"] != gone or about["insufficient_data_health_status"] == "Healthy"
        return f".{gone}." not in about["fqdn"]

    def answers(gone):
        for record in (first, second):
            if healthy(record["health_check_id"], gone):
                return record["set_identifier"]
        return None

    assert answers(None) == first["set_identifier"]
    assert answers(first["set_identifier"]) == second["set_identifier"]
    assert answers(second["set_identifier"]) == first["set_identifier"]


def test_destroy_leaves_nothing(made):
    assert made.left == []
