"""The infrastructure of AWS as two projects get it: by default answers, and by those that try what a name can be."""

import json
import re
import shutil
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from support import template as templates
from support.tf_offline.session import REAL, terraform

ANSWERS = {
    "default": {},
    "awkward": {
        "project_slug": "a-name-of-forty-letters-that-goes-so-far",  # as long as one may be
        "owner_email": "o'brien%20+100%@a-b.example.com",
        "aws_region": "ap-southeast-2",
        "aws_recovery_region": "eu-central-1",
        "monthly_budget": 1,
    },
}
EVERYTHING = (
    "-var-file=../environments/prod.tfvars",
    "-var=recovery_endpoint=true",
    "-var=monitor_days=2",
    '-var=api={domain="a.example.com",zone_id="Z1"}',
    '-var=source_bucket_arns=["arn:aws:s3:::theirs"]',
)


@pytest.fixture(scope="session")
def rendered(template, once):
    """`rendered("default")` is the folder infra/aws of a project; nobody writes there."""

    def rendered(name):
        with once(f"infra-{name}") as folder:
            if folder:
                templates.copy(template, folder, clouds=["aws"], **ANSWERS[name])
        return once.path(f"infra-{name}") / "infra" / "aws"

    return rendered


@pytest.fixture
def own(rendered, tmp_path):
    """`own("default")` is a copy for one test, that it may change."""
    return lambda name: Path(shutil.copytree(rendered(name), tmp_path / "aws"))


@dataclass
class Applied:
    """Everything that bootstrap/, platform/ and project/ make, with every switch on, and what they say of it."""

    resources: list = field(default_factory=list)
    outputs: dict = field(default_factory=dict)
    left: list = field(default_factory=list)
    """What is there after `destroy`."""


@pytest.fixture(scope="session")
def applied(rendered, once):
    """`applied("awkward")` is an `Applied`: the stand-ins make up what only AWS knows."""
    if REAL:
        pytest.skip("real providers would ask AWS")

    def applied(name):
        source = rendered(name)
        with once(f"applied-{name}") as folder:
            if folder:
                folder.mkdir()
                found = _apply(Path(shutil.copytree(source, folder / "aws")))
                (folder / "found.json").write_text(json.dumps(vars(found)), encoding="utf-8")
        return Applied(**json.loads((once.path(f"applied-{name}") / "found.json").read_text(encoding="utf-8")))

    return applied


def _apply(folder):
    found = Applied()
    account = 'github_repository = "owner/name"\nzone_id = "Z1"\n'
    (folder / "bootstrap" / "settings.auto.tfvars").write_text(account, encoding="utf-8")
    organisation = 'network = { use = "create" }\naccounts = ["210987654321"]\n'
    (folder / "platform" / "settings.auto.tfvars").write_text(organisation, encoding="utf-8")
    for module, *options in (("bootstrap",), ("platform",), ("project", *EVERYTHING)):
        here = folder / module
        if module != "bootstrap":
            (here / "override.tf").write_text('terraform {\n  backend "local" {}\n}\n', encoding="utf-8")
        with terraform(here) as run:
            _ran(run("init", "-input=false"))
            _ran(run("apply", "-auto-approve", "-input=false", *options))
            state = json.loads(_ran(run("show", "-json")))["values"]
            found.resources += _resources(module, state["root_module"])
            found.outputs[module] = {key: about["value"] for key, about in state["outputs"].items()}
            if module == "platform":
                settings = json.dumps(found.outputs[module]["settings"])
                (folder / "project" / "platform.auto.tfvars.json").write_text(settings, encoding="utf-8")
            _ran(run("destroy", "-auto-approve", "-input=false", *options))
            found.left += _ran(run("state", "list")).splitlines()
    return found


def _ran(done):
    code, said = done
    assert code == 0, said[-4000:]
    return said


def _resources(module, part):
    for each in part.get("resources", []):
        if each["mode"] == "managed":
            yield {"address": f"{module}: {each['address']}", "type": each["type"], "values": each["values"]}
    for child in part.get("child_modules", []):
        yield from _resources(module, child)


def documents(resource):
    """The policies of a resource: (attribute, statements)."""
    for name, text in resource["values"].items():
        if isinstance(text, str) and re.match(r'\s*\{.*"Statement"', text, re.DOTALL):
            said = json.loads(text)["Statement"]
            yield name, said if isinstance(said, list) else [said]
