"""A project whose champion was trained on January to June, made once; and what came after that."""

import pytest
from project.conftest import made, rendered  # noqa: F401 - made the same way
from support import workspace as workspaces

KEY = "'scheduled_departure', 'carrier', 'flight'"
SECOND_HALF = {"q3": "7, 9", "december": "12, 12"}


@pytest.fixture(scope="session")
def half_year(made, rendered):  # noqa: F811
    """The project, with rows to watch and their labels as files of their own; shared: change a copy."""

    def make(folder):
        project = rendered(folder)
        # A machine that does much at once is slow; the gate's bound on that has a test of its own.
        project.set({"data.until": "2013-07-01", "gate.latency_ms": None})
        project.mlops("run")
        month = "pl.col('scheduled_departure').dt.month()"
        for name, months in SECOND_HALF.items():
            rows = f"frame.filter({month}.is_between({months}))"
            project.edit_data(f"{rows}.drop('arr_delay')", target=f"new/{name}.parquet")
            project.edit_data(f"{rows}.select({KEY}, 'arr_delay')", target=f"new/{name}-labels.parquet")
        return project, None

    return made("half-year", make)[0]


@pytest.fixture
def loop(half_year, tmp_path):
    """`loop()` is a copy of the project."""
    return lambda: workspaces.copy(half_year, tmp_path / "loop")
