"""What is so on AWS alone: policies, buckets, and a name that leads to the region that is well."""

import json
import re

import pytest
from infra.clouds import AWS
from support.template import ROOT, files


@pytest.fixture(params=["default", "awkward"])
def made(applied, request):
    return applied(AWS, request.param)


def documents(resource):
    """The policies of a resource: (attribute, statements)."""
    for name, text in resource["values"].items():
        if isinstance(text, str) and re.match(r'\s*\{.*"Statement"', text, re.DOTALL):
            said = json.loads(text)["Statement"]
            yield name, said if isinstance(said, list) else [said]


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


def test_every_bucket_comes_from_the_module():
    for name in files(ROOT / "template" / "infra" / "aws"):
        if name.endswith(".tf") and not name.startswith("modules/"):
            text = (ROOT / "template" / "infra" / "aws" / name).read_text(encoding="utf-8")
            assert not re.search(r'resource "aws_(s3_bucket|iam_role)', text), name


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
