# The template's: `copier update` renews this file.
"""What `mlops doctor --on azure` looks at: the login, workspaces, storage, clusters, identities and repositories."""

import base64
import json
import re
from collections.abc import Callable, Iterator
from functools import partial
from typing import Any

from mlops.errors import MlopsError
from mlops.platforms.azure import manager
from mlops.platforms.azure.machines import Cluster, clusters
from mlops.platforms.azure.session import Session, answering
from mlops.platforms.cloud import Row, looked

APPLY = "apply infra/azure again, or set the variable to what it made"
SUBSCRIPTIONS, STORAGE, LEARNING, IDENTITIES = "2022-12-01", "2023-05-01", "2024-10-01", "2023-01-31"
REGISTRIES = "2023-07-01"
IDENTITY = re.compile(
    r"/subscriptions/[^/]+/resourcegroups/[^/]+/providers/microsoft\.managedidentity/userassignedidentities/[^/]+", re.I
)
REPOSITORY = re.compile(r"(?P<host>[a-z0-9-]+\.azurecr\.(?:io|cn|us))/(?P<name>[a-z0-9._/-]+)")


def check(session: Session) -> list[Row]:
    """Look at all that is set; nothing is changed. Without a login that works there is nothing more to see."""
    rows = [_look("credentials", lambda: _identity(session))]
    if rows[0][2] is None and session.azure.subscription and session.azure.resource_group:
        rows += [_look(what, look) for what, look in _looks(session)]
    return rows


def _looks(session: Session) -> Iterator[tuple[str, Callable[[], str]]]:
    for where in ("", "recovery_"):
        for name, look in {
            "workspace": _workspace,
            "storage_account": _storage,
            "endpoint_identity": _endpoint_identity,
        }.items():
            if getattr(session.azure, f"{where}{name}"):
                yield f"{where}{name}".replace("_", " "), partial(look, session, where)
    if session.azure.workspace and session.azure.clusters:
        yield "clusters", partial(_clusters, session)
    for name in ("pipeline_repository", "serving_repository"):
        if getattr(session.azure, name):
            yield name.replace("_", " "), partial(_repository, session, name)


def _look(what: str, look: Callable[[], str]) -> Row:
    return looked(what, look, _is_denied, APPLY)


def _is_denied(cause: BaseException | None) -> bool:
    from azure.core.exceptions import HttpResponseError

    return isinstance(cause, HttpResponseError) and cause.status_code == 403


def _identity(session: Session) -> str:
    """Who the token is for: nobody but Azure need believe what it says."""
    with answering("who is logged in"):
        token = session.credential.get_token(f"{manager.address()}/.default").token
        body = token.split(".")[1]
        claims = json.loads(base64.urlsafe_b64decode(body + "=" * (-len(body) % 4)))
        who = next(claims[name] for name in ("upn", "unique_name", "appid", "oid", "sub") if name in claims)
        if not session.azure.subscription:
            return f"{who}, in {session.locations[0]}"
        said = manager.ask(session, f"/subscriptions/{session.azure.subscription}", SUBSCRIPTIONS)
    return f"{who}, in {session.locations[0]} of {said.get('displayName', session.azure.subscription)}"


def _group(session: Session, where: str) -> str:
    return (
        f"/subscriptions/{session.setting('subscription')}/resourceGroups/{session.setting(f'{where}resource_group')}"
    )


def _workspace_id(session: Session, where: str) -> str:
    place = f"{_group(session, where)}/providers/Microsoft.MachineLearningServices/workspaces"
    return f"{place}/{session.setting(f'{where}workspace')}"


def _workspace(session: Session, where: str) -> str:
    name = session.setting(f"{where}workspace")
    with answering(f"the workspace {name}"):
        found = manager.ask(session, _workspace_id(session, where), LEARNING)
    meant = session.locations[1 if where else 0]
    if found["location"] != meant:
        raise MlopsError(
            f"{name} is in {found['location']}, not in {meant}; "
            f"set {where}location under [tool.mlops.azure] in pyproject.toml"
        )
    return f"{name}, in {found['location']}"


def _storage(session: Session, where: str) -> str:
    name, container = session.setting(f"{where}storage_account"), session.azure.container
    account = f"{_group(session, where)}/providers/Microsoft.Storage/storageAccounts/{name}"
    with answering(f"the storage account {name}"):
        settings = manager.ask(session, account, STORAGE)["properties"]
        blobs = manager.ask(session, f"{account}/blobServices/default", STORAGE)["properties"]
    with answering(f"the container {container} of {name}"):
        manager.ask(session, f"{account}/blobServices/default/containers/{container}", STORAGE)
    if settings.get("allowBlobPublicAccess", True):
        raise MlopsError(f"{name} lets a container be opened to everybody; {APPLY}")
    kept = blobs.get("deleteRetentionPolicy", {})
    if not kept.get("enabled"):
        raise MlopsError(f"{name} keeps nothing that is deleted, so what is overwritten is lost; {APPLY}")
    folders = "with folders" if settings.get("isHnsEnabled") else "without folders"
    return f"{container} in {name}, {folders}, keeps what is deleted for {kept['days']} days"


def _endpoint_identity(session: Session, where: str) -> str:
    name = session.setting(f"{where}endpoint_identity")
    if not IDENTITY.fullmatch(name):
        raise MlopsError(
            f"'{name}' is no /subscriptions/ID/resourceGroups/NAME/providers/"
            f"Microsoft.ManagedIdentity/userAssignedIdentities/NAME; {APPLY}"
        )
    with answering(f"the identity {name.rpartition('/')[2]}"):
        manager.ask(session, name, IDENTITIES)
    return name.rpartition("/")[2]


def _clusters(session: Session) -> str:
    meant = clusters(session.azure.clusters)
    for cluster in meant:
        with answering(f"the cluster {cluster.name}"):
            found = manager.ask(session, f"{_workspace_id(session, '')}/computes/{cluster.name}", LEARNING)
        if wrong := _fault(session, cluster, found):
            raise MlopsError(f"the cluster {cluster.name} {wrong}; {APPLY}")
    return f"{', '.join(cluster.name for cluster in meant)}, no machine while there is no job"


def _fault(session: Session, cluster: Cluster, found: dict[str, Any]) -> str | None:
    compute = found["properties"].get("properties") or {}
    size, spot = compute.get("vmSize", "none"), compute.get("vmPriority") == "LowPriority"
    if size.lower() != cluster.machine.name.lower() or spot != cluster.spot:
        tier = " at low priority" if spot else ""
        return f"has machines of the size {size}{tier}, and MLOPS_AZURE_CLUSTERS says another"
    if least := compute.get("scaleSettings", {}).get("minNodeCount", 0):
        return f"keeps {least} machines while there is no job"
    attached = (found.get("identity") or {}).get("userAssignedIdentities") or {}
    meant = session.azure.job_identity
    if meant and meant not in [one.get("clientId") for one in attached.values()]:
        return f"does not have the identity {meant} of MLOPS_AZURE_JOB_IDENTITY"
    return None


def _repository(session: Session, name: str) -> str:
    address = session.setting(name)
    match = REPOSITORY.fullmatch(address)
    if match is None:
        raise MlopsError(f"'{address}' is no REGISTRY.azurecr.io/NAME; {APPLY}")
    registries = f"/subscriptions/{session.setting('subscription')}/providers/Microsoft.ContainerRegistry/registries"
    with answering(f"the repository {address}"):
        there = manager.ask(session, registries, REGISTRIES)["value"]
    settings = next((one["properties"] for one in there if one["properties"]["loginServer"] == match["host"]), None)
    if settings is None:
        raise MlopsError(f"this subscription has no registry {match['host']}; {APPLY}")
    if settings.get("adminUserEnabled") or settings.get("anonymousPullEnabled"):
        raise MlopsError(f"{match['host']} lets in who has no identity of Azure; {APPLY}")
    return f"{address}, for identities alone"
