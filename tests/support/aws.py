"""AWS in tests: moto's server on a free port of this machine, and clients that ask it."""

import os
import signal
import subprocess
import sys
import time
import urllib.request
from contextlib import contextmanager
from dataclasses import dataclass

import boto3

from support.front import Reply
from support.server import free_port

REGION, RECOVERY = "us-east-1", "us-west-2"
ACCOUNT = "123456789012"
CREDENTIALS = {"AWS_ACCESS_KEY_ID": "testing", "AWS_SECRET_ACCESS_KEY": "testing", "AWS_SESSION_TOKEN": "testing"}

NOBODY = {
    **dict.fromkeys(CREDENTIALS),
    "AWS_EC2_METADATA_DISABLED": "true",
    "AWS_SHARED_CREDENTIALS_FILE": "none",
    "AWS_CONFIG_FILE": "none",
}
"""Variables of one who is not logged in."""


def _refusal(status, code, message):
    body = f'<?xml version="1.0"?><Error><Code>{code}</Code><Message>{message}</Message></Error>'.encode()
    return lambda request: Reply(status, b"" if request.method == "HEAD" else body, "application/xml")


REFUSALS = {
    "wrong": _refusal(403, "InvalidAccessKeyId", "The AWS Access Key Id you provided does not exist in our records."),
    "expired": _refusal(400, "ExpiredToken", "The provided token has expired."),
    "denied": _refusal(403, "AccessDenied", "Access Denied"),
}
"""How S3 says no: rules for a `support.front.Front`."""


@dataclass(frozen=True)
class Cloud:
    """A server that answers as AWS does, and what a project needs to know to ask it."""

    url: str

    @property
    def env(self):
        """Variables for a project or a workflow: an account with nobody's credentials, at this address."""
        return {**CREDENTIALS, "AWS_REGION": REGION, "AWS_DEFAULT_REGION": REGION, "AWS_ENDPOINT_URL": self.url}

    def client(self, service, region=REGION):
        names = {"aws_access_key_id": "testing", "aws_secret_access_key": "testing", "aws_session_token": "testing"}
        return boto3.client(service, region_name=region, endpoint_url=self.url, **names)

    def reset(self):
        """Takes everything away, as before the first request."""
        self._post("/moto-api/reset")

    def _post(self, path, body=b""):
        request = urllib.request.Request(self.url + path, data=body, method="POST")  # noqa: S310 - an address of ours
        urllib.request.urlopen(request, timeout=30).close()  # noqa: S310


@contextmanager
def cloud(log):
    """A server of its own, ended at the end; what it prints goes to the file `log`."""
    port = free_port()
    with open(log, "wb") as stream:  # noqa: PTH123 - a path or a text
        process = subprocess.Popen(
            [sys.executable, "-m", "moto.server", "-H", "127.0.0.1", "-p", str(port)],
            env={**os.environ, **CREDENTIALS},
            stdin=subprocess.DEVNULL,
            stdout=stream,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
    address = f"http://127.0.0.1:{port}"
    try:
        _wait(process, f"{address}/moto-api/data.json")
        yield Cloud(address)
    finally:
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()


def _wait(process, url, seconds=60):
    end = time.monotonic() + seconds
    while True:
        assert process.poll() is None, "the server has ended"
        try:
            urllib.request.urlopen(url, timeout=5).close()  # noqa: S310
            return
        except OSError:
            assert time.monotonic() < end, "the server does not answer"
            time.sleep(0.1)
