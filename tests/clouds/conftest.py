"""Projects that are ready for a cloud."""

from itertools import count

import pytest
from project.conftest import SMALL, made, rendered  # noqa: F401 - made the same way
from support import workspace as workspaces


@pytest.fixture
def piped_on(made, rendered, tmp_path):  # noqa: F811
    """`piped_on("aws")`: a copy of a small project for a cloud, committed with the lock file that an image needs."""
    numbers = count(1)

    def piped_on(cloud):
        def fresh(folder):
            project = rendered(folder, clouds=[cloud])
            project.edit_data("frame.gather_every(6)")
            common = {"estimator.max_iter": 10, "evaluate.slice_rows": 50, "gate.latency_ms": None}
            project.set({**common, **SMALL["classification"]})
            (project.path / "uv.lock").write_text("version = 1\n", encoding="utf-8")
            project.commit()
            return project, None

        return workspaces.copy(made(f"small-{cloud}", fresh)[0], tmp_path / f"piped-{next(numbers)}")

    return piped_on
