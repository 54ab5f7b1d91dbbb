"""The how-to page "Bring your own data", followed to the letter."""

import re

import pytest
from support import template as templates
from support import workspace as workspaces

PAGE = templates.ROOT / "docs/how-to/bring-your-own-data.md"
BLOCK = re.compile(
    r"^```(?P<language>\w+)(?: title=\"(?P<title>[^\"]+)\")?\n(?P<text>.*?)^```$", re.MULTILINE | re.DOTALL
)
YOURS = ("src/flight_delays/", "tests/", "params.yaml", "make_soil.py")
LOOK = """
import json
from pathlib import Path
import polars as pl
from mlops.registry.bundle import load_bundle
bundle = load_bundle(Path("models/bundle"))
raw, train, test = (pl.read_parquet(f"data/{name}.parquet") for name in ("raw", "train", "test"))
print(json.dumps({
    "classes": bundle.classes,
    "raw": raw.shape,
    "rows": len(train) + len(test),
    "missing": raw["band_000"].null_count(),
    "farms": [sorted(set(part["farm"])) for part in (train, test)],
    "predicted": sorted(set(bundle.predict(test)["prediction"])),
}))
"""


@pytest.fixture
def follow(first_run, tmp_path):
    """A project that has run with the example's data, and what following the page in it printed."""
    project = workspaces.copy(first_run("classification", "scikit-learn")[0], tmp_path / "own")
    project.commit()
    printed = []
    for block in BLOCK.finditer(PAGE.read_text(encoding="utf-8")):
        if block["title"]:
            assert block["title"].startswith(YOURS), "a user edits seeds only"
            (project.path / block["title"]).write_text(block["text"], encoding="utf-8")
            continue
        assert block["language"] == "bash"
        for command in block["text"].splitlines():
            who = {"GIT_AUTHOR_NAME": "Ada", "GIT_AUTHOR_EMAIL": "ada@example.org"}
            who |= {name.replace("AUTHOR", "COMMITTER"): value for name, value in who.items()}
            printed.append((command, project.run("sh", "-c", command, timeout=900, **who)))
    return project, printed


def test_following_the_page_brings_a_champion_of_other_data(follow):
    project, printed = follow
    outputs = {command: done.out for command, done in printed}
    assert "flight-delays version 2" in outputs["uv run mlops run"]
    assert "poor_called_good" in outputs["uv run mlops run"]
    assert project.champion == "2"

    found = project.script(LOOK)
    assert found["classes"] == ["poor", "fair", "good"]
    assert found["raw"] == [3000, 204]
    assert found["missing"] > 50
    assert 2500 < found["rows"] < 2900, "samples without a label are left out"
    assert not set(found["farms"][0]) & set(found["farms"][1])
    assert found["predicted"] == ["fair", "good", "poor"]
    drawn = (project.path / "reports/evaluation/predictions.svg").read_text(encoding="utf-8")
    assert all(f"<!-- {name} -->" in drawn for name in found["classes"]), "classes are drawn by their names"

    changed = project.run("git", "diff", "--name-only", "HEAD~1", "HEAD").out.split()
    allowed = (*YOURS, "data/", "dvc.lock", "reports/metrics.json")
    assert [name for name in changed if not name.startswith(allowed)] == []
    assert project.run("git", "status", "--porcelain").out == ""
    assert "Nothing to do" in project.mlops("run").out


def test_every_seed_of_the_example_s_tests_is_spoken_of():
    text = PAGE.read_text(encoding="utf-8")
    for path in (templates.ROOT / "template/tests").glob("test_*"):
        assert f"tests/{path.name.removesuffix('.jinja')}" in text
