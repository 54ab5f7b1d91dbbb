"""`mlops score`: any format and place in, records out, whole or not at all."""

import json

import pytest

YEAR = "data/sample/flights.parquet"
READ = (
    "import json, sys, polars as pl\n"
    "read = pl.read_csv if sys.argv[1].endswith('.csv') else pl.read_parquet\n"
    "frame = read(sys.argv[1])\n"
    "columns = [column for column in frame.columns if column != 'predicted_at']\n"
    "print(json.dumps({'columns': frame.columns, 'rows': len(frame), 'first': frame.head(1).to_dicts()[0],"
    " 'dates': frame['predicted_at'].n_unique() if 'predicted_at' in frame.columns else 0,"
    " 'all': frame.select(columns).write_json()}, default=str))\n"
)


def read(project, path):
    return project.script(READ, path)


def make(project, target, expression, write="frame.write_parquet(target)"):
    project.edit_data(expression, source=YEAR, target=target, write=write)


def predictions(table):
    return [(row["prediction_id"], row["probability_True"]) for row in json.loads(table["all"])]


@pytest.fixture
def out(tmp_path):
    return tmp_path / "out.parquet"


def test_rows_become_records_of_the_champion(original, out):
    said = original.mlops("score", YEAR, out).out
    table = read(original, out)
    assert table["columns"][:8] == [
        *("prediction_id", "predicted_at", "model_name", "model_version", "environment"),
        *("scheduled_departure", "carrier", "flight"),
    ]
    assert table["columns"][-3:] == ["prediction", "probability_False", "probability_True"]
    assert "arr_delay" not in table["columns"]
    first = table["first"]
    assert (first["model_version"], first["environment"]) == ("2", "local")
    assert (
        first["prediction_id"]
        == f"{first['scheduled_departure'].replace(' ', 'T')}.000000|{first['carrier']}|{first['flight']}"
    )
    assert table["dates"] == 1
    assert f"{table['rows']:,} rows scored" in said
    assert "a second" in said
    assert not [path for path in out.parent.iterdir() if path != out]


def test_formats_and_places_make_no_difference(project, tmp_path):
    make(project, "data/in.csv", "frame.head(300)", "frame.write_csv(target)")
    make(project, "data/parts/a.parquet", "frame.head(200)")
    make(project, "data/parts/b.parquet", "frame.head(300).tail(100)")
    make(project, "data/in.parquet", "frame.head(300)")
    project.mlops("score", "data/in.parquet", "expected.parquet")
    expected = predictions(read(project, "expected.parquet"))
    assert len(expected) == 300
    places = [
        ("data/in.csv", "out.csv"),
        ("data/parts", "out.parquet"),
        ("data/parts/*.parquet", f"file://{tmp_path}/new/folder/out.parquet"),
        (f"file://{project.path}/data/in.csv", "out.pq"),
    ]
    for source, target in places:
        project.mlops("score", source, target)
        assert predictions(read(project, target.removeprefix("file://"))) == expected, (source, target)
    # Paths are meant from where the command is given.
    project.run("mlops", "score", "in.parquet", "here.parquet", cwd=project.path / "data")
    assert predictions(read(project, "data/here.parquet")) == expected


def test_a_remote_url_is_read_and_written(project, tmp_path):
    """fsspec's `local` behind its own `dir`: a file system that is none of the machine's paths."""
    make(project, "data/in.parquet", "frame.head(50)")
    chained = f"simplecache::file://{project.path}/data/in.parquet"
    project.mlops("score", chained, "out.parquet")
    assert read(project, "out.parquet")["rows"] == 50
    told = project.refuses("score", "data/in.parquet", "s4://bucket/out.parquet", code=2)
    assert "s4" in told


def test_another_version_and_a_folder_can_be_named(project):
    make(project, "data/in.parquet", "frame.head(50)")
    for model, version in (("1", "1"), ("@champion", "2"), ("models/bundle", "sha256:")):
        project.mlops("score", "data/in.parquet", "out.parquet", "--model", model)
        assert read(project, "out.parquet")["first"]["model_version"].startswith(version)
    assert "99" in project.refuses("score", "data/in.parquet", "out.parquet", "--model", "99", code=2)


def test_a_column_may_be_absent_where_the_contract_says_so_and_the_key_always(project):
    make(project, "data/in.parquet", "frame.head(5).drop('flight', 'arr_delay')")
    project.mlops("score", "data/in.parquet", "out.parquet")
    table = read(project, "out.parquet")
    ids = [row["prediction_id"] for row in json.loads(table["all"])]
    assert len(set(ids)) == 5
    assert {identity.partition("-")[2] for identity in ids} == set("01234")
    make(project, "data/in.parquet", "frame.head(5).drop('dest')")
    assert "'dest' is missing" in project.refuses("score", "data/in.parquet", "out2.parquet", code=1)


BAD = (
    "frame.head(100).with_row_index().with_columns("
    "distance=pl.when(pl.col('index').is_in([3, 7])).then(-5).otherwise('distance').cast(pl.Int32),"
    "origin=pl.when(pl.col('index') == 7).then(pl.lit('nyc')).otherwise('origin')).drop('index')"
)


def test_rows_that_break_the_contract_stop_it_with_counts_and_nothing_is_written(project):
    make(project, "data/in.parquet", BAD)
    (project.path / "out.parquet").write_bytes(b"as it was")
    told = project.refuses("score", "data/in.parquet", "out.parquet", code=1)
    assert "in 2 ways, of 100 rows" in told
    assert "distance: not greater_than(0) (2 rows, such as -5, -5)" in told
    assert "(1 row, such as nyc)" in told
    assert (project.path / "out.parquet").read_bytes() == b"as it was"


def test_bad_rows_can_be_put_aside_with_their_reasons(project):
    make(project, "data/in.parquet", BAD)
    said = project.mlops("score", "data/in.parquet", "out.parquet", "--quarantine", "bad.csv").out
    assert "98 rows scored" in said
    assert "2 rows put aside" in said
    assert read(project, "out.parquet")["rows"] == 98
    bad = json.loads(read(project, "bad.csv")["all"])
    assert [row["distance"] for row in bad] == [-5, -5]
    assert bad[0]["quarantine_reason"] == "distance: not greater_than(0)"
    assert "origin: not str_matches" in bad[1]["quarantine_reason"]
    assert "arr_delay" in bad[0], "rows are put aside as they came"


def test_a_csv_file_has_its_unreadable_values_put_aside(project):
    change = "frame.head(20).with_columns(pl.all().cast(pl.String)).with_row_index().with_columns("
    change += "temp=pl.when(pl.col('index') == 4).then(pl.lit('warm')).otherwise('temp')).drop('index')"
    make(project, "data/in.csv", change, "frame.write_csv(target)")
    assert "temp: no Float32 (1 row, such as warm)" in project.refuses("score", "data/in.csv", "o.csv", code=1)
    project.mlops("score", "data/in.csv", "out.csv", "--quarantine", "bad.parquet")
    assert read(project, "out.csv")["rows"] == 19
    assert json.loads(read(project, "bad.parquet")["all"])[0]["quarantine_reason"] == "temp: no Float32"


def test_no_rows_give_a_table_of_no_rows(project):
    make(project, "data/in.parquet", "frame.head(0)")
    make(project, "data/in.csv", "frame.head(0)", "frame.write_csv(target)")
    for source in ("data/in.parquet", "data/in.csv"):
        project.mlops("score", source, "out.parquet", "--quarantine", "bad.parquet")
        script = "import json, polars as pl; print(json.dumps([len(pl.read_parquet('out.parquet')), "
        assert project.script(script + "pl.read_parquet_schema('out.parquet')['prediction'] == pl.Boolean]))") == [
            0,
            True,
        ]


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("nothing.parquet", "out.parquet"), "no such file"),
        ((YEAR, "out.json"), "must end in"),
        ((YEAR, "data"), "must end in"),
        ((YEAR, YEAR), "named twice"),
        ((YEAR, "out.parquet", "--quarantine", "out.parquet"), "named twice"),
        ((YEAR, "out.parquet", "--model", "nobody@champion"), "nobody@champion"),
    ],
)
def test_wrong_use_is_one_line_and_exit_code_2(original, arguments, said):
    assert said in original.refuses("score", *arguments, code=2)


def test_a_broken_file_is_one_line(project):
    (project.path / "data/in.parquet").write_text("no Parquet", encoding="utf-8")
    assert "IN cannot be read" in project.refuses("score", "data/in.parquet", "out.parquet", code=1)
    (project.path / "data/in.csv").write_text("", encoding="utf-8")
    assert "IN cannot be read" in project.refuses("score", "data/in.csv", "out.parquet", code=1)
    (project.path / "blocked").write_text("a file where a folder is meant", encoding="utf-8")
    assert "cannot be written" in project.refuses("score", YEAR, "blocked/out.parquet", code=1)


def test_a_table_of_many_batches_is_in_order(project):
    numbered = "pl.concat([frame] * 25).with_columns(flight=pl.int_range(1, pl.len() + 1, dtype=pl.Int32))"
    make(project, "data/in.parquet", numbered)
    project.mlops("score", "data/in.parquet", "out.parquet")
    same = project.script(
        "import json, polars as pl\n"
        "a, b = (pl.read_parquet(name)['flight'] for name in ('data/in.parquet', 'out.parquet'))\n"
        "print(json.dumps([a.equals(b), len(a)]))"
    )
    assert same[0] is True
    assert same[1] > 100_000
