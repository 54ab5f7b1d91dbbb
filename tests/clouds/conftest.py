"""Projects that are ready for a cloud."""

from itertools import count

import pytest
from project.conftest import SMALL, made, rendered  # noqa: F401 - made the same way
from support import warm
from support import workspace as workspaces
from support.questions import everything

AT_ONCE = """
import asyncio, time

slept, monotonic = 0.0, time.monotonic


def shorter(sleep):
    def doze(seconds, *rest):
        global slept
        slept += max(0.0, seconds - 0.01)
        return sleep(min(seconds, 0.01), *rest)

    return doze


time.monotonic = lambda: monotonic() + slept
for module in (asyncio, time):
    module.sleep = shorter(module.sleep)
"""
"""A `sitecustomize.py` by whose clock all sleep passes in a moment."""


@pytest.fixture
def at_once(tmp_path):
    """Variables of one whom the clouds' packages do not keep waiting before they try again, some for 15 seconds."""
    folder = tmp_path / "at-once"
    folder.mkdir()
    (folder / "sitecustomize.py").write_text(AT_ONCE, encoding="utf-8")
    return {"PYTHONPATH": folder, warm.COMES_LATE: "1"}


@pytest.fixture
def piped(made, rendered, tmp_path):  # noqa: F811
    """`piped()`: a copy of a small project for all clouds, committed with the lock file that an image needs."""
    numbers = count(1)

    def fresh(folder):
        project = rendered(folder, **everything())
        project.edit_data("frame.gather_every(6)")
        common = {"estimator.max_iter": 10, "evaluate.slice_rows": 50, "gate.latency_ms": None}
        project.set({**common, **SMALL["classification"]})
        (project.path / "uv.lock").write_text("version = 1\n", encoding="utf-8")
        project.commit()
        return project, None

    return lambda: workspaces.copy(made("small-clouds", fresh)[0], tmp_path / f"piped-{next(numbers)}")
