"""Azure's management plane in tests: an HTTPS server with a certificate of its own, which the real SDK drives.

It keeps resources as Azure Resource Manager does, checks each body against the SDK's REST models, and refuses what it
has no route for with 404 in Azure's form. A test adds what else it needs by `route`, and looks at `asked`.
"""

import base64
import datetime
import ipaddress
import json
import re
import socket
import ssl
import urllib.parse
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

from support.listening import Handler, listening

SUBSCRIPTION = "11111111-2222-3333-4444-555555555555"
GROUP, WORKSPACE, LOCATION = "flight-delays-dev", "flight-delays-dev", "eastus"
ML = "Microsoft.MachineLearningServices"
PREFIX = f"/subscriptions/{SUBSCRIPTION}/resourceGroups/{GROUP}/providers"
PLACE = f"{PREFIX}/{ML}/workspaces/{WORKSPACE}"

KINDS = {
    "workspaces": None,
    "workspaces/jobs": "JobBase",
    "workspaces/components": "ComponentContainer",
    "workspaces/components/versions": "ComponentVersion",
    "workspaces/environments": "EnvironmentContainer",
    "workspaces/environments/versions": "EnvironmentVersion",
    "workspaces/models": "ModelContainer",
    "workspaces/models/versions": "ModelVersion",
    "workspaces/schedules": "Schedule",
    "workspaces/computes": "ComputeResource",
    "workspaces/datastores": "Datastore",
    "workspaces/onlineEndpoints": "OnlineEndpoint",
    "workspaces/onlineEndpoints/deployments": "OnlineDeployment",
}
"""The REST model of a kind of resource; None where it cannot be changed here."""
SLOW = {"workspaces/schedules", "workspaces/onlineEndpoints", "workspaces/onlineEndpoints/deployments"}
"""Kinds whose changes are operations that take a while, and that may fail in the end."""


@dataclass(frozen=True)
class Asked:
    """What a client asked."""

    method: str
    path: str
    query: dict
    headers: object
    body: object
    """What was in the JSON, or bytes."""


@dataclass(frozen=True)
class Said:
    """An answer: a body that is JSON, or bytes as they are."""

    status: int = 200
    body: object = None
    headers: dict = field(default_factory=dict)


def refused(status, code, message):
    return Said(status, {"error": {"code": code, "message": message}})


LOST = object()
"""In place of an answer: the connection breaks."""


class Management:
    """What is there, what was asked, and what is answered.

    `severed(method, path)` says whether a connection breaks before a body is read. `rule(asked)` comes before
    everything else: a `Said`, `LOST`, or None to go on. `route(method, pattern, answer)` adds a
    route: a regular expression for the whole path, and `answer(asked, match)` -> `Said`. `fail[id]` is an error,
    as (code, message), that the next change of a resource ends with.
    """

    def __init__(self, url, certificate, models):
        self.url, self.certificate, self.models = url, certificate, models
        self.reset()

    def reset(self):
        """As before the first request: a workspace with nothing in it."""
        self.rule = lambda asked: None
        self.severed = lambda method, path: False
        self.asked, self.resources, self.fail = [], {}, {}
        self._routes, self._operations = [], {}
        self.put(PLACE, self.workspace())
        self.route("GET", r"/metadata", self._metadata)
        self.route("GET", r"/adfs/\.well-known/openid-configuration", self._openid)
        self.route("POST", r"/adfs/oauth2/token", self._token)
        self.route("GET", r"/operations/(\d+)", self._operation)

    @property
    def host(self):
        return self.url.removeprefix("https://")

    @property
    def env(self):
        """Variables for a project or a workflow: a principal's login, and where this cloud is."""
        return {
            "ARM_CLOUD_METADATA_URL": f"{self.url}/metadata",
            "AZURE_AUTHORITY_HOST": self.url,
            "AZURE_TENANT_ID": "adfs",  # whose address is asked for nothing: no discovery elsewhere
            "AZURE_CLIENT_ID": "66666666-7777-8888-9999-000000000000",
            "AZURE_CLIENT_SECRET": "testing",
            "SSL_CERT_FILE": str(self.certificate),
            "REQUESTS_CA_BUNDLE": str(self.certificate),
        }

    def workspace(self):
        return {
            "location": LOCATION,
            "identity": {"type": "SystemAssigned"},
            "properties": {
                "workspaceId": "99999999-0000-1111-2222-333333333333",
                "friendlyName": WORKSPACE,
                "provisioningState": "Succeeded",
                "discoveryUrl": f"{self.url}/discovery",
                "mlFlowTrackingUri": f"azureml://{self.host}/mlflow/v1.0{PLACE}",
            },
        }

    def route(self, method, pattern, answer):
        """A later one comes before an earlier one."""
        self._routes.insert(0, (method, re.compile(pattern, re.IGNORECASE), answer))

    def put(self, name, body):
        """Has a resource be there, by its whole id; returns it as it will be told."""
        kind = _kind(name)
        whole = {**body, "id": name, "name": name.rpartition("/")[2], "type": f"{ML}/{kind}" if kind else None}
        self.resources[name.lower()] = whole
        return whole

    def of(self, kind):
        """The resources of a kind, such as `jobs`, by the last part of their names."""
        wanted = f"workspaces/{kind}"
        return {each["name"]: each for name, each in self.resources.items() if _kind(name) == wanted.lower()}

    def requests(self, method, part):
        """What was asked by a method of paths that contain a text."""
        return [each for each in self.asked if each.method == method and part.lower() in each.path.lower()]

    def answer(self, asked):
        self.asked.append(asked)
        if (said := self.rule(asked)) is not None:
            return said
        for method, pattern, answer in self._routes:
            if method == asked.method and (match := pattern.fullmatch(asked.path)):
                return answer(asked, match)
        return self.arm(asked)

    # Who is asked for tokens, and where this cloud is.

    def _metadata(self, asked, match):
        cloud = {
            "name": "TestCloud",
            "portal": "https://portal.azure.test",
            "resourceManager": self.url,
            "authentication": {"loginEndpoint": self.url, "audiences": [self.url]},
            "suffixes": {"storage": "core.azure.test"},
        }
        return Said(body=[cloud])

    def _openid(self, asked, match):
        names = ("authorization", "token", "device_authorization")
        said = {f"{name}_endpoint": f"{self.url}/adfs/oauth2/{name}" for name in names}
        return Said(body={**said, "issuer": f"{self.url}/adfs"})

    def _token(self, asked, match):
        form = urllib.parse.parse_qs(asked.body.decode())
        scope = form["scope"][0].split()[0]
        return Said(body={"token_type": "Bearer", "expires_in": 3600, "access_token": token(scope)})

    # Resources.

    def arm(self, asked):
        """The answer to a request for a resource."""
        kind, is_list = _kind(asked.path), False
        if kind is None and (kind := _kind(f"{asked.path}/x")):
            is_list = True
        if kind not in {each.lower() for each in KINDS}:
            return refused(404, "InvalidResourceType", f"there is no {asked.method} {asked.path}")
        if not asked.headers.get("Authorization", "").startswith("Bearer "):
            return refused(401, "AuthenticationFailed", "Authentication failed. The 'Authorization' header is missing.")
        if "api-version" not in asked.query:
            return refused(400, "MissingApiVersionParameter", "The api-version query parameter is required.")
        if not self.resources.keys() & {asked.path.lower(), *_parents(asked.path.lower())}:
            return refused(404, "ResourceGroupNotFound", f"there is no {asked.path}")
        act = getattr(self, f"_{'list' if is_list else asked.method.lower()}", None)
        if act is None or (is_list and asked.method != "GET"):
            return refused(404, "InvalidResourceType", f"there is no {asked.method} {asked.path}")
        return act(asked, next(each for each in KINDS if each.lower() == kind))

    def _get(self, asked, kind):
        found = self.resources.get(asked.path.lower())
        return Said(body=found) if found else refused(404, "ResourceNotFound", f"there is no {asked.path}")

    def _list(self, asked, kind):
        found = [
            each
            for name, each in self.resources.items()
            if name.rpartition("/")[0] == asked.path.lower() and _kind(name) == kind.lower()
        ]
        # A page each, as Azure may answer.
        at = int(asked.query.get("$skip", 0))
        query = urllib.parse.urlencode({**asked.query, "$skip": at + 1})
        more = {"nextLink": f"{self.url}{asked.path}?{query}"} if at + 1 < len(found) else {}
        return Said(body={"value": found[at : at + 1], **more})

    def _put(self, asked, kind):
        model = KINDS[kind]
        if model is None:
            return refused(403, "AuthorizationFailed", f"{asked.path} is not to be changed")
        parent = asked.path.rpartition("/")[0].rpartition("/")[0].lower()
        if parent not in self.resources and not kind.endswith("/versions"):
            return refused(404, "ParentResourceNotFound", f"there is no {parent}")
        if wrong := self.models.faults(model, asked.body):
            return refused(400, "ValidationError", "; ".join(wrong))
        return self._change(asked, kind, asked.body)

    def _patch(self, asked, kind):
        found = self.resources.get(asked.path.lower())
        if found is None:
            return refused(404, "ResourceNotFound", f"there is no {asked.path}")
        return self._change(asked, kind, merged(found, asked.body))

    def _change(self, asked, kind, body):
        is_new = asked.path.lower() not in self.resources
        error = self.fail.pop(asked.path.lower(), None)
        properties = {**body.get("properties", {})}
        if kind.endswith("jobs"):
            properties.setdefault("status", "NotStarted")
        else:
            properties["provisioningState"] = "Failed" if error else "Succeeded"
        whole = self.put(asked.path, {**body, "properties": properties})
        if kind in SLOW:
            return Said(
                201 if is_new else 200,
                merged(whole, {"properties": {"provisioningState": "Updating"}}),
                self._begun(error),
            )
        return Said(201 if is_new else 200, whole)

    def _delete(self, asked, kind):
        if self.resources.pop(asked.path.lower(), None) is None:
            return Said(204)
        for name in [name for name in self.resources if name.startswith(f"{asked.path.lower()}/")]:
            del self.resources[name]
        return Said(202, None, self._begun(None)) if kind in SLOW else Said(200)

    def _begun(self, error):
        """Headers of an operation that is asked once before it has ended."""
        number = str(len(self._operations) + 1)
        self._operations[number] = [("InProgress", None), ("Failed" if error else "Succeeded", error)]
        address = f"{self.url}/operations/{number}"
        return {"Azure-AsyncOperation": address, "x-ms-retry-after-ms": "10"}

    def _operation(self, asked, match):
        states = self._operations[match[1]]
        status, error = states.pop(0) if len(states) > 1 else states[0]
        told = {"error": {"code": error[0], "message": error[1]}} if error else {}
        return Said(200, {"id": asked.path, "name": match[1], "status": status, **told}, {"x-ms-retry-after-ms": "10"})


def token(audience):
    """A token that says for whom it is; nobody looks at its signature."""
    claims = {"aud": audience.removesuffix("/.default"), "exp": 4102444800, "oid": "testing", "tid": "adfs"}
    parts = (json.dumps(each).encode() for each in ({"alg": "none", "typ": "JWT"}, claims))
    return ".".join([*(base64.urlsafe_b64encode(each).decode().rstrip("=") for each in parts), "c2lnbmF0dXJl"])


def merged(one, other):
    """A JSON merge patch."""
    if not (isinstance(one, dict) and isinstance(other, dict)):
        return other
    both = {**one, **{key: merged(one.get(key), value) for key, value in other.items()}}
    return {key: value for key, value in both.items() if value is not None}


def _kind(path):
    """`workspaces/jobs` of a resource's id in lower case; None of what is none."""
    found = re.fullmatch(rf"/subscriptions/[^/]+/resourcegroups/[^/]+/providers/{ML.lower()}/(.+)", path.lower())
    parts = found[1].split("/") if found else []
    return "/".join(parts[::2]) if parts and len(parts) % 2 == 0 else None


def _parents(path):
    while path:
        path = path.rpartition("/")[0]
        yield path


@contextmanager
def management(folder, python):
    """The server, ended at the end; `folder` gets its certificate, `python` is one that has the SDK."""
    from support.azure_models import Models

    models = Models(python, folder)

    class Answering(Handler):
        def handle_request(self):
            if shown.severed(self.command, self.path):
                self.lose()
                return
            raw = self.rfile.read(int(self.headers.get("content-length", 0)))
            where = urllib.parse.urlsplit(self.path)
            body = json.loads(raw) if raw and "json" in self.headers.get("content-type", "") else raw
            query = dict(urllib.parse.parse_qsl(where.query))
            path = urllib.parse.unquote(where.path).replace("//", "/")
            said = shown.answer(Asked(self.command, path, query, self.headers, body))
            if said is LOST:
                self.lose()
                return
            content = said.body if isinstance(said.body, bytes) else b""
            kind = "application/octet-stream"
            if said.body is not None and not isinstance(said.body, bytes):
                content, kind = json.dumps(said.body).encode(), "application/json; charset=utf-8"
            self.send_response_only(said.status)
            for name, value in {"content-type": kind, **said.headers, "content-length": str(len(content))}.items():
                self.send_header(name, value)
            self.end_headers()
            if self.command != "HEAD":
                self.wfile.write(content)

        def lose(self):
            self.close_connection = True
            with suppress(OSError):
                self.connection.shutdown(socket.SHUT_RDWR)

        do_GET = do_HEAD = do_POST = do_PUT = do_DELETE = do_PATCH = handle_request  # noqa: N815 - the library's names

    authority, chain = certificates(folder)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(chain)
    try:
        with listening(Answering, context) as port:
            shown = Management(f"https://127.0.0.1:{port}", authority, models)
            yield shown
    finally:
        models.close()


def certificates(folder):
    """An authority's certificate, and a file with a key and a certificate for 127.0.0.1 that it has signed."""
    now = datetime.datetime.now(datetime.UTC)
    keys = [ec.generate_private_key(ec.SECP256R1()) for _ in range(2)]
    names = [x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, name)]) for name in ("tests", "127.0.0.1")]
    made = []
    for number, (key, name) in enumerate(zip(keys, names, strict=True)):
        is_authority = number == 0
        usage = dict.fromkeys(
            ("content_commitment", "data_encipherment", "encipher_only", "decipher_only", "key_encipherment"), False
        )
        builder = (
            x509.CertificateBuilder()
            .subject_name(name)
            .issuer_name(names[0])
            .public_key(key.public_key())
            .serial_number(x509.random_serial_number())
            .not_valid_before(now - datetime.timedelta(days=1))
            .not_valid_after(now + datetime.timedelta(days=2))
            .add_extension(x509.BasicConstraints(ca=is_authority, path_length=None), critical=True)
            .add_extension(
                x509.KeyUsage(
                    digital_signature=True,
                    key_cert_sign=is_authority,
                    crl_sign=is_authority,
                    key_agreement=False,
                    **usage,
                ),
                critical=True,
            )
            .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
            .add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(keys[0].public_key()), critical=False)
        )
        if not is_authority:
            addresses = x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address("127.0.0.1"))])
            builder = builder.add_extension(addresses, critical=False)
        made.append(builder.sign(keys[0], hashes.SHA256()).public_bytes(serialization.Encoding.PEM))
    private = keys[1].private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    (folder / "authority.pem").write_bytes(made[0])
    (folder / "server.pem").write_bytes(private + made[1])
    return folder / "authority.pem", folder / "server.pem"
