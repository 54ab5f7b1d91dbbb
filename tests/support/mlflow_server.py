"""MLflow's own server in tests, as it stands behind a cloud's."""

import os
import signal
import socket
import subprocess
import time
from contextlib import contextmanager

from support.server import free_port


@contextmanager
def mlflow_server(python, artifacts, folder, env):
    """Its address; it has a store in a folder, keeps artifacts at a URL by itself, and ends at the end.

    `python` is an interpreter that has MLflow.
    """
    port, log = free_port(), folder / "mlflow.log"
    store = f"sqlite:///{folder}/mlflow.db"
    command = [python, "-m", "mlflow", "server", "--host", "127.0.0.1", "--port", str(port), "--workers", "1"]
    command += ["--backend-store-uri", store, "--default-artifact-root", artifacts, "--no-serve-artifacts"]
    with log.open("w") as output:
        process = subprocess.Popen(
            command,
            cwd=folder,
            env={**env, "MLFLOW_SERVER_ENABLE_JOB_EXECUTION": "false"},
            stdout=output,
            stderr=output,
            start_new_session=True,
        )
    try:
        end = time.monotonic() + 180
        while True:
            assert process.poll() is None, log.read_text()
            assert time.monotonic() < end, "the server did not start"
            try:
                socket.create_connection(("127.0.0.1", port), timeout=2).close()
                break
            except OSError:
                time.sleep(0.2)
        yield f"http://127.0.0.1:{port}"
    finally:
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()
