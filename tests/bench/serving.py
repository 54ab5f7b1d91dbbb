"""How fast predictions come in batch and online, beside the model in memory and MLflow's own server."""

import http.client
import json
import os
import re
import signal
import socket
import statistics
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

from harness import SCRIPTS, Bench, Comparison, Project, Row, UnmeasuredError, measurement

REQUESTS = 150
YEAR = 12
"""The sample is every twelfth row of the year, so this many times the sample is as long as the year."""
IN_MEMORY = """
import sys, time
from pathlib import Path
import polars as pl
from mlops.registry.bundle import load_bundle
bundle = load_bundle(Path("models/bundle"))
frame = pl.read_parquet(sys.argv[1]).select(pl.col(name).cast(dtype) for name, dtype in bundle.schema.items())
start = time.perf_counter()
bundle.predict(frame)
print("rows per second:", len(frame) / (time.perf_counter() - start))
"""
SAMPLE = """
import polars as pl
time = pl.col("scheduled_departure").dt.to_string("iso:strict")
frame = pl.read_parquet("data/sample/flights.parquet").drop("arr_delay", "flight").drop_nulls().head(100)
print(frame.with_columns(time).write_json())
"""


@measurement
def score(bench: Bench) -> Iterator[Row]:
    """Rows a second of `mlops score` once it has loaded, beside features and `predict` on a frame in memory."""
    trained, year = bench.trained, bench.sample_times(YEAR)
    out = bench.folder / "scored.parquet"

    def batch() -> float:
        return number(r"\(([\d,]+) a second\)", bench.run_in(trained, "mlops", "score", year, out).out)

    def memory() -> float:
        return number(r"rows per second: ([\d.]+)", bench.run_in(trained, "python", "-c", IN_MEMORY, year).out)

    comparison = bench.compare(batch, memory, repeats=5, unit="rows/s")
    yield comparison.row("`mlops score`, a year, after loading", "`predict` on it in memory", at_least=0.7)


@measurement
def serve(bench: Bench) -> Iterator[Row]:
    """A request's latency, rows a second and the time to ready, beside MLflow's server of the same bundle.

    Ours runs in what an image installs; MLflow's needs the whole of MLflow, which is in the development group.
    """
    trained, imaged = bench.trained, bench.imaged
    lines = bench.run_in(trained, "python", "-c", SAMPLE).out.splitlines()
    rows = json.loads(lines[-1])
    one, many = (json.dumps({"inputs": part}).encode() for part in (rows[:1], rows))
    starts = bench.compare(
        lambda: start_time(bench, imaged, ours), lambda: start_time(bench, trained, mlflows), repeats=3, warm=True
    )
    with ExitStack() as stack:
        logging, silent, theirs = (
            stack.enter_context(running(bench, project, command, **env))
            for project, command, env in (
                (imaged, ours, {}),
                (imaged, ours, {"MLOPS_LOG_URI": ""}),
                (trained, mlflows, {}),
            )
        )
        latency = bench.compare(lambda: median(logging, one), lambda: median(theirs, one), repeats=5, unit="us")
        yield latency.row("`/invocations`, one row, p50", "MLflow's server", at_most=0.3)
        speed = bench.compare(
            lambda: len(rows) * 1e6 / median(logging, many),
            lambda: len(rows) * 1e6 / median(theirs, many),
            repeats=5,
            unit="rows/s",
        )
        yield speed.row(f"`/invocations`, {len(rows)} rows a request", "MLflow's server", at_least=3)
        yield starts.row("start to ready", "MLflow's server", at_most=0.25)
        log: Comparison = bench.compare(lambda: median(logging, one), lambda: median(silent, one), repeats=9, unit="us")
        yield log.row("`/invocations`, one row, p50, with the log", "without it", at_most=1.1)


def number(pattern: str, text: str) -> float:
    found = re.search(pattern, text)
    if found is None:
        raise UnmeasuredError(f"no figure in: {text}")
    return float(found[1].replace(",", ""))


@dataclass(frozen=True)
class Client:
    """A connection that stays open."""

    connection: http.client.HTTPConnection

    def post(self, body: bytes) -> float:
        """Microseconds from asking to having the answer."""
        start = time.perf_counter()
        self.connection.request("POST", "/invocations", body, {"content-type": "application/json"})
        answer = self.connection.getresponse()
        content = answer.read()
        if answer.status != 200:
            raise UnmeasuredError(f"{answer.status}: {content[:500]!r}")
        return (time.perf_counter() - start) * 1e6


def median(client: Client, body: bytes) -> float:
    client.connection.close()  # it opens anew: a server may have closed it while the other one was asked
    client.post(body)
    return statistics.median(client.post(body) for _ in range(REQUESTS))


def ours(project: Project, port: int) -> list[object]:
    return [project.script("mlops"), "serve", "--model", "models/bundle", "--port", port]


def mlflows(project: Project, port: int) -> list[object]:
    where = ["--model-uri", "models/bundle", "--port", port, "--env-manager", "local", "--workers", "1"]
    return [project.script("mlflow"), "models", "serve", *where]


Command = Callable[[Project, int], list[object]]


def start_time(bench: Bench, project: Project, command: Command) -> float:
    start = time.perf_counter()
    with running(bench, project, command):
        return time.perf_counter() - start


@contextmanager
def running(bench: Bench, project: Project, command: Command, **env: str) -> Iterator[Client]:
    """A server that is ready, and a client of it."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        port = taken.getsockname()[1]
    log = bench.folder / f"server-{port}.txt"
    path = os.pathsep.join([str(project.environment / SCRIPTS), bench.env["PATH"]])
    with log.open("wb") as stream:
        process = subprocess.Popen(
            [str(word) for word in command(project, port)],
            cwd=project.path,
            env={**bench.env, "PATH": path, **env},
            stdin=subprocess.DEVNULL,
            stdout=stream,
            stderr=stream,
            start_new_session=True,
        )
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
    try:
        wait(connection, process, log)
        yield Client(connection)
    finally:
        connection.close()
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()


def wait(connection: http.client.HTTPConnection, process: "subprocess.Popen[bytes]", log: Path) -> None:
    end = time.monotonic() + 180
    while time.monotonic() < end and process.poll() is None:
        try:
            connection.request("GET", "/ping")
            answer = connection.getresponse()
            answer.read()
            if answer.status == 200:
                return
        except (OSError, http.client.HTTPException):
            connection.close()
        time.sleep(0.02)
    tail = "\n".join(log.read_text(encoding="utf-8", errors="replace").splitlines()[-20:])
    raise UnmeasuredError(f"a server did not become ready: {tail}")
