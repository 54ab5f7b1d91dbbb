"""The same on MLflow's own server: register, run again, promote, roll back, trace, and two writers at once."""

import os
import signal
import socket
import subprocess
import time

import pytest
from support.template import git

RACE = """
import json, os, sys
from concurrent.futures import ThreadPoolExecutor
from mlops import tracking
from mlops.project import load_project
from mlops.registry.audit import ledger_problems, read_ledger
from mlops.registry.promotion import OvertakenError, Promotions
from mlops.settings import load_settings

project, settings = load_project(), load_settings()
before = Promotions(tracking.open_client(settings), project, settings).champion()
others = [version for version in "123" if version != before]

def move(number):
    promotions = Promotions(tracking.open_client(settings), project, settings)
    try:
        promotions.promote(others[number % 2], approver=f"P{number}", reason="First.", expected=before)
    except OvertakenError:
        return "overtaken"
    return "promoted"

with ThreadPoolExecutor(6) as pool:
    said = list(pool.map(move, range(6)))
client = tracking.open_client(settings)
ledger = read_ledger(client, project.name)
print(json.dumps([said, ledger.aliases["champion"], [e.to_version for e in ledger.entries],
                  [e.sequence for e in ledger.entries], ledger_problems(project.name, ledger, "champion")]))
"""


@pytest.fixture
def server(project, tmp_path):
    """The address of an MLflow server with a store of its own, ended with the test."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    address = f"http://127.0.0.1:{port}"
    store = tmp_path / "server"
    store.mkdir()
    command = [project.python, "-m", "mlflow", "server", "--host", "127.0.0.1", "--port", str(port), "--workers", "1"]
    command += [
        "--backend-store-uri",
        f"sqlite:///{store}/mlflow.db",
        "--artifacts-destination",
        str(store / "artifacts"),
    ]
    env = {**project.env, "MLFLOW_SERVER_ENABLE_JOB_EXECUTION": "false"}
    with (tmp_path / "server.log").open("w") as output:
        process = subprocess.Popen(command, cwd=store, env=env, stdout=output, stderr=output, start_new_session=True)
    try:
        deadline = time.monotonic() + 180
        while True:
            assert process.poll() is None, (tmp_path / "server.log").read_text()
            assert time.monotonic() < deadline, "the server did not start"
            try:
                socket.create_connection(("127.0.0.1", port), timeout=2).close()
                break
            except OSError:
                time.sleep(0.5)
        yield address
    finally:
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()


def test_the_registry_on_a_server(project, server, tmp_path):
    def mlops(*arguments, code=0):
        return project.mlops(*arguments, code=code, MLOPS_TRACKING_URI=server)

    assert "flight-delays version 1" in mlops("run").out
    assert "Nothing to do: flight-delays version 1" in mlops("run").out
    project.set({"estimator.max_iter": 11})
    git("commit", "-q", "-a", "--no-verify", "-m", "Third", cwd=project.path)
    assert "flight-delays version 2" in mlops("run").out
    project.set({"estimator.max_iter": 12, "gate.minimum": 0.99})
    assert "the gate refused" in mlops("run", code=1).err
    assert "the gate refused" in mlops("run", code=1).err
    assert "version 1 of flight-delays is the champion" in mlops("rollback").out.replace("Version", "version")
    project.set({"gate.minimum": 0.5})
    assert "flight-delays version 3" in mlops("run").out
    assert "champion since" in mlops("lineage").out
    assert "each follows from the one before" in mlops("audit", "verify").out
    assert (project.path / mlops("card").out.splitlines()[0]).is_file()

    said, champion, targets, sequence, problems = project.script(RACE, MLOPS_TRACKING_URI=server)
    assert set(said) == {"promoted", "overtaken"}
    assert problems == []
    assert targets[-1] == champion != "3"
    assert sequence == list(range(1, len(targets) + 1))
    assert targets[-2] == "3", "one was promoted, and one only"

    assert project.champion == "2", "the project's own store was left alone"
    told = project.refuses("rollback", code=1, MLOPS_TRACKING_URI="http://127.0.0.1:9")
    assert "does not answer" in told
    asked = (tmp_path / "server.log").read_text(encoding="utf-8")
    assert "/runs/log-parameter" in asked
    assert "logged-models" not in asked, "Azure ML's server has none"
