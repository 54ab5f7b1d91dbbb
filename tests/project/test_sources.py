"""`data.source` may be a file, a folder, a pattern or a URL, of Parquet or CSV; the rows come out the same."""

import base64
import gzip
import json
import shutil
import threading
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer

import pytest
from support.workspace import SAMPLE

SECRET = "hunter2-of-no-file"  # noqa: S105 - it guards nothing
SUM = (
    "import json, polars as pl\n"
    "frame = pl.read_parquet('data/raw.parquet').sort('scheduled_departure', 'carrier', 'flight')\n"
    "print(json.dumps([len(frame), {k: str(v) for k, v in frame.schema.items()}, str(frame.hash_rows().sum())]))\n"
)


@pytest.fixture
def parted(small):
    """A project with its sample as one Parquet file, as CSV in two halves, plain and packed."""
    project = small()
    for name, half in (("1", "frame.head(2000)"), ("2", "frame.tail(len(frame) - 2000)")):
        for suffix, write in (("csv", "write_csv"), ("parquet", "write_parquet")):
            target = f"data/parts/{suffix}/part-{name}.{suffix}"
            project.edit_data(half, target=target, write=f"frame.{write}(target)")
    packed = project.path / "data/parts/gz"
    packed.mkdir()
    for file in (project.path / "data/parts/csv").iterdir():
        (packed / f"{file.name}.gz").write_bytes(gzip.compress(file.read_bytes()))
    return project


@pytest.fixture
def served(parted):
    """The parts over HTTP on a free port; below /private a password is asked for."""

    class Handler(SimpleHTTPRequestHandler):
        def log_message(self, *arguments):
            pass

        def send_head(self):
            if self.path.startswith("/private/"):
                wanted = base64.b64encode(f"me:{SECRET}".encode()).decode()
                if self.headers.get("Authorization") != f"Basic {wanted}":
                    self.send_error(401)
                    return None
                self.path = self.path.removeprefix("/private")
            return super().send_head()

    server = ThreadingHTTPServer(("127.0.0.1", 0), partial(Handler, directory=parted.path / "data/parts"))
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    server.server_close()
    thread.join()


def drop_last_line(path):
    lines = path.read_text(encoding="utf-8").splitlines(keepends=True)
    path.write_text("".join(lines[:-1]), encoding="utf-8")


def test_each_kind_of_source_gives_the_same_rows(parted, served):
    whole = parted.path / SAMPLE
    parted.mlops("stage", "ingest")
    wanted = parted.script(SUM)
    for source in (
        "data/parts/parquet",
        "data/parts/csv/part-*.csv",
        "data/parts/csv/part-?.csv",
        "data/**/*.csv.gz",
        "data/parts/gz",
        str(whole),
        str(whole.parent / "*.parquet"),
        f"file://{whole}",
        f"file://{whole.parents[1]}/parts/csv/*.csv",
        f"simplecache::file://{whole}",
        f"{served}/parquet/part-[12].parquet",
        f"{served}/csv/part-*.csv",
    ):
        (parted.path / "data/raw.parquet").unlink()
        parted.set({"data.source": source})
        parted.mlops("stage", "ingest")
        assert parted.script(SUM) == wanted, source


def test_dvc_sees_that_a_source_has_changed(parted, served):
    """A pattern or a URL is no dependency that DVC knows: a fingerprint of it is."""

    def ran():
        return "ingest" in parted.mlops("run", "validate").out

    for source in ("data/parts/csv/*.csv", f"{served}/csv/part-2.csv"):
        parted.set({"data.source": source})
        assert ran()
        assert not ran()
        drop_last_line(parted.path / "data/parts/csv/part-2.csv")
        assert ran()
        assert not ran()

    parted.set({"data.source": "data/parts/csv/*.csv"})
    ran()
    shutil.copy(parted.path / "data/parts/csv/part-1.csv", parted.path / "data/parts/csv/part-3.csv")
    assert "not unique" in parted.refuses("run", "validate", code=1)


def test_a_source_that_does_not_answer(small, served):
    project = small()
    project.set({"data.source": "http://127.0.0.1:9/flights.parquet"})
    told = project.refuses("run", code=1)
    assert "http://127.0.0.1:9/flights.parquet" in told
    assert project.lock is None
    project.set({"data.source": f"{served}/nothing.parquet"})
    assert "no such file" in project.refuses("run", code=2)
    project.set({"data.source": f"{served}/private/parquet/part-1.parquet"})
    project.refuses("run", code=1)


def test_a_file_that_cannot_be_read(small):
    project = small()
    (project.path / "data/memory.csv").symlink_to("/proc/self/mem")  # which nobody reads from its start
    project.set({"data.source": "data/memory.csv"})
    assert "'data/memory.csv' cannot be read" in project.refuses("run", code=1)
    assert project.lock is None


def test_a_secret_in_a_url_is_refused_and_neither_shown_nor_written(small, served):
    project = small()
    host = served.removeprefix("http://")
    for url in (
        f"http://me:{SECRET}@{host}/parquet/part-1.parquet",
        f"simplecache::http://me:{SECRET}@{host}/parquet/part-1.parquet",
        f"http://{host}/parquet/part-1.parquet?sig={SECRET}",
        f"s3://key:{SECRET}@bucket/flights.parquet",
        f"http://me:{SECRET}/@{host}/parquet/part-1.parquet",
    ):
        project.set({"data.source": url})
        told = project.refuses("run", code=2)
        assert "data.source" in told
        assert SECRET not in told
    done = project.mlops("doctor", code=3)
    assert SECRET not in done.out + done.err
    (project.path / "params.yaml").unlink()
    for path in project.path.rglob("*"):
        if path.is_file() and not {".venv", ".git"} & set(path.parts):
            assert SECRET.encode() not in path.read_bytes(), path


def test_credentials_come_from_fsspec_s_own_settings(small, served, tmp_path):
    """What the message about a password in a URL advises."""
    project = small()
    project.set({"data.source": f"{served}/private/parquet/part-1.parquet"})
    token = base64.b64encode(f"me:{SECRET}".encode()).decode()
    settings = {"http": {"client_kwargs": {"headers": {"Authorization": f"Basic {token}"}}}}
    (tmp_path / "http.json").write_text(json.dumps(settings), encoding="utf-8")
    project.mlops("run", "ingest", FSSPEC_CONFIG_DIR=tmp_path)
    assert SECRET not in (project.path / "data/source.json").read_text(encoding="utf-8")
