"""An HTTP server before another one: what it hands on, what it answers by itself, and when its network is lost."""

import http.client
import socket
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from urllib.parse import urlsplit

from support.listening import Handler, listening

HOP = {"connection", "content-length", "keep-alive", "transfer-encoding"}


@dataclass(frozen=True)
class Request:
    """What a client asked."""

    method: str
    path: str
    headers: http.client.HTTPMessage
    body: bytes


@dataclass(frozen=True)
class Reply:
    """What the front answers in place of the server behind it."""

    status: int
    body: bytes
    kind: str = "application/json"
    headers: dict = field(default_factory=dict)


LOST = object()
"""In place of an answer: the connection breaks."""


@dataclass
class Front:
    """Its address, what was asked of it, and `rule(request)`: a `Reply`, `LOST`, or None to hand the request on."""

    url: str
    rule: object = staticmethod(lambda request: None)
    asked: list = field(default_factory=list)

    def lose(self, after, *, matching=lambda request: True):
        """Break each connection from now on, after so many requests more that match."""
        left = iter(range(after))

        def rule(request):
            return LOST if matching(request) and next(left, None) is None else None

        self.rule = rule

    def mend(self):
        self.rule = lambda request: None


@contextmanager
def front(target):
    """A front before the server at this address, ended at the end."""
    behind = urlsplit(target)

    class Asking(Handler):
        def handle_request(self):
            body = self._body()
            request = Request(self.command, self.path, self.headers, body)
            shown.asked.append(request)
            reply = shown.rule(request)
            if reply is LOST:
                self.close_connection = True
                self.connection.shutdown(socket.SHUT_RDWR)
                return
            if reply is not None:
                self._send(reply.status, {"content-type": reply.kind, **reply.headers}, reply.body)
                return
            headers = {name: value for name, value in self.headers.items() if name.lower() not in HOP}
            with closing(http.client.HTTPConnection(behind.hostname, behind.port, timeout=120)) as connection:
                connection.request(self.command, self.path, body, {**headers, "Content-Length": str(len(body))})
                answer = connection.getresponse()
                content = answer.read()
                length = answer.getheader("content-length")
                kept = {name: value for name, value in answer.getheaders() if name.lower() not in HOP}
                self._send(answer.status, kept, content, length)

        do_GET = do_HEAD = do_POST = do_PUT = do_DELETE = do_PATCH = handle_request  # noqa: N815 - the library's names

        def _body(self):
            if "chunked" not in self.headers.get("transfer-encoding", ""):
                return self.rfile.read(int(self.headers.get("content-length", 0)))
            parts = []
            while size := int(self.rfile.readline().split(b";")[0], 16):
                parts.append(self.rfile.read(size))
                self.rfile.readline()
            self.rfile.readline()
            return b"".join(parts)

        def _send(self, status, headers, content, length=None):
            self.send_response_only(status)
            for name, value in headers.items():
                self.send_header(name, value)
            # An answer to HEAD tells of a body that it has not.
            self.send_header("content-length", length if self.command == "HEAD" and length else str(len(content)))
            self.end_headers()
            if self.command != "HEAD":
                self.wfile.write(content)

    with listening(Asking) as port:
        shown = Front(f"http://127.0.0.1:{port}")
        yield shown
