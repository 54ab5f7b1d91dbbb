"""Servers of bundles, in place of a cloud's containers; what has the same content is served by one server."""

import os
import signal
import subprocess
from pathlib import Path

from support.server import JSON, Server, free_port


class Containers:
    """The servers of one cloud, by names that it gives them; `code` is the folder of the machinery."""

    def __init__(self, folder, python, code):
        self.folder, self.python, self.code = Path(folder), python, code
        self.servers, self.named = {}, {}

    def start(self, name, content, prepare):
        """Has a server of this content; `prepare(root)` brings the bundle to a folder and says its variables."""
        if content not in self.servers:
            root = self.folder / f"container-{len(self.servers)}"
            root.mkdir()
            self.servers[content] = self._start(root, prepare(root))
        self.named[name] = self.servers[content]

    def _start(self, root, variables):
        app, port, output = root / "app", free_port(), root / "output.log"
        app.mkdir()
        env = {
            "PATH": os.environ["PATH"],
            "HOME": str(root),
            "TMPDIR": str(root),
            "PYTHONPATH": str(self.code),
            "PYTHONDONTWRITEBYTECODE": "1",
            "OMP_NUM_THREADS": "1",
            "MLOPS_HOST": "127.0.0.1",
            "MLOPS_LOG_SECONDS": "0.3",
            **variables,
        }
        with output.open("wb") as stream:
            process = subprocess.Popen(
                [self.python, "-m", "mlops", "serve", "--port", str(port)],
                cwd=app,
                env=env,
                stdin=subprocess.DEVNULL,
                stdout=stream,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
        server = Server(port, process, output)
        server.wait(server.ready)
        server.close()
        return server

    def ask(self, name, body, kind):
        server = self.named[name]
        fresh = Server(server.port, server.process, server.output)
        try:
            return fresh.ask("POST", "/invocations", body, {**JSON, "content-type": kind})
        finally:
            fresh.close()

    def stop(self):
        for server in self.servers.values():
            if server.process.poll() is None:
                os.killpg(server.process.pid, signal.SIGKILL)
                server.process.wait()
