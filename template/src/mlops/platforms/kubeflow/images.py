# The template's: `copier update` renews this file.
"""Images in any registry, by the part of Docker's API that all have, with the login of `docker login` if any."""

import base64
import json
import os
import re
import subprocess
import urllib.error
import urllib.parse
import urllib.request
from pathlib import Path
from typing import Any

from mlops.errors import MlopsError, UsageError, said
from mlops.platforms.cloud import MANIFESTS, no_image
from mlops.platforms.kubeflow.session import Session

DOCKER_HUB = ("docker.io", "registry-1.docker.io", "https://index.docker.io/v1/")
"""As an image names it, where it answers, and what `docker login` calls it."""
SECONDS = 30


def digest(session: Session, repository: str, tag: str) -> str:
    """The digest reference of an image.

    Raises:
        UsageError: there is none, or the repository is not written as one.
        MlopsError: the registry refuses or does not answer.
    """
    host, _, name = repository.partition("/")
    if not re.fullmatch(r"[\w.-]+(:\d+)?", host) or not re.fullmatch(r"[a-z0-9._/-]+", name):
        raise UsageError(f"'{repository}' is no repository; write REGISTRY/NAME, without a tag")
    if not re.search(r"[.:]|^localhost$", host):
        raise UsageError(f"'{repository}' names no registry; write it before the name, such as docker.io/{repository}")
    address = DOCKER_HUB[1] if host == DOCKER_HUB[0] else host
    plain = re.match(r"(localhost|127\.0\.0\.1|\[::1\])(:|$)", host)
    url = f"{'http' if plain else 'https'}://{address}/v2/{name}/manifests/{tag}"
    doing = f"the image {repository}:{tag} cannot be looked up"
    try:
        status, headers = _head(url, None)
        if status == 401:
            status, headers = _head(url, _authorization(headers.get("WWW-Authenticate") or "", host, name))
    except (OSError, ValueError, KeyError) as error:
        raise MlopsError(f"{doing}: {host} does not answer as a registry: {said(error)}") from error
    if status == 404:
        raise no_image(repository, tag)
    if status in (401, 403):
        raise MlopsError(
            f"{doing}: {host} lets nobody in without a login that may pull; 'docker login {host}' makes one"
        )
    found = headers.get("Docker-Content-Digest")
    if status != 200 or not found:
        raise MlopsError(f"{doing}: {host} says {status} and no digest")
    return f"{repository}@{found}"


def _head(url: str, authorization: str | None) -> tuple[int, Any]:
    headers = {"Accept": MANIFESTS} | ({"Authorization": authorization} if authorization else {})
    request = urllib.request.Request(url, headers=headers, method="HEAD")  # noqa: S310 - http or https, as above
    try:
        with urllib.request.urlopen(request, timeout=SECONDS) as answer:  # noqa: S310
            return answer.status, answer.headers
    except urllib.error.HTTPError as error:
        return error.code, error.headers


def _authorization(challenge: str, host: str, name: str) -> str | None:
    """What the registry wants to be shown: the login itself, or a token that is given for it, or for none."""
    login = _login(host)
    kind, _, rest = challenge.partition(" ")
    basic = f"Basic {base64.b64encode(login.encode()).decode()}" if login else None
    if kind.lower() != "bearer":
        return basic
    asked = dict(re.findall(r'(\w+)="([^"]*)"', rest))
    realm, scope = asked["realm"], asked.get("scope") or f"repository:{name}:pull"
    if not re.match(r"https://|http://(localhost|127\.0\.0\.1)[:/]", realm):
        raise ValueError(f"it sends logins to {realm}, which is not encrypted")
    query = urllib.parse.urlencode({"scope": scope, **({"service": asked["service"]} if "service" in asked else {})})
    request = urllib.request.Request(  # noqa: S310
        f"{realm}?{query}", headers={"Authorization": basic} if basic else {}
    )
    try:
        with urllib.request.urlopen(request, timeout=SECONDS) as answer:  # noqa: S310
            given = json.load(answer)
    except urllib.error.HTTPError as error:
        if error.code in (401, 403):
            return None
        raise
    return f"Bearer {given.get('token') or given['access_token']}"


def _login(host: str) -> str | None:
    """NAME:PASSWORD as `docker login` keeps it: in its file, or in a helper that the file names."""
    folder = Path(os.environ.get("DOCKER_CONFIG") or Path.home() / ".docker")
    try:
        kept = json.loads((folder / "config.json").read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None
    server = DOCKER_HUB[2] if host == DOCKER_HUB[0] else host
    helper = kept.get("credHelpers", {}).get(server) or kept.get("credsStore")
    for each in (server, f"https://{server}"):
        if auth := kept.get("auths", {}).get(each, {}).get("auth"):
            return base64.b64decode(auth).decode()
    return _helped(helper, server) if helper else None


def _helped(helper: str, server: str) -> str | None:
    try:
        done = subprocess.run(
            [f"docker-credential-{helper}", "get"],
            input=server,
            capture_output=True,
            text=True,
            timeout=SECONDS,
            check=False,
        )
        told = json.loads(done.stdout) if done.returncode == 0 else {}
        return f"{told['Username']}:{told['Secret']}" if told else None
    except (OSError, ValueError, KeyError, subprocess.TimeoutExpired):
        return None
