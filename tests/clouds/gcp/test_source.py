"""Data, predictions and labels on Cloud Storage: read, written and watched as local ones are."""

import json

import pytest
from support.front import LOST, Reply
from support.google import BUCKET, NOBODY
from support.google_storage import REFUSALS, strangers
from support.server import served

HOME = f"gs://{BUCKET}"


@pytest.fixture
def project(small, storage):
    """A small project, the halves of its data in a bucket as Parquet and as CSV."""
    project = small()
    for number, half in enumerate(["frame.head(2400)", "frame.tail(-2400)"]):
        for kind, write in (("parquet", "frame.write_parquet(target)"), ("csv", "frame.write_csv(target)")):
            project.edit_data(half, target=f"halves/{number}.{kind}", write=write)
            storage.upload(project.path / f"halves/{number}.{kind}", f"data/{kind}/part-{number}.{kind}")
    return project


@pytest.fixture
def env(google, storage):
    return {**google.env, **storage.env}


def rows(project, name="data/raw.parquet"):
    return project.script(f"import polars as pl; print(pl.scan_parquet({name!r}).select(pl.len()).collect().item())")


def test_files_folders_and_patterns_of_parquet_and_csv(project, env):
    for source, expected in (
        ("gs://{}/data/parquet/part-0.parquet", 2400),
        ("gs://{}/data/parquet/part-*.parquet", None),
        ("gcs://{}/data/parquet", None),
        ("gs://{}/data/csv/*.csv", None),
    ):
        project.set({"data.source": source.format(BUCKET)})
        project.mlops("run", "ingest", **env)
        count = rows(project)
        assert count == expected or (expected is None and count > 4000)
    assert not any((project.path / ".mlops").glob("download-*")), "copies are gone"


def test_a_changed_object_is_seen_by_its_md5(project, google, storage, network):
    renewed = iter(range(10**6))

    def etags(request):
        """As Cloud Storage does it: an object's ETag is another one with each change of what is known of it."""
        if request.method != "GET" or "alt=media" in request.path:
            return None
        told = json.loads(storage.ask("GET", request.path.lstrip("/")))
        for each in told.get("items", [told]):
            each["etag"] = f"CNjA{next(renewed)}EAE="
        return Reply(200, json.dumps(told).encode())

    network.rule = etags
    env = {**google.env, **storage.at(network.url)}
    project.set({"data.source": f"{HOME}/data/parquet/*.parquet"})
    project.mlops("run", "ingest", **env)
    seen = json.loads((project.path / "data/source.json").read_text(encoding="utf-8"))
    assert [each["etag"] for each in seen["files"]] == [md5 for _, md5 in storage.stored("data/parquet/").values()]
    # The same content once more is no change, another is.
    storage.upload(project.path / "halves/1.parquet", "data/parquet/part-1.parquet")
    project.mlops("run", "ingest", **env)
    assert json.loads((project.path / "data/source.json").read_text(encoding="utf-8")) == seen
    before = rows(project)
    storage.upload(project.path / "halves/0.parquet", "data/parquet/part-1.parquet")
    project.set({"data.source": f"{HOME}/data/parquet/part-1.parquet"})
    project.mlops("run", "ingest", **env)
    assert rows(project) == 2400 != before


def test_score_serve_and_monitor_on_cloud_storage(small, env, storage):
    project = small(ran=True)
    storage.upload(project.path / "data/sample/flights.parquet", "new/flights.parquet")
    project.mlops("score", f"{HOME}/new/*.parquet", f"{HOME}/scored/flights.parquet", **env)
    assert storage.stored("scored/")["scored/flights.parquet"][0] > 1000

    row = project.script(
        "import json, polars as pl; from mlops.registry.bundle import load_bundle; from pathlib import Path\n"
        "frame = pl.read_parquet('data/sample/flights.parquet')\n"
        "known = load_bundle(Path('models/bundle')).schema\n"
        "print(json.dumps(frame.select(list(known)).head(300).to_dicts(), default=str))"
    )
    log = {"MLOPS_LOG_URI": f"{HOME}/logs/predictions", "MLOPS_LOG_SECONDS": "0.1", **env}
    with served(project, **log) as server:
        server.predict(row)
        server.wait(lambda: storage.stored("logs/predictions/date="))
    assert project.mlops("monitor", code=None, **log).code in (0, 3)
    told = json.loads((project.path / "reports/monitor/monitor.json").read_text(encoding="utf-8"))
    assert told["current"]["rows"] == 300


@pytest.mark.parametrize("reason", [*REFUSALS, "gone", "nobody"])
def test_what_the_storage_refuses_is_one_line(project, google, storage, network, at_once, reason):
    network.rule = {**REFUSALS, "gone": lambda request: LOST, "nobody": strangers}[reason]
    env = {**google.env, **storage.at(network.url), **at_once, **(NOBODY if reason == "nobody" else {})}
    source = f"{HOME}/data/parquet/{'part-0' if reason == 'denied' else '*'}.parquet"
    project.set({"data.source": source})
    assert f"data.source '{source}' cannot be reached" in project.refuses("run", code=1, **env)
    assert project.lock is None


def test_a_bucket_that_is_not_there_is_a_wrong_address(project, env):
    project.set({"data.source": "gs://missing/flights.parquet"})
    assert "no such file" in project.refuses("run", code=2, **env)


def test_a_network_lost_in_the_middle_of_a_file(project, google, storage, network, at_once):
    source = f"{HOME}/data/parquet/*.parquet"
    project.set({"data.source": source})
    env = {**google.env, **storage.at(network.url), **at_once}
    network.lose(1, matching=lambda request: "alt=media" in request.path)
    assert f"data.source '{source}' cannot be read" in project.refuses("run", code=1, **env)
    assert not (project.path / "data/raw.parquet").exists()
    assert not any((project.path / ".mlops").glob("download-*"))
    network.mend()
    project.mlops("run", **env)
    assert project.champion == "1"
