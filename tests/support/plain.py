"""A small HTTP server on a free port of this machine, that answers by routes and refuses all else."""

import json
import re
import urllib.parse
from contextlib import contextmanager
from dataclasses import dataclass

from support.front import Reply
from support.listening import Handler, listening


@dataclass(frozen=True)
class Asked:
    """What a client asked; `json` is its body."""

    method: str
    path: str
    query: dict
    headers: object
    body: bytes

    @property
    def json(self):
        return json.loads(self.body)


class Routes:
    """What is answered: a route is a method, a regular expression for the whole path, and `answer(asked, *groups)`.

    An answer is a `Reply` or what is sent as JSON. `rule(asked)` comes before every route: a reply, or None to go on.
    `after` has functions by a part of METHOD PATH, called when it is done and before the client is told.
    """

    def __init__(self):
        self.url, self._routes = None, []
        self.clear()

    def clear(self):
        self.asked, self.after = [], {}
        self.rule = lambda asked: None

    def route(self, method, pattern, answer):
        self._routes.append((method, re.compile(pattern), answer))

    def requests(self, method, part=""):
        return [asked for asked in self.asked if asked.method == method and part in asked.path]

    def refused(self, status, message):
        return Reply(status, json.dumps({"message": message, "code": status}).encode())

    def answer(self, asked):
        self.asked.append(asked)
        reply = self.rule(asked)
        if reply is None:
            reply = self._routed(asked)
        for part, act in list(self.after.items()):
            if part in f"{asked.method} {asked.path}":
                act()
        return reply if isinstance(reply, Reply) else Reply(200, json.dumps(reply).encode())

    def _routed(self, asked):
        for method, pattern, answer in self._routes:
            if method == asked.method and (match := pattern.fullmatch(asked.path)):
                return answer(asked, *match.groups())
        return self.refused(404, f"there is no {asked.method} {asked.path}")


@contextmanager
def serving(routes):
    """The routes on a port, ended at the end; their `url` is set."""

    class Answering(Handler):
        def handle_request(self):
            path, _, query = self.path.partition("?")
            body = self.rfile.read(int(self.headers.get("content-length") or 0))
            asked = Asked(self.command, path, dict(urllib.parse.parse_qsl(query)), self.headers, body)
            try:
                reply = routes.answer(asked)
            except Exception as error:
                reply = routes.refused(500, f"{type(error).__name__}: {error}")
            self.send_response_only(reply.status)
            for name, value in {"content-type": reply.kind, **reply.headers}.items():
                self.send_header(name, value)
            self.send_header("content-length", str(len(reply.body)))
            self.end_headers()
            if self.command != "HEAD":
                self.wfile.write(reply.body)

        do_GET = do_HEAD = do_POST = do_PUT = do_DELETE = do_PATCH = handle_request  # noqa: N815 - the library's names

    with listening(Answering) as port:
        routes.url = f"http://127.0.0.1:{port}"
        yield routes
