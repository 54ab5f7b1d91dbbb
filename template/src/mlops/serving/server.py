# The template's: `copier update` renews this file.
"""`mlops serve`: the application behind uvicorn, from the first request to the last open one."""

import logging
import os
import signal
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from mlops.errors import MlopsError


def serve_model(spec: str | None, host: str | None, port: int | None) -> None:
    """Serve until SIGTERM or SIGINT; open requests are finished and the log of predictions is written.

    Raises:
        UsageError: there is no model to serve.
        MlopsError: it cannot be loaded here, or the port is taken.
    """
    # One thread a request: a row needs no more, and threads that wait for each other cost more than they bring.
    os.environ.setdefault("OMP_NUM_THREADS", "1")
    os.environ.setdefault("POLARS_MAX_THREADS", "1")
    import uvicorn

    from mlops.project import find_root
    from mlops.serving.champion import Models
    from mlops.serving.online import create_app
    from mlops.serving.telemetry import log_as_json
    from mlops.settings import load_settings

    if spec and "://" not in spec and Path(spec).exists():
        spec = str(Path(spec).absolute())
    with suppress(MlopsError):  # a container has no project
        os.chdir(find_root())  # for its .env and its local folders
    settings = load_settings()
    models = Models(spec, settings)
    log_as_json()

    class Server(uvicorn.Server):
        """Ends with exit code 0 when it is told to stop; uvicorn's own would raise the signal again."""

        @contextmanager
        def capture_signals(self) -> Iterator[None]:
            before = {number: signal.signal(number, self.handle_exit) for number in (signal.SIGINT, signal.SIGTERM)}
            try:
                yield
            finally:
                for number, handler in before.items():
                    signal.signal(number, handler)

    server = Server(
        uvicorn.Config(
            create_app(models, settings),
            host=host or settings.host,
            port=_port(port),
            log_config=None,
            access_log=False,
            server_header=False,
            timeout_keep_alive=75,  # longer than load balancers keep a connection, which may then trust it
            timeout_graceful_shutdown=settings.drain_seconds,
        )
    )

    def stop() -> None:
        server.should_exit = True

    models.on_failure = stop
    logging.getLogger("uvicorn.error").setLevel(logging.INFO)
    with suppress(SystemExit):  # uvicorn's own where the port is taken; its 3 would say here that somebody has to act
        server.run()
    if models.failure is not None:
        raise models.failure
    if not server.started:
        raise MlopsError(f"the server could not start on {host or settings.host}:{_port(port)}; the log above says why")


def _port(port: int | None) -> int:
    if port is not None:
        return port
    given = os.environ.get("AIP_HTTP_PORT", "")
    return int(given) if given.isdecimal() else 8080
