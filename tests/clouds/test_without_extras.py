"""A project with every platform works on a laptop where none of their extras is installed."""

import pytest
from project.conftest import SMALL, made, rendered  # noqa: F401 - made the same way
from support import workspace as workspaces
from support.questions import everything
from support.server import served

# What the extras bring that the project does not have without: packages by name, and the modules in them.
BROUGHT = """
import json, tomllib
from importlib.metadata import PackageNotFoundError, distribution
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

def closure(lines, found):
    for need in map(Requirement, lines):
        name, wanted = canonicalize_name(need.name), {"", *need.extras}
        if wanted <= found.get(name, set()):
            continue
        found.setdefault(name, set()).update(wanted)
        try:
            its = distribution(name).requires or []
        except PackageNotFoundError:
            continue
        needed = [line for line in its if (mark := Requirement(line).marker) is None
                  or any(mark.evaluate({"extra": extra}) for extra in wanted)]
        closure(needed, found)
    return found

told = tomllib.load(open("pyproject.toml", "rb"))
groups = [line for group in told["dependency-groups"].values() for line in group if isinstance(line, str)]
base = closure([*told["project"]["dependencies"], *groups], {})
extras = [line for lines in told["project"]["optional-dependencies"].values() for line in lines]
names, modules = sorted(set(closure(extras, {})) - set(base)), set()
for name in names:
    try:
        files = distribution(name).files or []
    except PackageNotFoundError:
        continue
    inits = {file.parent.parts for file in files if file.name == "__init__.py"}
    roots = [parts for parts in inits if parts and not any(parts[:at] in inits for at in range(1, len(parts)))]
    modules |= {".".join(parts) for parts in roots}
    modules |= {file.stem for file in files if len(file.parts) == 1 and file.suffix == ".py"}
print(json.dumps([names, sorted(modules)]))
"""
# An interpreter that has not got them.
HIDES = """
import importlib.metadata, json, pathlib, re, sys
NAMES, MODULES = map(set, json.loads(pathlib.Path(__file__).with_name("hidden.json").read_text()))

class Hidden:
    @staticmethod
    def find_spec(name, path=None, target=None):
        parts = name.split(".")
        if any(".".join(parts[:at]) in MODULES for at in range(1, len(parts) + 1)):
            raise ModuleNotFoundError(f"No module named {name!r}", name=name)

sys.meta_path.insert(0, Hidden)
known = importlib.metadata.distributions
importlib.metadata.distributions = lambda **how: (
    each for each in known(**how) if re.sub("[-_.]+", "-", each.metadata["Name"]).lower() not in NAMES)
"""


@pytest.fixture
def project(made, rendered, tmp_path):  # noqa: F811
    """A small project with everything, whose interpreter has no package of an extra."""

    def fresh(folder):
        project = rendered(folder, **everything())
        project.edit_data("frame.gather_every(6)")
        common = {"estimator.max_iter": 10, "evaluate.slice_rows": 50, "gate.latency_ms": None}
        project.set({**common, **SMALL["classification"]})
        project.commit()
        return project, None

    project = workspaces.copy(made("small-without-extras", fresh)[0], tmp_path / "project")
    hidden = tmp_path / "hidden"
    hidden.mkdir()
    found = project.run(project.python, "-c", BROUGHT).out
    (hidden / "hidden.json").write_text(found, encoding="utf-8")
    (hidden / "sitecustomize.py").write_text(HIDES, encoding="utf-8")
    project.env["PYTHONPATH"] = str(hidden)
    return project


def test_the_whole_loop_without_any_extra(project, tmp_path):
    for module in ("boto3", "azure.ai.ml", "google.cloud.aiplatform", "gcsfs", "kfp", "kubernetes", "s3fs", "adlfs"):
        done = project.run(project.python, "-c", f"import {module}", code=1)
        assert f"No module named '{module}'" in done.err, "it is not there"
    assert "version 1" in project.mlops("run").out
    project.mlops("score", "data/sample/flights.parquet", tmp_path / "scores.parquet")
    row = project.script(
        "import json; from pathlib import Path; from mlops.platforms.deploying import sample_row\n"
        "print(json.dumps(sample_row(Path('models/bundle'))))"
    )
    with served(project) as server:
        assert len(server.predict([row] * 300)) == 300
        assert server.stop() == 0, "which writes the log"
    assert project.mlops("monitor", code=None).code in (0, 3)
    assert project.mlops("retrain", "--force", code=None).code in (0, 1, 3)
    project.mlops("lineage")
    project.mlops("card")
    project.mlops("audit", "verify")
    project.mlops("compile", "--on", "local")
    assert project.mlops("submit", "--on", "local").code == 0
    assert project.mlops("doctor", code=None).err == ""


@pytest.mark.parametrize("platform", ["aws", "azure", "gcp", "kubeflow"])
@pytest.mark.parametrize("verb", [["doctor"], ["submit"], ["deploy"], ["status", "a-run"]], ids=" ".join)
def test_what_asks_a_platform_says_how_to_get_its_packages(project, platform, verb):
    told = project.refuses(*verb, "--on", platform, code=2)
    assert told.endswith(f"which is not installed: uv sync --extra {platform}")


def test_an_import_of_an_sdk_that_does_not_wait_is_noticed(project):
    project.edit("src/mlops/settings.py", "\nfrom pathlib import Path\n", "\nimport boto3\nfrom pathlib import Path\n")
    assert "No module named 'boto3'" in project.mlops("run", code=1).err
