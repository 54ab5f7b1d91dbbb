"""Jobs that take time and fail, and images, as the plane beside Azure's management plane tells of them."""

import hashlib
import urllib.parse
from dataclasses import dataclass, field

from support.azure_ml import PLACE, Said, merged, refused

DONE = ("Completed", {"prepare": "Completed", "train": "Completed", "judge": "Completed"}, None)
HISTORY = f"/history/v1.0{PLACE}/runs"


@dataclass
class Runs:
    """`plan` is how the next job goes, a state each time one asks: the job's, those of its steps, and why it failed."""

    management: object
    plan: list = field(default_factory=lambda: [DONE])
    states: dict = field(default_factory=dict)

    def __post_init__(self):
        url = self.management.url
        self.management.route("GET", "/discovery", lambda asked, match: Said(body={"api": url, "history": url}))
        self.management.route("GET", f"{PLACE}/jobs/([^/]+)", self._job)
        self.management.route("GET", f"{HISTORY}/([^/]+)/children", self._children)
        self.management.route("GET", f"{HISTORY}/([^/]+)/details", self._details)

    def _job(self, asked, match):
        job = self.management.resources.get(asked.path.lower())
        if job is None:
            return refused(404, "ResourceNotFound", f"there is no {asked.path}")
        states = self.states.setdefault(match[1], list(self.plan))
        self.shown = states[0]
        return Said(body=merged(job, {"properties": {"status": self.shown[0]}}))

    def _children(self, asked, match):
        states = self.states[match[1]]
        if len(states) > 1:
            states.pop(0)
        found = [
            {"runId": f"{match[1]}-{step}", "displayName": step, "status": status, "runType": "azureml.StepRun"}
            for step, status in self.shown[1].items()
        ]
        return Said(body={"value": found})

    def _details(self, asked, match):
        reason = self.shown[2]
        said = {"error": {"error": {"code": "UserError", "message": reason}}} if reason else {}
        return Said(body={"runId": match[1], "status": "Failed", **said})


@dataclass
class Images:
    """A container registry at the same address; `push` makes an image of a repository's tag be there."""

    management: object
    digests: dict = field(default_factory=dict)

    def __post_init__(self):
        self.management.route("POST", "/oauth2/exchange", self._exchange)
        self.management.route("POST", "/oauth2/token", self._token)
        self.management.route("HEAD", "/v2/(.+)/manifests/([^/]+)", self._manifest)

    def push(self, repository, tag):
        self.digests[repository, tag] = f"sha256:{hashlib.sha256(tag.encode()).hexdigest()}"

    def _exchange(self, asked, match):
        form = urllib.parse.parse_qs(asked.body.decode())
        if form.get("grant_type") != ["access_token"] or not form.get("access_token") or not form.get("service"):
            return Said(400, {"errors": [{"code": "UNAUTHORIZED", "message": "wrong grant"}]})
        return Said(body={"refresh_token": "refresh"})

    def _token(self, asked, match):
        form = urllib.parse.parse_qs(asked.body.decode())
        if form.get("refresh_token") != ["refresh"]:
            return Said(401, {"errors": [{"code": "UNAUTHORIZED", "message": "wrong token"}]})
        return Said(body={"access_token": f"for {form['scope'][0]}"})

    def _manifest(self, asked, match):
        if asked.headers.get("Authorization") != f"Bearer for repository:{match[1]}:pull":
            return Said(401, {"errors": [{"code": "UNAUTHORIZED", "message": "authentication required"}]})
        digest = self.digests.get((match[1], match[2]))
        return Said(200, b"", {"Docker-Content-Digest": digest}) if digest else Said(404)
