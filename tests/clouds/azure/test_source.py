"""Data, predictions and labels on Azure's storage: read, written and watched as local ones are."""

import json

import pytest
from support.azure import ACCOUNT, CONTAINER, NOBODY, REFUSALS
from support.front import LOST
from support.server import served

HOME = f"abfs://{CONTAINER}@{ACCOUNT}.dfs.core.windows.net"


@pytest.fixture
def project(small, storage):
    """A small project, the halves of its data in a container as Parquet and as CSV."""
    project = small()
    for number, half in enumerate(["frame.head(2400)", "frame.tail(-2400)"]):
        for kind, write in (("parquet", "frame.write_parquet(target)"), ("csv", "frame.write_csv(target)")):
            project.edit_data(half, target=f"halves/{number}.{kind}", write=write)
            storage.upload(project.path / f"halves/{number}.{kind}", f"data/{kind}/part-{number}.{kind}")
    return project


def rows(project, name="data/raw.parquet"):
    return project.script(f"import polars as pl; print(pl.scan_parquet({name!r}).select(pl.len()).collect().item())")


def test_files_folders_and_patterns_of_parquet_and_csv(project, storage):
    for source, expected in (
        (f"{HOME}/data/parquet/part-0.parquet", 2400),
        (f"{HOME}/data/parquet/part-*.parquet", None),
        (f"az://{CONTAINER}/data/parquet", None),
        (f"{HOME}/data/csv/*.csv", None),
    ):
        project.set({"data.source": source})
        project.mlops("run", "ingest", **storage.env, AZURE_STORAGE_ACCOUNT_NAME=ACCOUNT)
        count = rows(project)
        assert count == expected or (expected is None and count > 4000)
    assert not any((project.path / ".mlops").glob("download-*")), "copies are gone"


def test_a_changed_blob_is_seen_by_its_etag(project, storage):
    project.set({"data.source": f"{HOME}/data/parquet/*.parquet"})
    project.mlops("run", "ingest", **storage.env)
    seen = json.loads((project.path / "data/source.json").read_text(encoding="utf-8"))
    etags = [etag for _, etag in storage.stored("data/parquet/").values()]
    assert [each["etag"] for each in seen["files"]] == etags
    assert "as it was" not in project.mlops("run", "ingest", **storage.env).out
    assert json.loads((project.path / "data/source.json").read_text(encoding="utf-8")) == seen
    before = rows(project)
    storage.upload(project.path / "halves/0.parquet", "data/parquet/part-1.parquet")
    project.set({"data.source": f"{HOME}/data/parquet/part-1.parquet"})
    project.mlops("run", "ingest", **storage.env)
    assert rows(project) == 2400 != before


def test_score_serve_and_monitor_on_azure(small, storage):
    project = small(ran=True)
    storage.upload(project.path / "data/sample/flights.parquet", "new/flights.parquet")
    project.mlops("score", f"{HOME}/new/*.parquet", f"{HOME}/scored/flights.parquet", **storage.env)
    assert storage.stored("scored/")["scored/flights.parquet"][0] > 1000

    row = project.script(
        "import json, polars as pl; from mlops.registry.bundle import load_bundle; from pathlib import Path\n"
        "frame = pl.read_parquet('data/sample/flights.parquet')\n"
        "known = load_bundle(Path('models/bundle')).schema\n"
        "print(json.dumps(frame.select(list(known)).head(300).to_dicts(), default=str))"
    )
    log = {"MLOPS_LOG_URI": f"{HOME}/logs/predictions", "MLOPS_LOG_SECONDS": "0.1", **storage.env}
    with served(project, **log) as server:
        server.predict(row)
        server.wait(lambda: storage.stored("logs/predictions/date="))
    assert project.mlops("monitor", code=None, **log).code in (0, 3)
    told = json.loads((project.path / "reports/monitor/monitor.json").read_text(encoding="utf-8"))
    assert told["current"]["rows"] == 300


@pytest.mark.parametrize("reason", [*REFUSALS, "gone", "nobody"])
def test_what_the_storage_refuses_is_one_line(project, storage, network, at_once, reason):
    network.rule = REFUSALS.get(reason, lambda request: LOST if reason == "gone" else None)
    env = {**storage.at(network.url), **at_once, **(NOBODY if reason == "nobody" else {})}
    source = f"{HOME}/data/parquet/{'part-0' if reason == 'denied' else '*'}.parquet"
    project.set({"data.source": source})
    assert f"data.source '{source}' cannot be reached" in project.refuses("run", code=1, **env)
    assert project.lock is None


def test_a_container_that_is_not_there_is_a_wrong_address(project, storage):
    project.set({"data.source": f"az://missing@{ACCOUNT}.dfs.core.windows.net/flights.parquet"})
    assert "no such file" in project.refuses("run", code=2, **storage.env)


def test_a_network_lost_in_the_middle_of_a_file(project, storage, network, at_once):
    source = f"{HOME}/data/parquet/*.parquet"
    project.set({"data.source": source})
    env = {**storage.at(network.url), **at_once}
    network.lose(1, matching=lambda request: request.method == "GET" and "comp=list" not in request.path)
    assert f"data.source '{source}' cannot be read" in project.refuses("run", code=1, **env)
    assert not (project.path / "data/raw.parquet").exists()
    assert not any((project.path / ".mlops").glob("download-*"))
    network.mend()
    project.mlops("run", **env)
    assert project.champion == "1"
