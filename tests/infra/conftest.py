"""The infrastructure as two projects with every cloud get it: by default answers, and by those that try names."""

import json
import shutil
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from infra.clouds import CLOUDS, LAYERS
from support import template as templates
from support.tf_offline.session import REAL, terraform

ANSWERS = {
    "default": {},
    "awkward": {
        "project_slug": "a-name-of-forty-letters-that-goes-so-far",  # as long as one may be
        "owner_email": "o'brien%20+100%@a-b.example.com",
        "monthly_budget": 1,
        **{name: value for cloud in CLOUDS.values() for name, value in cloud.awkward.items()},
    },
}


@pytest.fixture(params=CLOUDS.values(), ids=list(CLOUDS))
def cloud(request):
    return request.param


@pytest.fixture(scope="session")
def rendered(template, once):
    """`rendered("aws", "default")` is the folder infra/aws of a project; nobody writes there."""

    def rendered(cloud, name):
        with once(f"infra-{name}") as folder:
            if folder:
                templates.copy(template, folder, clouds=list(CLOUDS), **ANSWERS[name])
        return once.path(f"infra-{name}") / "infra" / cloud

    return rendered


@pytest.fixture
def own(rendered, tmp_path):
    """`own("aws", "default")` is a copy for one test, that it may change."""
    return lambda cloud, name: Path(shutil.copytree(rendered(cloud, name), tmp_path / cloud))


@dataclass
class Applied:
    """Everything that bootstrap/, platform/ and project/ make, with every switch on, and what they say of it."""

    resources: list = field(default_factory=list)
    outputs: dict = field(default_factory=dict)
    refused: dict = field(default_factory=dict)
    """By layer, what `destroy` says that was not told to take data away: nothing where only the cloud would refuse."""
    left: list = field(default_factory=list)
    """What is there after `destroy` that was told."""


@pytest.fixture(scope="session")
def applied(rendered, once):
    """`applied(cloud, "awkward")` is an `Applied`: the stand-ins make up what only a cloud knows."""
    if REAL:
        pytest.skip("real providers would ask the cloud")

    def applied(cloud, name):
        source, key = rendered(cloud.name, name), f"applied-{cloud.name}-{name}"
        with once(key) as folder:
            if folder:
                folder.mkdir()
                found = _apply(cloud, Path(shutil.copytree(source, folder / cloud.name)))
                (folder / "found.json").write_text(json.dumps(vars(found)), encoding="utf-8")
        return Applied(**json.loads((once.path(key) / "found.json").read_text(encoding="utf-8")))

    return applied


def _apply(cloud, folder):
    found = Applied()
    for layer, text in cloud.settings.items():
        (folder / layer / "settings.auto.tfvars").write_text(text, encoding="utf-8")
    for layer in LAYERS:
        here, options = folder / layer, cloud.everything if layer == "project" else ()
        if layer != "bootstrap":
            (here / "override.tf").write_text('terraform {\n  backend "local" {}\n}\n', encoding="utf-8")
        with terraform(here) as run:
            _ran(run("init", "-input=false"))
            _ran(run("apply", "-auto-approve", "-input=false", *options))
            state = json.loads(_ran(run("show", "-json")))["values"]
            found.resources += _resources(layer, state["root_module"])
            found.outputs[layer] = {key: about["value"] for key, about in state["outputs"].items()}
            if layer == "platform":
                settings = json.dumps(found.outputs[layer]["settings"])
                (folder / "project" / "platform.auto.tfvars.json").write_text(settings, encoding="utf-8")
            code, said = run("destroy", "-auto-approve", "-input=false", *options)
            if code:
                found.refused[layer] = said
                options = (*options, "-var=keep_data=false")
                _ran(run("apply", "-auto-approve", "-input=false", *options))
                _ran(run("destroy", "-auto-approve", "-input=false", *options))
            found.left += _ran(run("state", "list")).splitlines()
    return found


def _ran(done):
    code, said = done
    assert code == 0, said[-4000:]
    return said


def _resources(layer, part):
    for each in part.get("resources", []):
        if each["mode"] == "managed":
            yield {"address": f"{layer}: {each['address']}", "type": each["type"], "values": each["values"]}
    for child in part.get("child_modules", []):
        yield from _resources(layer, child)
