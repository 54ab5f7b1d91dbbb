# The template's: `copier update` renews this file.
"""What `mlops doctor --on gcp` looks at: the login, project, services, bucket, accounts, repositories and endpoints."""

import re
from collections.abc import Callable, Iterator
from functools import partial

from mlops.errors import MlopsError
from mlops.platforms.cloud import Row, looked
from mlops.platforms.gcp.place import Place, places
from mlops.platforms.gcp.session import Session, answering

APPLY = "apply infra/gcp again, or set the variable to what it made"
SERVICES = ("aiplatform", "iam", "monitoring", "storage")
"""What has to be enabled in the project; that of images is another's, where that has the repository."""
ABILITIES = {
    "resourcemanager.projects.get": "look",
    "aiplatform.pipelineJobs.create": "start pipelines",
    "aiplatform.endpoints.deploy": "deploy",
}
"""Permissions on a project, and what they let a login do."""
ACT, GET = "iam.serviceAccounts.actAs", "iam.serviceAccounts.get"
ACCOUNT = re.compile(r"[a-z0-9-]+@[a-z0-9.:-]+\.gserviceaccount\.com")
REPOSITORY = re.compile(r"(?P<location>[a-z0-9-]+)-docker\.pkg\.dev/(?P<project>[^/]+)/(?P<name>[^/]+)/[a-z0-9._/-]+")
NETWORK = re.compile(r"projects/\d+/global/networks/[a-z0-9-]+")
KEY = re.compile(r"projects/[^/]+/locations/(?P<location>[^/]+)/keyRings/[^/]+/cryptoKeys/[^/]+")


def check(session: Session) -> list[Row]:
    """Look at all that is set; nothing is changed. Without a login that works there is nothing more to see."""
    rows = [_look("credentials", lambda: _identity(session))]
    if rows[0][2] is None and session.gcp.project:
        rows += [_look(what, look) for what, look in _looks(session)]
    return rows


def _looks(session: Session) -> Iterator[tuple[str, Callable[[], str]]]:
    yield "project", partial(_project, session)
    yield "services", partial(_services, session)
    for name, look in {
        "bucket": _bucket,
        "pipeline_repository": _repository,
        "serving_repository": _repository,
        "job_service_account": _account,
        "endpoint_service_account": _account,
        "network": _network,
        "kms_key": _key,
        "recovery_kms_key": _key,
    }.items():
        if getattr(session.gcp, name):
            yield name.replace("_", " "), partial(look, session, name)
    if session.gcp.bucket and session.gcp.endpoint_service_account:
        yield "endpoint", partial(_endpoints, session)


def _look(what: str, look: Callable[[], str]) -> Row:
    return looked(what, look, _is_denied, APPLY)


def _is_denied(cause: BaseException | None) -> bool:
    """Whether this login may not look; a service that nobody enabled says 403 as well."""
    from google.api_core.exceptions import Forbidden

    return isinstance(cause, Forbidden) and cause.reason != "SERVICE_DISABLED"


def _identity(session: Session) -> str:
    """Who the login is: a service account, or a person by what Google says of them beside a token."""
    from google.auth import jwt
    from google.auth.transport.requests import Request

    with answering("who is logged in"):
        session.credentials.refresh(Request())
        who = getattr(session.credentials, "service_account_email", None)
        if who is None and (token := getattr(session.credentials, "id_token", None)):
            who = jwt.decode(token, verify=False).get("email")
    return f"{who or 'somebody whom Google does not name'}, in {session.regions[0]}"


def _project(session: Session) -> str:
    """Of a project that is not there Google says that nobody may do anything in it."""
    name = session.setting("project")
    with answering(f"the project {name}"):
        said = session.ask(
            "POST",
            f"https://cloudresourcemanager.googleapis.com/v3/projects/{name}:testIamPermissions",
            json={"permissions": list(ABILITIES)},
        )
    if not (may := [ABILITIES[each] for each in ABILITIES if each in said.get("permissions", ())]):
        raise MlopsError(
            f"this login may do nothing in a project {name}, if there is one; "
            "set MLOPS_GCP_PROJECT to its id, or log in as somebody who works in it"
        )
    return f"{name}, where this login may {', '.join(may)}"


def _services(session: Session) -> str:
    name = session.setting("project")
    missing = []
    for service in SERVICES:
        with answering(f"the service {service} of {name}"):
            url = f"https://serviceusage.googleapis.com/v1/projects/{name}/services/{service}.googleapis.com"
            if session.ask("GET", url).get("state") != "ENABLED":
                missing.append(f"{service}.googleapis.com")
    if missing:
        there = " ".join(missing)
        raise MlopsError(f"not enabled: {', '.join(missing)}; gcloud services enable {there} --project {name}")
    return ", ".join(SERVICES)


def _bucket(session: Session, setting: str) -> str:
    name, region = session.setting(setting), session.regions[0]
    with answering(f"the bucket {name}"):
        said = session.ask("GET", f"https://storage.googleapis.com/storage/v1/b/{name}")
    rights = said.get("iamConfiguration", {})
    if not rights.get("uniformBucketLevelAccess", {}).get("enabled"):
        raise MlopsError(f"{name} lets an object have rights of its own; {APPLY}")
    if rights.get("publicAccessPrevention") != "enforced":
        raise MlopsError(f"{name} can be opened to everybody; {APPLY}")
    if not said.get("versioning", {}).get("enabled"):
        raise MlopsError(f"{name} keeps no versions, so what is overwritten is lost; {APPLY}")
    where = [each.lower() for each in said.get("customPlacementConfig", {}).get("dataLocations", [said["location"]])]
    if said["locationType"] != "multi-region" and region not in where:
        raise MlopsError(
            f"{name} is in {' and '.join(where)}, not in {region}; set region under [tool.mlops.gcp] in pyproject.toml"
        )
    return f"{name}, in {' and '.join(where)}, versioned"


def _repository(session: Session, setting: str) -> str:
    address = session.setting(setting)
    match = REPOSITORY.fullmatch(address)
    if match is None:
        raise MlopsError(f"'{address}' is no LOCATION-docker.pkg.dev/PROJECT/REPOSITORY/IMAGE; {APPLY}")
    where = f"projects/{match['project']}/locations/{match['location']}/repositories/{match['name']}"
    with answering(f"the repository {address}"):
        said = session.ask("GET", f"https://artifactregistry.googleapis.com/v1/{where}")
    if said["format"] != "DOCKER":
        raise MlopsError(f"{address} is for {said['format']}, not for images; {APPLY}")
    if not said.get("dockerConfig", {}).get("immutableTags"):
        raise MlopsError(f"a tag of {address} can be moved to another image; {APPLY}")
    return f"{address}, tags stay"


def _account(session: Session, setting: str) -> str:
    name = session.setting(setting)
    if not ACCOUNT.fullmatch(name):
        raise MlopsError(f"'{name}' is no NAME@PROJECT.iam.gserviceaccount.com; {APPLY}")
    address = f"https://iam.googleapis.com/v1/projects/-/serviceAccounts/{name}"
    with answering(f"the service account {name}"):
        said = session.ask("POST", f"{address}:testIamPermissions", json={"permissions": [ACT, GET]})
        may = said.get("permissions", ())
        disabled = GET in may and session.ask("GET", address).get("disabled")
    if disabled:
        raise MlopsError(f"{name} is disabled; gcloud iam service-accounts enable {name}")
    if ACT not in may:
        return f"{name}, as which this login may start none (roles/iam.serviceAccountUser)"
    return f"{name}, as which this login may start jobs"


def _network(session: Session, setting: str) -> str:
    name = session.setting(setting)
    if not NETWORK.fullmatch(name):
        raise MlopsError(f"'{name}' is no projects/NUMBER/global/networks/NAME, with the number of a project; {APPLY}")
    return name


def _key(session: Session, setting: str) -> str:
    name, region = session.setting(setting), session.regions[setting.startswith("recovery")]
    match = KEY.fullmatch(name)
    if match is None:
        raise MlopsError(f"'{name}' is no projects/PROJECT/locations/LOCATION/keyRings/RING/cryptoKeys/KEY; {APPLY}")
    if match["location"] != region:
        raise MlopsError(f"{name} encrypts in {match['location']}, not in {region}; {APPLY}")
    with answering(f"the key {name}"):
        state = session.ask("GET", f"https://cloudkms.googleapis.com/v1/{name}").get("primary", {}).get("state")
    if state != "ENABLED":
        raise MlopsError(f"{name} has no version that encrypts, but one that is {state}; {APPLY}")
    return name


def _endpoints(session: Session) -> str:
    return "; ".join(_endpoint(place) for place in places(session))


def _endpoint(place: Place) -> str:
    from google.api_core.exceptions import NotFound

    with answering(f"the endpoint {place.endpoint} in {place.region}"):
        try:
            url = f"https://{place.region}-aiplatform.googleapis.com/v1/{place.endpoint_name}"
            said = place.session.ask("GET", url)
        except NotFound:
            return f"{place.region}: made by the first mlops deploy"
    return f"{place.region}: {place.endpoint}, {len(said.get('deployedModels', ()))} models deployed"
