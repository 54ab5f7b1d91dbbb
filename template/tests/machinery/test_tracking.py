# The template's: `copier update` renews this file.
"""A project that was moved: the tracking store's artifacts are looked for where the project is now."""

import sqlite3
from contextlib import closing
from pathlib import Path

from mlops.tracking import relocate

TABLES = {
    "experiments": ["artifact_location"],
    "runs": ["artifact_uri"],
    "model_versions": ["source", "storage_location"],
}


def store(file: Path, place: str) -> None:
    with closing(sqlite3.connect(file)) as connection, connection:
        for table, columns in TABLES.items():
            connection.execute(f"CREATE TABLE {table} ({', '.join(columns)})")
            values = [f"{place}/1" if table == "experiments" else f"{place}/1/run/model"] * len(columns)
            connection.execute(f"INSERT INTO {table} VALUES ({', '.join('?' * len(columns))})", values)  # noqa: S608 - names of ours


def places(file: Path) -> list[str]:
    with closing(sqlite3.connect(file)) as connection:
        return [value for table in TABLES for value in connection.execute(f"SELECT * FROM {table}").fetchone()]  # noqa: S608


def test_places_follow_a_project_that_was_moved(folder: Path) -> None:
    file = folder / "mlflow.db"
    store(file, "/somewhere/else/mlruns")
    for _ in range(2):  # the second time there is nothing to do
        relocate(file)
        assert places(file) == [f"{folder}/mlruns/1", *[f"{folder}/mlruns/1/run/model"] * 3]


def test_places_on_a_server_stay(folder: Path) -> None:
    file = folder / "mlflow.db"
    store(file, "s3://bucket/mlruns")
    relocate(file)
    assert places(file)[0] == "s3://bucket/mlruns/1"


def test_a_store_that_is_not_there_or_none_is_left_to_mlflow(folder: Path) -> None:
    relocate(folder / "mlflow.db")
    (folder / "mlflow.db").write_text("no database")
    relocate(folder / "mlflow.db")
    assert (folder / "mlflow.db").read_text() == "no database"
