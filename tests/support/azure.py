"""Azure in tests: azurite, which is its blob storage, on a free port of this machine, and a client that asks it."""

import base64
import hashlib
import hmac
import os
import shutil
import signal
import socket
import ssl
import subprocess
import time
import urllib.error
import urllib.parse
import urllib.request
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from xml.etree import ElementTree

import pytest
from filelock import FileLock

from support.front import Reply
from support.server import free_port

AZURITE = "3.35.0"
ACCOUNT = "mlopsdev"
KEY = base64.b64encode(b"nobody else knows of it").decode()
CONTAINER = "mlops"
CERTIFICATES = ("/etc/ssl/certs/ca-certificates.crt", "/etc/pki/tls/certs/ca-bundle.crt", "/etc/ssl/cert.pem")
"""Where systems keep the certificates that they trust."""
NOBODY = {
    "AZURE_STORAGE_CONNECTION_STRING": None,
    "AZURE_CONFIG_DIR": "none",
    "AZURE_TOKEN_CREDENTIALS": "EnvironmentCredential",
}
"""Variables of one who is not logged in, and whom nobody asks to."""


def _refusal(status, code, message):
    body = f'<?xml version="1.0"?><Error><Code>{code}</Code><Message>{message}</Message></Error>'.encode()
    headers = {"x-ms-error-code": code}
    return lambda request: Reply(status, b"" if request.method == "HEAD" else body, "application/xml", headers)


REFUSALS = {
    "wrong": _refusal(403, "AuthenticationFailed", "Server failed to authenticate the request."),
    "expired": _refusal(401, "InvalidAuthenticationInfo", "Lifetime validation failed. The token is expired."),
    "denied": _refusal(403, "AuthorizationPermissionMismatch", "This request is not authorized to do this."),
}
"""How its storage says no: rules for a `support.front.Front`."""


@dataclass(frozen=True)
class Storage:
    """A storage account, and what a project needs to know to ask it."""

    url: str

    @property
    def env(self):
        return self.at(self.url)

    @staticmethod
    def at(url):
        """Variables for a project: the account at this address."""
        parts = {
            "DefaultEndpointsProtocol": "http",
            "AccountName": ACCOUNT,
            "AccountKey": KEY,
            "BlobEndpoint": f"{url}/{ACCOUNT}",
        }
        joined = ";".join(f"{name}={value}" for name, value in parts.items())
        return {**NOBODY, "AZURE_STORAGE_CONNECTION_STRING": joined}

    @property
    def signature(self):
        """What makes a URL of the account one that may do everything, for long."""
        fields = {"sp": "rwdlac", "ss": "b", "srt": "sco", "st": "", "se": "2099-01-01T00:00:00Z", "sip": "", "spr": ""}
        fields["sv"] = "2019-12-12"
        text = "".join(f"{value}\n" for value in (ACCOUNT, *fields.values()))
        made = hmac.new(base64.b64decode(KEY), text.encode(), hashlib.sha256).digest()
        fields["sig"] = base64.b64encode(made).decode()
        return urllib.parse.urlencode({name: value for name, value in fields.items() if value})

    def ask(self, method, path, body=None, **headers):
        """The answer's body and headers; `path` may have a query."""
        url = f"{self.url}/{ACCOUNT}/{path}{'&' if '?' in path else '?'}{self.signature}"
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        request = urllib.request.Request(url, data=body, method=method, headers=named)  # noqa: S310 - of ours
        with urllib.request.urlopen(request, timeout=60) as answer:  # noqa: S310
            return answer.read(), answer.headers

    def reset(self, container=CONTAINER):
        """Takes everything away, and makes an empty container."""
        listed = ElementTree.fromstring(self.ask("GET", "?comp=list")[0])  # noqa: S314 - of ours
        for name in listed.iterfind(".//Container/Name"):
            self.ask("DELETE", f"{name.text}?restype=container")
        self.ask("PUT", f"{container}?restype=container", b"")

    def upload(self, file, name, container=CONTAINER):
        self.ask("PUT", f"{container}/{name}", Path(file).read_bytes(), x_ms_blob_type="BlockBlob")

    def stored(self, prefix="", container=CONTAINER):
        """The blobs by name: their size and ETag."""
        query = urllib.parse.urlencode({"restype": "container", "comp": "list", "prefix": prefix})
        listed = ElementTree.fromstring(self.ask("GET", f"{container}?{query}")[0])  # noqa: S314
        return {
            blob.findtext("Name"): (
                int(blob.findtext("Properties/Content-Length")),
                blob.findtext("Properties/Etag").strip('"'),
            )
            for blob in listed.iterfind(".//Blob")
        }


def _trusting():
    """Variables with which Node.js trusts the certificates of the system, as pip does: those of a company's proxy."""
    known = (ssl.get_default_verify_paths().cafile, *CERTIFICATES)
    found = next((path for path in known if path and Path(path).is_file()), None)
    return {**({"NODE_EXTRA_CA_CERTS": found} if found else {}), **os.environ}


def azurite():
    """The program, installed once a machine; without npm the test is skipped."""
    if (npm := shutil.which("npm")) is None or shutil.which("node") is None:
        pytest.skip("there is no npm here to install azurite with, which stands in for Azure's storage")
    cache = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "copier-mlops-tests"
    cache.mkdir(parents=True, exist_ok=True)
    folder = cache / f"azurite-{AZURITE}"
    with FileLock(f"{folder}.lock"):
        if not folder.is_dir():
            fresh = folder.with_suffix(".new")
            shutil.rmtree(fresh, ignore_errors=True)
            asked = [npm, "install", "--prefix", fresh, "--no-audit", "--no-fund", f"azurite@{AZURITE}"]
            done = subprocess.run(asked, env=_trusting(), capture_output=True, text=True, timeout=600, check=False)
            assert done.returncode == 0, done.stderr
            fresh.rename(folder)
    return folder / "node_modules/azurite/dist/src/blob/main.js"


@contextmanager
def storage(folder):
    """A storage account of its own, in memory and ended at the end; what it prints goes to a file in the folder."""
    program, port = azurite(), free_port()
    asked = ["node", program, "--blobHost", "127.0.0.1", "--blobPort", str(port)]
    asked += ["--inMemoryPersistence", "--skipApiVersionCheck", "--disableTelemetry", "--silent"]
    with (Path(folder) / "azurite.log").open("wb") as stream:
        process = subprocess.Popen(
            [str(part) for part in asked],
            cwd=folder,
            env={**os.environ, "AZURITE_ACCOUNTS": f"{ACCOUNT}:{KEY}"},
            stdin=subprocess.DEVNULL,
            stdout=stream,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
    try:
        end = time.monotonic() + 60
        while True:
            assert process.poll() is None, "azurite has ended"
            assert time.monotonic() < end, "azurite does not answer"
            try:
                socket.create_connection(("127.0.0.1", port), timeout=2).close()
                break
            except OSError:
                time.sleep(0.1)
        yield Storage(f"http://127.0.0.1:{port}")
    finally:
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()
