"""Data, predictions and labels on S3: read, written and watched as local ones are."""

import json

import pytest
from project.conftest import made, rendered, small  # noqa: F401 - made the same way
from support.aws import NOBODY, REFUSALS
from support.front import LOST
from support.server import served

BUCKET = "data"


@pytest.fixture
def project(small, aws):  # noqa: F811
    """A small project, the halves of its data in a bucket as Parquet and as CSV."""
    project = small()
    s3 = aws.client("s3")
    s3.create_bucket(Bucket=BUCKET)
    for number, half in enumerate(["frame.head(2400)", "frame.tail(-2400)"]):
        for kind, write in (("parquet", "frame.write_parquet(target)"), ("csv", "frame.write_csv(target)")):
            project.edit_data(half, target=f"halves/{number}.{kind}", write=write)
            s3.upload_file(str(project.path / f"halves/{number}.{kind}"), BUCKET, f"{kind}/part-{number}.{kind}")
    return project


def rows(project, name="data/raw.parquet"):
    return project.script(f"import polars as pl; print(pl.scan_parquet({name!r}).select(pl.len()).collect().item())")


def test_files_folders_and_patterns_of_parquet_and_csv(project, aws):
    for source, expected in (
        ("parquet/part-0.parquet", 2400),
        ("parquet/part-*.parquet", None),
        ("parquet", None),
        ("csv/*.csv", None),
    ):
        project.set({"data.source": f"s3://{BUCKET}/{source}"})
        project.mlops("run", "ingest", **aws.env)
        count = rows(project)
        assert count == expected or (expected is None and count > 4000)
    assert not any((project.path / ".mlops").glob("download-*")), "copies are gone"


def test_a_changed_object_is_seen_by_its_etag(project, aws):
    s3 = aws.client("s3")
    project.set({"data.source": f"s3://{BUCKET}/parquet/*.parquet"})
    project.mlops("run", "ingest", **aws.env)
    seen = json.loads((project.path / "data/source.json").read_text(encoding="utf-8"))
    etags = {each["Key"]: each["ETag"].strip('"') for each in s3.list_objects_v2(Bucket=BUCKET)["Contents"]}
    assert [each["etag"] for each in seen["files"]] == [etags[f"parquet/part-{number}.parquet"] for number in (0, 1)]
    # The same content once more is no change, another is.
    s3.upload_file(str(project.path / "halves/1.parquet"), BUCKET, "parquet/part-1.parquet")
    assert "as it was" not in project.mlops("run", "ingest", **aws.env).out
    assert json.loads((project.path / "data/source.json").read_text(encoding="utf-8")) == seen
    before = rows(project)
    s3.upload_file(str(project.path / "halves/0.parquet"), BUCKET, "parquet/part-1.parquet")
    project.set({"data.source": f"s3://{BUCKET}/parquet/part-1.parquet"})
    project.mlops("run", "ingest", **aws.env)
    assert rows(project) == 2400 != before


def test_score_serve_and_monitor_on_s3(small, aws):  # noqa: F811
    project = small(ran=True)
    s3 = aws.client("s3")
    s3.create_bucket(Bucket=BUCKET)
    s3.upload_file(str(project.path / "data/sample/flights.parquet"), BUCKET, "new/flights.parquet")
    project.mlops("score", f"s3://{BUCKET}/new/*.parquet", f"s3://{BUCKET}/scored/flights.parquet", **aws.env)
    assert s3.head_object(Bucket=BUCKET, Key="scored/flights.parquet")["ContentLength"] > 1000

    row = project.script(
        "import json, polars as pl; from mlops.registry.bundle import load_bundle; from pathlib import Path\n"
        "frame = pl.read_parquet('data/sample/flights.parquet')\n"
        "known = load_bundle(Path('models/bundle')).schema\n"
        "print(json.dumps(frame.select(list(known)).head(300).to_dicts(), default=str))"
    )
    log = {"MLOPS_LOG_URI": f"s3://{BUCKET}/logs", "MLOPS_LOG_SECONDS": "0.1", **aws.env}
    with served(project, **log) as server:
        server.predict(row)
        server.wait(lambda: s3.list_objects_v2(Bucket=BUCKET, Prefix="logs/")["KeyCount"])
    found = s3.list_objects_v2(Bucket=BUCKET, Prefix="logs/")["Contents"]
    assert all(each["Key"].startswith("logs/date=") for each in found)
    assert project.mlops("monitor", code=None, **log).code in (0, 3)
    told = json.loads((project.path / "reports/monitor/monitor.json").read_text(encoding="utf-8"))
    assert told["current"]["rows"] == 300


@pytest.mark.parametrize("reason", [*REFUSALS, "gone", "nobody"])
def test_what_s3_refuses_is_one_line(project, aws, network, reason):
    network.rule = REFUSALS.get(reason, lambda request: LOST if reason == "gone" else None)
    env = {**aws.env, "AWS_ENDPOINT_URL": network.url, "AWS_MAX_ATTEMPTS": "1"}
    source = f"s3://{BUCKET}/parquet/{'part-0' if reason == 'denied' else '*'}.parquet"
    project.set({"data.source": source})
    told = project.refuses("run", code=1, **{**env, **(NOBODY if reason == "nobody" else {})})
    assert f"data.source '{source}' cannot be reached" in told
    assert project.lock is None


def test_a_bucket_that_is_not_there_is_a_wrong_address(project, aws):
    project.set({"data.source": "s3://missing/flights.parquet"})
    assert "no such file" in project.refuses("run", code=2, **aws.env)


def test_a_network_lost_in_the_middle_of_a_file(project, aws, network):
    project.set({"data.source": f"s3://{BUCKET}/parquet/*.parquet"})
    env = {**aws.env, "AWS_ENDPOINT_URL": network.url, "AWS_MAX_ATTEMPTS": "1"}
    network.lose(1, matching=lambda request: request.method == "GET" and "list-type" not in request.path)
    told = project.refuses("run", code=1, **env)
    assert f"data.source 's3://{BUCKET}/parquet/*.parquet' cannot be read" in told
    assert not (project.path / "data/raw.parquet").exists()
    assert not any((project.path / ".mlops").glob("download-*"))
    network.mend()
    project.mlops("run", **env)
    assert project.champion == "1"
