# The template's: `copier update` renews this file.
"""MLflow behind Cloud Run, which lets in who brings an identity token: MLflow's plugin that adds one to requests."""

import time
from typing import Any
from urllib.parse import urlsplit

from mlflow.tracking import get_tracking_uri
from mlflow.tracking.request_auth.abstract_request_auth_provider import RequestAuthProvider

from mlops.errors import MlopsError, UsageError
from mlops.platforms.gcp.session import answering
from mlops.project import extras

SCOPES = ["https://www.googleapis.com/auth/cloud-platform"]
EARLY = 300
"""Seconds before its end at which a token is replaced: they hold for an hour."""


class IdentityTokens(RequestAuthProvider):
    """What MLFLOW_TRACKING_AUTH=gcp means; `mlops` sets that for a server that has Cloud Run's own address."""

    def get_name(self) -> str:
        return "gcp"

    def get_auth(self) -> Any:
        return sign

    @staticmethod
    def serves(uri: str) -> bool:
        """Whether a tracking URI is one of Cloud Run.

        Raises:
            UsageError: it is, and what a login needs is not installed.
        """
        address = urlsplit(uri)
        if address.scheme != "https" or not (address.hostname or "").endswith(".run.app"):
            return False
        try:
            import google.api_core  # noqa: F401 - MLflow itself brings google.auth
        except ImportError as error:
            raise UsageError(f"MLOPS_TRACKING_URI '{uri}' needs a login to Google Cloud: {error}{extras()}") from error
        return True


def sign(request: Any) -> Any:
    """Give a request to the tracking server an identity token; what goes elsewhere or has another login stays as it is.

    Args:
        request: A `requests.PreparedRequest`, which is returned.

    Raises:
        MlopsError: whoever is logged in gets no such token.
    """
    server, asked = urlsplit(get_tracking_uri()), urlsplit(request.url)
    same = (asked.scheme, asked.hostname, asked.port) == ("https", server.hostname, server.port)
    if same and "Authorization" not in request.headers:
        request.headers["Authorization"] = f"Bearer {_token(f'https://{server.hostname}')}"
        request.register_hook("response", _explain)
    return request


_tokens: dict[str, tuple[str, float]] = {}


def _token(audience: str) -> str:
    """A token for the server at this address, the one before as long as it holds."""
    token, end = _tokens.get(audience, ("", 0.0))
    if end < time.time() + EARLY:
        from google.auth import jwt

        with answering(f"an identity token for {audience}"):
            token = _fetch(audience)
            _tokens[audience] = token, float(jwt.decode(token, verify=False)["exp"])
    return token


def _fetch(audience: str) -> str:
    """A new token: of a job's service account, of the one that a workflow logs in as, or of a person at a desk."""
    import google.auth
    from google.auth import external_account, impersonated_credentials
    from google.auth.transport.requests import Request
    from google.oauth2 import credentials, id_token

    login, _ = google.auth.default()
    if isinstance(login, external_account.Credentials):
        login = _impersonated(login)
    if isinstance(login, impersonated_credentials.Credentials):
        login = impersonated_credentials.IDTokenCredentials(login, audience, include_email=True)
        login.refresh(Request())
        return str(login.token)
    if isinstance(login, credentials.Credentials):
        login.refresh(Request())
        return str(login.id_token)  # its audience is gcloud, which Cloud Run takes of people
    return str(id_token.fetch_id_token(Request(), audience))


def _impersonated(login: Any) -> Any:
    """The service account behind a workflow's login, asked as the workflow: of itself it may not have a token."""
    import google.auth
    from google.auth import impersonated_credentials

    if login.service_account_email is None:
        raise MlopsError("the login is no service account's, and only those have identity tokens; log in as one")
    own = {name: value for name, value in login.info.items() if name != "service_account_impersonation_url"}
    workflow, _ = google.auth.load_credentials_from_dict(own, scopes=SCOPES)
    return impersonated_credentials.Credentials(workflow, login.service_account_email, SCOPES)


def _explain(response: Any, **_: Any) -> None:
    """Say in a line what Cloud Run refuses in a page; what MLflow itself refuses comes as JSON.

    Raises:
        MlopsError: Cloud Run does not know the login, or does not let it in.
    """
    if response.status_code == 401:
        told = response.headers.get("WWW-Authenticate", "").partition('error_description="')[2].rstrip('"')
        raise MlopsError(
            f"Cloud Run does not take the identity token (401{f': {told}' if told else ''}); "
            "log in anew ('gcloud auth application-default login')"
        )
    if response.status_code == 403 and "json" not in response.headers.get("Content-Type", ""):
        raise MlopsError("Cloud Run does not let this login in (403); it needs roles/run.invoker on the server")
