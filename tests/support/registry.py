"""A registry of images in tests, which lets in whom its way says: everybody, who has a password, or who has a token."""

import base64
import hashlib
import json

from support.front import Reply
from support.plain import Routes

LOGIN = "robot:a password"


class Registry(Routes):
    """`way` is `open`, `basic` or `bearer`; `push` makes an image of a repository's tag be there."""

    def __init__(self):
        super().__init__()
        self.route("HEAD", "/v2/(.+)/manifests/([^/]+)", self._manifest)
        self.route("GET", "/token", self._token)
        self.reset()

    def reset(self):
        self.clear()
        self.way, self.digests = "open", {}

    @property
    def host(self):
        return self.url.removeprefix("http://")

    def push(self, repository, tag):
        self.digests[repository, tag] = f"sha256:{hashlib.sha256(tag.encode()).hexdigest()}"

    def login(self, folder):
        """Writes what `docker login` keeps, and says where."""
        folder.mkdir(exist_ok=True)
        auth = {"auth": base64.b64encode(LOGIN.encode()).decode()}
        (folder / "config.json").write_text(json.dumps({"auths": {self.host: auth}}), encoding="utf-8")
        return {"DOCKER_CONFIG": folder}

    def _manifest(self, asked, repository, tag):
        if "application/vnd.oci.image.index.v1+json" not in asked.headers.get("Accept", ""):
            return Reply(406, b"")
        wanted = {
            "open": None,
            "basic": f"Basic {base64.b64encode(LOGIN.encode()).decode()}",
            "bearer": f"Bearer for repository:{repository}:pull",
        }[self.way]
        if wanted and asked.headers.get("Authorization") != wanted:
            realm = f'Bearer realm="{self.url}/token",service="{self.host}",scope="repository:{repository}:pull"'
            challenge = realm if self.way == "bearer" else 'Basic realm="tests"'
            return Reply(401, b"", headers={"WWW-Authenticate": challenge})
        digest = self.digests.get((repository, tag))
        return Reply(200, b"", headers={"Docker-Content-Digest": digest}) if digest else Reply(404, b"")

    def _token(self, asked):
        known = asked.headers.get("Authorization") == f"Basic {base64.b64encode(LOGIN.encode()).decode()}"
        if not known or asked.query.get("service") != self.host:
            return Reply(401, b"{}")
        return {"token": f"for {asked.query['scope']}"}
