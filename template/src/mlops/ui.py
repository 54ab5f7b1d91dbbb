# The template's: `copier update` renews this file.
"""`mlops ui`: MLflow's own pages on this project's tracking store."""

import os
import signal
import subprocess
import sys
from typing import Any

from mlops.errors import MlopsError, UsageError
from mlops.project import load_project
from mlops.settings import load_settings


def serve_ui(host: str, port: int) -> None:
    """Serve the pages until interrupted.

    Raises:
        UsageError: the store is a server, which has pages of its own, or the port is taken.
        MlopsError: the full `mlflow` is not installed.
    """
    import importlib.util
    import socket

    from mlops.tracking import database, relocate

    load_project()
    settings = load_settings()
    file = database(settings)
    if file is None:
        raise UsageError(f"the tracking store is a server; open {settings.tracking_uri} in a browser")
    if importlib.util.find_spec("mlflow.server.js") is None and importlib.util.find_spec("flask") is None:
        raise MlopsError("MLflow's pages are not installed; run 'uv sync' with the dev group")
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except OSError as error:
            raise UsageError(
                f"{host}:{port} cannot be listened on ({error.strerror}); choose another --port"
            ) from error
    relocate(file)
    print(f"MLflow on http://{host}:{port} (Ctrl-C ends it); it takes half a minute to come up")
    command = [sys.executable, "-m", "mlflow", "server", "--backend-store-uri", settings.tracking_uri]
    command += ["--host", host, "--port", str(port), "--workers", "1"]  # one person looks: one process comes up sooner
    environment = {**os.environ, "MLFLOW_SERVER_ENABLE_JOB_EXECUTION": "false"}
    ended = False
    with subprocess.Popen(command, env=environment) as server:

        def end(*_: Any) -> None:
            """Pass on that the verb is to end, whoever says so: MLflow tells its own processes."""
            nonlocal ended
            ended = True
            server.terminate()

        for number in (signal.SIGINT, signal.SIGTERM):
            signal.signal(number, end)
        code = server.wait()
    if code and not ended:
        raise MlopsError(f"MLflow's server ended with exit code {code}")
