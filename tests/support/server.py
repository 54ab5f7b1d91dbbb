"""`mlops serve` in a process of its own, and a client that speaks plain HTTP."""

import http.client
import json
import os
import signal
import socket
import subprocess
import time
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from support.environment import changed

JSON = {"content-type": "application/json"}


@dataclass
class Reply:
    """What the server said."""

    status: int
    headers: dict
    body: bytes

    @property
    def json(self):
        return json.loads(self.body)


@dataclass
class Server:
    """A server that runs: its port, its process, and the file that its standard output goes to."""

    port: int
    process: subprocess.Popen
    output: Path
    _connection: http.client.HTTPConnection = field(default=None, repr=False)

    def ask(self, method, path, body=None, headers=(), *, timeout=60):
        """A request on the connection that is open, or on a new one where the server has closed it."""
        for fresh in (False, True):
            if fresh or self._connection is None:
                self._connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=timeout)
            try:
                self._connection.request(method, path, body, dict(headers))
                answer = self._connection.getresponse()
                return Reply(answer.status, dict(answer.getheaders()), answer.read())
            except (http.client.HTTPException, ConnectionError):
                self._connection.close()
                if fresh:
                    raise
        raise AssertionError("not reached")

    def get(self, path):
        return self.ask("GET", path)

    def post(self, body, path="/invocations", **headers):
        """Posts JSON, or bytes as they are; `content_type=` and other keywords are headers."""
        content = body if isinstance(body, bytes) else json.dumps(body).encode()
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        return self.ask("POST", path, content, {**JSON, **named})

    def predict(self, rows, **headers):
        """The predictions of rows; asserts that there are some."""
        reply = self.post({"inputs": rows}, **headers)
        assert reply.status == 200, reply
        return reply.json["predictions"]

    def metric(self, name):
        """The value of a metric that has no labels."""
        for line in self.get("/metrics").body.decode().splitlines():
            if line.startswith(f"{name} "):
                return float(line.split()[1])
        raise AssertionError(f"no metric {name}")

    def lines(self):
        """What was printed, each line a JSON object."""
        return [json.loads(line) for line in self.output.read_text(encoding="utf-8").splitlines()]

    def wait(self, condition, *, seconds=60):
        """Waits until `condition()` is true."""
        end = time.monotonic() + seconds
        while not condition():
            assert self.process.poll() is None, f"the server has ended: {self.output.read_text()}"
            assert time.monotonic() < end, f"it did not come to pass: {self.output.read_text()[-2000:]}"
            time.sleep(0.05)

    def ready(self):
        try:
            return self.get("/ping").status == 200
        except OSError:
            return False

    def close(self):
        if self._connection is not None:
            self._connection.close()

    def stop(self, number=signal.SIGTERM, *, seconds=40):
        """Sends a signal and returns the exit code."""
        self.process.send_signal(number)
        return self.process.wait(seconds)


def free_port():
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        return taken.getsockname()[1]


@contextmanager
def served(project, *arguments, ready=True, cwd=None, port=None, **env):
    """A server of a project, once it is ready; killed at the end if it still runs.

    `port=` is for a server that learns its port from a variable.
    """
    own = port or free_port()
    output = Path(project.path).with_name(f"{Path(project.path).name}-{own}.log")
    command = [project.path / ".venv/bin/mlops", "serve", *([] if port else ["--port", str(own)]), *arguments]
    with output.open("wb") as stream:
        process = subprocess.Popen(
            [str(part) for part in command],
            cwd=cwd or project.path,
            env=changed(project.env, env),
            stdin=subprocess.DEVNULL,
            stdout=stream,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
    server = Server(own, process, output)
    try:
        if ready:
            server.wait(server.ready)
        yield server
    finally:
        server.close()
        if process.poll() is None:
            os.killpg(process.pid, signal.SIGKILL)
            process.wait()
