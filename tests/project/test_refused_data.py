"""The contract: data that break it fail the run, with the rows counted and an example."""

import pytest

TOTAL = 4678


def broken(project, *words):
    """Runs a project whose data break the contract; nothing that follows is begun."""
    before = project.outputs
    told = project.refuses("run", code=1)
    for word in words:
        assert word in told, told
    new = set(project.outputs) - set(before)
    assert new <= {"data/raw.parquet", "data/source.json"}
    assert set((project.lock or {"stages": {}})["stages"]) <= {"ingest"}
    assert project.runs == []
    return told


ROWS = "pl.int_range(pl.len())"


def one(column, row, value, dtype):
    """An edit that changes a column's type, and one value of it."""
    others = f"pl.col('{column}').cast({dtype})"
    return f"frame.with_columns({column}=pl.when({ROWS} == {row}).then({value}).otherwise({others}))"


@pytest.mark.parametrize(
    ("edit", "words"),
    [
        pytest.param(
            one("distance", 7, "pl.lit('far')", "pl.String"),
            ["distance: wrong type: String instead of Int32 (1 row, such as far)"],
            id="wrong type",
        ),
        pytest.param("frame.drop('origin')", ["origin", "missing"], id="missing column"),
        pytest.param(
            f"frame.with_columns(humid=pl.when({ROWS} < 3).then(140.5).otherwise('humid'))",
            ["humid", "impossible value", "3 rows", "140.5"],
            id="impossible value",
        ),
        pytest.param(
            f"frame.with_columns(carrier=pl.when({ROWS} < 2).then(None).otherwise('carrier'))",
            ["carrier", "a value is missing", "2 rows"],
            id="missing value",
        ),
        pytest.param(
            "pl.concat([frame, frame.head(4)])",
            ["scheduled_departure, carrier, flight", "not unique", "8 rows", "2013-01-01 05:15:00, UA, 1545"],
            id="duplicate key",
        ),
        pytest.param(
            one("distance", 0, "10**10", "pl.Int64"),
            ["distance", "10000000000"],
            id="a number too large for its type",
        ),
        pytest.param(
            one("flight", 0, "1.5", "pl.Float64"),
            ["flight: wrong type: Float64 instead of Int32 (1 row, such as 1.5)"],
            id="a fraction where whole numbers are due",
        ),
        pytest.param("frame.head(0)", ["no rows"], id="no rows"),
    ],
)
def test_data_that_break_the_contract(small, edit, words):
    project = small()
    project.edit_data(edit)
    told = broken(project, *words)
    if "no rows" not in told:
        assert "rows: " in told, "how many rows there were in all"


def test_every_breach_is_told_at_once(small):
    project = small()
    project.edit_data("frame.drop('origin').with_columns(humid=pl.lit(-5.0), temp=pl.lit(500.0))")
    broken(project, "3 ways", "origin", "humid", "temp", f"{TOTAL:,} rows")


def test_good_data_after_bad_ones_go_through(small):
    project = small()
    original = (project.path / "data/sample/flights.parquet").read_bytes()
    project.edit_data("frame.drop('origin')")
    broken(project, "origin")
    (project.path / "data/sample/flights.parquet").write_bytes(original)
    project.mlops("run")
    assert project.champion == "1"


def test_bad_data_after_good_ones_leave_the_good_results_alone(small):
    project = small(ran=True)
    before = project.outputs
    project.edit_data("pl.concat([frame, frame.head(1)])")
    assert "not unique" in project.refuses("run", code=1)
    after = project.outputs
    for name in ("data/train.parquet", "data/test.parquet", "models/bundle/estimator.joblib", "reports/index.html"):
        assert after[name] == before[name]
    assert project.champion == "1"


def test_a_file_that_is_not_what_its_name_says(small):
    project = small()
    (project.path / "data/sample/flights.parquet").write_bytes(b"PAR1 this is no Parquet file PAR1")
    told = project.refuses("run", code=1)
    assert "data/sample/flights.parquet" in told
    assert "parquet" in told
    assert "data/raw.parquet" not in project.outputs


def test_a_label_that_never_varies(small):
    project = small()
    project.edit_data("frame.with_columns(arr_delay=pl.lit(3.0))")
    assert "one class only" in project.refuses("run", code=1)


def test_no_row_has_a_label(small):
    project = small()
    project.edit_data("frame.with_columns(arr_delay=pl.lit(None, dtype=pl.Float32))")
    assert "no row has a label" in project.refuses("run", code=1)
