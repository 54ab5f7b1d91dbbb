"""Google Cloud in tests: a proxy that answers as Google does, under its own host names.

The real packages go through it by HTTPS_PROXY and trust its certificates by REQUESTS_CA_BUNDLE. A service account's key
is made for it, and tokens are what it gives. What Vertex AI is asked is read into Google's own messages. A host, a
method, a field or a login that it does not know is refused in Google's form; a test adds what it needs by `rpc` and
`route`, and looks at `asked` and `calls`.
"""

import base64
import json
import re
import socket
import time
import urllib.parse
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import padding, rsa

from support.authority import Authority
from support.google_models import Models
from support.listening import Handler, listening

PROJECT, REGION, RECOVERY = "flight-delays-dev-1a2b", "us-central1", "us-east1"
BUCKET = "flight-delays-dev-1a2b"
LOCATION = f"projects/{PROJECT}/locations/{REGION}"
ACCOUNT = f"testing@{PROJECT}.iam.gserviceaccount.com"
TOKENS = "oauth2.googleapis.com"
VERTEX = re.compile(r"([a-z0-9-]+)-aiplatform\.googleapis\.com")
STATUS = {
    400: "INVALID_ARGUMENT",
    401: "UNAUTHENTICATED",
    403: "PERMISSION_DENIED",
    404: "NOT_FOUND",
    409: "ALREADY_EXISTS",
    412: "FAILED_PRECONDITION",
    429: "RESOURCE_EXHAUSTED",
    500: "INTERNAL",
    503: "UNAVAILABLE",
}
NOBODY = {"GOOGLE_APPLICATION_CREDENTIALS": None, "CLOUDSDK_CONFIG": "none", "NO_GCE_CHECK": "true", "HOME": "/none"}
"""Variables of one who is not logged in."""


@dataclass(frozen=True)
class Asked:
    """What a client asked."""

    method: str
    host: str
    path: str
    query: list
    """Pairs, for a name may come several times."""
    headers: object
    body: object
    """What was in the JSON, or bytes."""


@dataclass(frozen=True)
class Call:
    """A method of Vertex AI that was called: its name, its whole request in JSON, and where."""

    rpc: str
    request: dict
    region: str
    asked: Asked


@dataclass(frozen=True)
class Said:
    """An answer: a body that is JSON, or bytes as they are."""

    status: int = 200
    body: object = None
    headers: dict = field(default_factory=dict)


def refused(status, message):
    return Said(status, {"error": {"code": status, "message": message, "status": STATUS[status]}})


LOST = object()
"""In place of an answer: the connection breaks."""


class Google:
    """What was asked, and what is answered.

    `rule(asked)` comes before everything else: a `Said`, `LOST`, or None to go on. `rpc(name, answer)` answers a
    method of Vertex AI, such as `PipelineService.CreatePipelineJob`: `answer(call)` gives a message as JSON, or a
    `Said`; a long-running one gives what `operation` made. `route(method, host, pattern, answer)` answers what is
    no such method, by regular expressions for the host and for the path: `answer(asked, match)` gives a `Said`.
    A later answer comes before an earlier one.
    """

    def __init__(self, url, folder, authority, models):
        self.url, self.authority, self.models = url, authority, models
        self._key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
        self._file = Path(folder, "service-account.json")
        self._file.write_text(json.dumps(self._account()), encoding="utf-8")
        self.reset()

    def reset(self):
        """As before the first request: nobody has a room here but who gives tokens."""
        self.rule = lambda asked: None
        self.asked, self.calls = [], []
        self._rpcs, self._routes, self._operations, self._given = {}, [], {}, set()
        self.route("POST", re.escape(TOKENS), "/token", self._token, login=False)
        self.route("GET", VERTEX.pattern, r"/(?:v1|ui)/(projects/.+/operations/[^/:]+)", self._operation)

    @property
    def env(self):
        """Variables for a project or a workflow: a service account's login, and the way here."""
        proxies = {"HTTPS_PROXY": self.url, "https_proxy": self.url}
        local = "127.0.0.1,localhost"
        return {
            **proxies,
            "NO_PROXY": local,
            "no_proxy": local,
            "HTTP_PROXY": None,
            "http_proxy": None,
            "REQUESTS_CA_BUNDLE": str(self.authority),
            "SSL_CERT_FILE": str(self.authority),
            "CURL_CA_BUNDLE": None,
            "GOOGLE_APPLICATION_CREDENTIALS": str(self._file),
            "GOOGLE_CLOUD_PROJECT": PROJECT,
            "NO_GCE_CHECK": "true",
        }

    def _account(self):
        private = self._key.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        )
        return {
            "type": "service_account",
            "project_id": PROJECT,
            "private_key_id": "testing",
            "private_key": private.decode(),
            "client_email": ACCOUNT,
            "client_id": "1",
            "token_uri": f"https://{TOKENS}/token",
        }

    def rpc(self, name, answer):
        self._rpcs[name] = answer

    def route(self, method, host, pattern, answer, *, login=True):
        self._routes.insert(0, (method, re.compile(host), re.compile(pattern), answer, login))

    def operation(self, call, message=None, result=None, *, pending=0, error=None):
        """A long-running operation that is asked so often before it ends: in a message, in nothing, or an error.

        `error` is (code of `google.rpc.Code`, message).
        """
        if result is not None:
            assert (wrong := self.models.faults(message, result)) == [], wrong
        name = f"projects/{PROJECT}/locations/{call.region}/operations/{len(self._operations) + 1}"
        kind = f"google.cloud.aiplatform.v1.{message}" if message else "google.protobuf.Empty"
        ended = {"response": {"@type": f"type.googleapis.com/{kind}", **(result or {})}}
        if error:
            ended = {"error": {"code": error[0], "message": error[1]}}
        self._operations[name] = [{"name": name}] * pending + [{"name": name, "done": True, **ended}]
        return self._next(name)

    def called(self, name):
        """The requests of a method, by its name or its last part."""
        return [each.request for each in self.calls if each.rpc == name or each.rpc.endswith(f".{name}")]

    def requests(self, method, part):
        """What was asked by a method of addresses that contain a text."""
        return [each for each in self.asked if each.method == method and part in f"{each.host}{each.path}"]

    def answer(self, asked):
        self.asked.append(asked)
        if (said := self.rule(asked)) is not None:
            return said
        for method, host, pattern, answer, login in self._routes:
            if method == asked.method and host.fullmatch(asked.host) and (match := pattern.fullmatch(asked.path)):
                return answer(asked, match) if not login or self._knows(asked) else self._stranger()
        if match := VERTEX.fullmatch(asked.host):
            return self._vertex(asked, match[1])
        return refused(404, f"there is no {asked.method} https://{asked.host}{asked.path}")

    def _vertex(self, asked, region):
        body = asked.body if asked.body is None or isinstance(asked.body, dict) else {"": ""}
        read = self.models.request(asked.method, asked.path, asked.query, body)
        if (wrong := self._wrong(asked, region, read)) is not None:
            return wrong
        call = Call(read["rpc"], read["request"], region, asked)
        self.calls.append(call)
        said = self._rpcs[read["rpc"]](call)
        if said is LOST or isinstance(said, Said):
            return said
        if read["answer"] and (wrong := self.models.faults(read["answer"], said)):
            return refused(500, f"the fake answers what is none: {'; '.join(wrong)}")
        return Said(body=said or {})

    def _wrong(self, asked, region, read):
        """What Google would not take of a request."""
        known = read is not None and read["rpc"] in self._rpcs
        place = re.match(r"/v\w+/projects/([^/]+)/locations/([^/]+)", asked.path)
        faults = (
            (401, not self._knows(asked) and "Request had invalid authentication credentials."),
            (
                404,
                not known and f"there is no {asked.method} https://{asked.host}{asked.path} {(read or {}).get('rpc')}",
            ),
            (400, known and "; ".join(read["faults"])),
            (400, place and place[2] != region and f"{asked.path} is not in {region}"),
            (403, place and place[1] != PROJECT and f"Permission denied on resource project {place[1]}."),
        )
        return next((refused(status, message) for status, message in faults if message), None)

    # Who asks.

    def _knows(self, asked):
        kind, _, token = asked.headers.get("Authorization", "").partition(" ")
        return kind == "Bearer" and (token in self._given or self._claims(token) is not None)

    def _claims(self, token):
        """What a token of the account's own says; None where it did not sign it, or no longer holds."""
        try:
            signed, _, signature = token.rpartition(".")
            self._key.public_key().verify(_plain(signature), signed.encode(), padding.PKCS1v15(), hashes.SHA256())
            claims = json.loads(_plain(signed.split(".")[1]))
        except (ValueError, IndexError, InvalidSignature):
            return None
        return claims if claims.get("iss") == ACCOUNT and claims.get("exp", 0) > time.time() else None

    def _stranger(self):
        return refused(401, "Request had invalid authentication credentials.")

    def _token(self, asked, match):
        form = urllib.parse.parse_qs(asked.body.decode())
        claims = self._claims(form.get("assertion", [""])[0])
        if claims is None or claims.get("aud") != f"https://{TOKENS}/token":
            return Said(400, {"error": "invalid_grant", "error_description": "Invalid JWT Signature."})
        if audience := claims.get("target_audience"):
            return Said(body={"id_token": self.identity(audience)})
        if not claims.get("scope"):
            return Said(400, {"error": "invalid_scope", "error_description": "Empty or missing scope not allowed."})
        token = f"ya29.{len(self._given) + 1}"
        self._given.add(token)
        return Said(body={"access_token": token, "expires_in": 3599, "token_type": "Bearer"})

    def identity(self, audience, seconds=3600):
        """An identity token, as Google signs it; here the account's own key does."""
        claims = {
            "iss": ACCOUNT,
            "aud": audience,
            "email": ACCOUNT,
            "exp": int(time.time()) + seconds,
            "iat": int(time.time()),
        }
        signed = ".".join(_coded(json.dumps(each).encode()) for each in ({"alg": "RS256", "typ": "JWT"}, claims))
        return f"{signed}.{_coded(self._key.sign(signed.encode(), padding.PKCS1v15(), hashes.SHA256()))}"

    def audience(self, asked):
        """For whom the identity token of a request is; None where it has none that holds."""
        claims = self._claims(asked.headers.get("Authorization", "").removeprefix("Bearer "))
        return claims and claims.get("aud")

    # What takes its time.

    def _operation(self, asked, match):
        if match[1] not in self._operations:
            return refused(404, f"there is no {match[1]}")
        return Said(body=self._next(match[1]))

    def _next(self, name):
        states = self._operations[name]
        return states.pop(0) if len(states) > 1 else states[0]


def _coded(content):
    return base64.urlsafe_b64encode(content).decode().rstrip("=")


def _plain(text):
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))


@contextmanager
def cloud(folder, python):
    """The proxy, ended at the end; `folder` gets its certificates, `python` is one that has Google's packages."""
    authority = Authority(Path(folder))
    models = Models(python, folder)

    class Answering(Handler):
        host = None

        def do_CONNECT(self):  # noqa: N802 - the library's name
            self.host, self.close_connection = self.path.partition(":")[0], False
            self.send_response_only(200, "Connection established")
            self.end_headers()
            try:
                self.connection = authority.context(self.host).wrap_socket(self.connection, server_side=True)
            except OSError:  # who does not trust it hangs up
                self.close_connection = True
                return
            self.rfile.close()
            self.rfile, self.wfile = self.connection.makefile("rb"), self.connection.makefile("wb", buffering=0)

        def handle_request(self):
            if self.host is None:
                self.send_error(400, "only HTTPS goes through here")
                return
            raw = self._body()
            where = urllib.parse.urlsplit(self.path)
            body = json.loads(raw) if raw and "json" in self.headers.get("content-type", "") else raw or None
            query = urllib.parse.parse_qsl(where.query, keep_blank_values=True)
            path = urllib.parse.unquote(where.path)
            try:
                said = shown.answer(Asked(self.command, self.host, path, query, self.headers, body))
            except Exception as error:  # a test's own mistake, which is told to who asked
                said = refused(500, f"the fake failed: {error!r}")
            if said is LOST:
                self.close_connection = True
                with suppress(OSError):
                    self.connection.shutdown(socket.SHUT_RDWR)
                return
            content = said.body if isinstance(said.body, bytes) else b""
            kind = "application/octet-stream"
            if said.body is not None and not isinstance(said.body, bytes):
                content, kind = json.dumps(said.body).encode(), "application/json; charset=UTF-8"
            self.send_response_only(said.status)
            for name, value in {"content-type": kind, **said.headers, "content-length": str(len(content))}.items():
                self.send_header(name, value)
            self.end_headers()
            if self.command != "HEAD":
                self.wfile.write(content)

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

        def finish(self):
            with suppress(OSError):
                super().finish()
            self.connection.close()  # the one that speaks TLS, of which the server does not know

    try:
        with listening(Answering) as port:
            shown = Google(f"http://127.0.0.1:{port}", folder, authority.file, models)
            yield shown
    finally:
        models.close()
