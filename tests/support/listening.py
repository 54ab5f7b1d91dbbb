"""What the tests' HTTP servers have in common: how they speak, and that they listen as long as they are needed."""

import threading
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer


class Handler(BaseHTTPRequestHandler):
    """Keeps connections, and says nothing of what it is asked."""

    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True  # or what follows the headers waits until they are acknowledged

    def log_message(self, *arguments):
        pass


class _Server(ThreadingHTTPServer):
    def handle_error(self, *arguments):
        pass  # clients hang up or are killed, which is what is tested


@contextmanager
def listening(handler, context=None):
    """The free port on which a server with this handler listens, by TLS where there is a context for it."""
    server = _Server(("127.0.0.1", 0), handler)
    if context is not None:
        server.socket = context.wrap_socket(server.socket, server_side=True, do_handshake_on_connect=False)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield server.server_port
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
