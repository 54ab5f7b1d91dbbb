"""MLflow on Cloud Run in tests: MLflow's own server, behind what Cloud Run refuses, under an address of Cloud Run's.

It lets in who brings a token of Google's that holds and is for this address or, of a person, for gcloud; and of those,
who may call it.
"""

import json
import re
import urllib.error
import urllib.parse
import urllib.request
from dataclasses import dataclass, field

from support.google import LOST, PROJECT, Said

HOST = "mlflow-2x4c6v8b-uc.a.run.app"
URL = f"https://{HOST}"
GCLOUD = "764086051850-6qr4p6gpi6hn506pt8ejuq83di341hur.apps.googleusercontent.com"
"""For whom the identity tokens of people are who have logged in by gcloud."""
PAGE = "\n<html><head>\n<title>{0}</title>\n</head>\n<body><h1>Error: {0}</h1></body></html>\n"
PERSON = {
    "type": "authorized_user",
    "client_id": GCLOUD,
    "client_secret": "known to all",
    "refresh_token": "1//0",
    "quota_project_id": PROJECT,
}
"""What `gcloud auth application-default login` leaves behind."""


@dataclass
class CloudRun:
    """The routes to a server; `callers` says whether anybody may call it, `asked` which tokens' audiences came."""

    google: object
    mlflow: str
    host: str = HOST
    callers: bool = True
    asked: list = field(default_factory=list)

    def __post_init__(self):
        for method in ("GET", "POST", "PATCH", "DELETE", "PUT"):
            self.google.route(method, re.escape(self.host), r"/.*", self._answer, login=False)

    @property
    def env(self):
        """Variables for a project that tracks here."""
        return {**self.google.env, "MLOPS_TRACKING_URI": f"https://{self.host}"}

    def _answer(self, asked, match):
        audience = self.google.audience(asked)
        self.asked.append(audience)
        if audience not in (f"https://{self.host}", GCLOUD):
            why = 'Bearer error="invalid_token" error_description="The access token could not be verified"'
            known = {"WWW-Authenticate": why} if "Authorization" in asked.headers else {}
            return Said(401, PAGE.format("Unauthorized").encode(), {"content-type": "text/html", **known})
        if not self.callers:
            return Said(403, PAGE.format("Forbidden").encode(), {"content-type": "text/html; charset=UTF-8"})
        body = json.dumps(asked.body).encode() if isinstance(asked.body, dict) else asked.body
        url = f"{self.mlflow}{urllib.parse.quote(asked.path)}?{urllib.parse.urlencode(asked.query)}"
        request = urllib.request.Request(url, data=body, method=asked.method)  # noqa: S310 - of ours
        request.add_header("content-type", asked.headers.get("content-type", "application/json"))
        try:
            with urllib.request.urlopen(request, timeout=120) as answer:  # noqa: S310
                return Said(answer.status, answer.read(), {"content-type": answer.headers["content-type"]})
        except urllib.error.HTTPError as error:
            with error:
                return Said(error.code, error.read(), {"content-type": error.headers["content-type"]})
        except OSError:
            return LOST
