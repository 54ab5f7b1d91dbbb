"""GitHub's REST API on a free port of this machine: as much as is needed, and as moody as the real one."""

import base64
import json
import re
import subprocess
import threading
import time
from collections import Counter
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import ThreadingHTTPServer
from urllib.parse import parse_qs, urlsplit

from support.listening import Handler
from support.template import git

TOKEN = "ghp_" + "s3cret" * 6
PAGE = 7
NOT_FOUND = (404, {}, {"message": "Not Found"})


@dataclass
class Repository:
    """What the API knows of a repository; its files are those of a clone on disk, if there is one."""

    name: str
    clone: object = None
    archived: bool = False
    runs: list = field(default_factory=list)
    update: str | None = "success"
    """How runs of template-update.yml end; None where there is no such workflow."""


@dataclass
class GitHub:
    """An organisation `acme`, what it was asked, and what goes wrong: each `trouble` is met once.

    A trouble is (method and path as a pattern, status, headers, body); `always` ones do not go away.
    """

    repositories: dict
    url: str = ""
    asked: list = field(default_factory=list)
    trouble: list = field(default_factory=list)
    always: list = field(default_factory=list)
    lock: threading.Lock = field(default_factory=threading.Lock)
    next_run: int = 1000

    def answer(self, method, path, query, body):
        """(status, headers, content) for a request that carries the token."""
        with self.lock:
            self.asked.append((method, path, body))
            for troubles in (self.trouble, self.always):
                for one in troubles:
                    if re.fullmatch(one[0], f"{method} {path}"):
                        if troubles is self.trouble:
                            troubles.remove(one)
                        return one[1:]
        if path == "/orgs/acme/repos":
            return self._page(path, query)
        match = re.fullmatch(r"/repos/acme/([^/]+)(/.*)?", path)
        repository = self.repositories.get(match[1]) if match else None
        if repository is None:
            return NOT_FOUND
        return self._of(repository, method, match[2] or "", query, body)

    def _page(self, path, query):
        number, size = int(query.get("page", 1)), min(int(query.get("per_page", 30)), PAGE)
        names = sorted(self.repositories)
        part = [self._about(self.repositories[name]) for name in names[(number - 1) * size : number * size]]
        headers = {}
        if number * size < len(names):
            link = f"<{self.url}{path}?per_page={size}&page="
            headers["Link"] = f'{link}{number + 1}>; rel="next", {link}99>; rel="last"'
        return 200, headers, part

    def _about(self, repository):
        return {
            "name": repository.name,
            "full_name": f"acme/{repository.name}",
            "html_url": f"https://github.com/acme/{repository.name}",
            "default_branch": "main",
            "archived": repository.archived,
            "disabled": False,
        }

    def _of(self, repository, method, path, query, body):
        if path.startswith("/actions/"):
            return self._actions(repository, method, path, body)
        if repository.clone is None and "/git/" in path:
            return 409, {}, {"message": "Git Repository is empty."}
        content = self._content(repository, path, query)
        return NOT_FOUND if content is None else (200, {}, content)

    def _content(self, repository, path, query):
        if path == "":
            return self._about(repository)
        if repository.clone is None:
            return None
        kind, _, name = path.lstrip("/").partition("/")
        if kind == "contents":
            listed = git("ls-tree", "HEAD", "--", name, cwd=repository.clone)
            return self._blob(repository, listed.split()[2]) if listed else None
        if kind == "commits":
            moment = git("log", "-1", "--format=%cI", "--", query["path"], cwd=repository.clone)
            return [{"commit": {"committer": {"date": moment}}}] if moment else []
        if path.startswith("/git/blobs/"):
            return self._blob(repository, path.rpartition("/")[2])
        assert (path, query.get("recursive")) == ("/git/trees/main", "1")
        lines = git("ls-tree", "-r", "-t", "HEAD", cwd=repository.clone).splitlines()
        names = ("mode", "type", "sha", "path")
        tree = [dict(zip(names, line.split(None, 3), strict=True)) for line in lines]
        return {"tree": tree, "truncated": False}

    def _blob(self, repository, sha):
        content = subprocess.check_output(["git", "cat-file", "blob", sha], cwd=repository.clone)
        return {"encoding": "base64", "content": base64.encodebytes(content).decode(), "sha": sha}

    def _actions(self, repository, method, path, body):
        if path == "/actions/runs":
            return 200, {}, {"workflow_runs": [run for run in repository.runs if run["status"] == "completed"]}
        match = re.fullmatch(r"/actions/runs/(\d+)", path)
        if match:
            (run,) = [run for run in repository.runs if run["id"] == int(match[1])]
            if run["polls"]:
                run["polls"] -= 1
            else:
                run |= {"status": "completed", "conclusion": repository.update}
            return 200, {}, run
        if not path.startswith("/actions/workflows/template-update.yml/") or repository.update is None:
            return NOT_FOUND
        if path.endswith("/runs"):
            return 200, {}, {"workflow_runs": [run for run in repository.runs if run["event"] == "workflow_dispatch"]}
        assert (method, path.rpartition("/")[2], body["ref"]) == ("POST", "dispatches", "main")
        with self.lock:
            self.next_run += 1
            repository.runs.insert(0, run_of("template-update.yml", self.next_run, status="queued", polls=2))
        return 204, {}, None

    def started(self):
        """The repositories whose update was started, in order, with the version asked for."""
        found = []
        for method, path, body in self.asked:
            if method == "POST":
                found.append((path.split("/")[3], body["inputs"]["version"]))
        return found

    def counts(self):
        return Counter(f"{method} {path}" for method, path, _ in self.asked)


def run_of(workflow, number, *, status="completed", conclusion=None, polls=0, at="2026-11-20T03:00:00Z"):
    return {
        "id": number,
        "path": f".github/workflows/{workflow}",
        "event": "workflow_dispatch" if workflow == "template-update.yml" else "push",
        "status": status,
        "conclusion": conclusion,
        "run_started_at": at,
        "html_url": f"https://github.com/acme/x/actions/runs/{number}",
        "polls": polls,
    }


@contextmanager
def serve(repositories):
    """The API over HTTP, for as long as the block lasts."""
    github = GitHub({repository.name: repository for repository in repositories})

    class Answering(Handler):
        def _handle(self):
            parts = urlsplit(self.path)
            size = int(self.headers.get("Content-Length") or 0)
            body = json.loads(self.rfile.read(size)) if size else None
            query = {name: values[-1] for name, values in parse_qs(parts.query).items()}
            if self.headers.get("Authorization") != f"Bearer {TOKEN}":
                status, headers, content = 401, {}, {"message": "Bad credentials"}
            else:
                status, headers, content = github.answer(self.command, parts.path, query, body)
            data = b"" if content is None else json.dumps(content).encode()
            self.send_response(status)
            for name, value in {**headers, "Content-Length": str(len(data))}.items():
                self.send_header(name, value() if callable(value) else value)
            self.end_headers()
            self.wfile.write(data)

        do_GET = do_POST = _handle  # noqa: N815 - names of http.server

    server = ThreadingHTTPServer(("127.0.0.1", 0), Answering)
    github.url = f"http://127.0.0.1:{server.server_port}"
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
    thread.start()
    try:
        yield github
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def soon(seconds=1):
    """A moment in the form of x-ratelimit-reset, reckoned when it is sent."""
    return lambda: str(int(time.time() + seconds))
