"""SageMaker's managed MLflow in tests: MLflow's own server, and before it a front that is as strict as theirs.

What it lets through are the routes of the actions that the Service Authorization Reference lists for
`sagemaker-mlflow`, but for logged models and traces, which servers before version 3 have not.
"""

import json
import re
from contextlib import contextmanager

from support.aws import ACCOUNT, REGION
from support.front import Reply, front
from support.mlflow_server import mlflow_server

SERVER = f"arn:aws:sagemaker:{REGION}:{ACCOUNT}:mlflow-tracking-server/shared"
APP = f"arn:aws:sagemaker:{REGION}:{ACCOUNT}:mlflow-app/app-0123456789ab"
NAMED_IN = {"x-mlflow-sm-tracking-server-arn": ("sagemaker-mlflow", SERVER), "x-sm-mlflow-app-arn": ("sagemaker", APP)}
"""The header that says which server is meant, the service that its requests are signed for, and its ARN."""
EXPIRED, DENIED = "AKIAEXPIRED", "AKIADENIED"
REFUSED = {
    EXPIRED: "The security token included in the request is expired",
    DENIED: f"User: arn:aws:iam::{ACCOUNT}:user/someone is not authorized to perform this action",
}
"""Access keys whose owner has to log in again, or may do nothing, and what is said to them."""
ROUTES = {
    "artifacts": ["list"],
    "experiments": ["create", "delete", "get", "get-by-name", "restore", "search", "set-experiment-tag", "update"],
    "metrics": ["get-history"],
    "model-versions": [
        "create",
        "delete",
        "delete-tag",
        "get",
        "get-download-uri",
        "search",
        "set-tag",
        "transition-stage",
        "update",
    ],
    "registered-models": [
        "alias",
        "create",
        "delete",
        "delete-tag",
        "get",
        "get-latest-versions",
        "rename",
        "search",
        "set-tag",
        "update",
    ],
    "runs": [
        "create",
        "delete",
        "delete-tag",
        "get",
        "log-batch",
        "log-inputs",
        "log-metric",
        "log-model",
        "log-parameter",
        "restore",
        "search",
        "set-tag",
        "update",
    ],
}
DOCUMENTED = {f"/api/2.0/mlflow/{group}/{action}" for group, actions in ROUTES.items() for action in actions}
SIGNATURE = re.compile(
    r"AWS4-HMAC-SHA256 Credential=(?P<key>[^/]+)/\d{8}/(?P<region>[^/]+)/(?P<service>[^/]+)/aws4_request, "
    r"SignedHeaders=(?P<signed>[a-z0-9;-]+), Signature=[0-9a-f]{64}"
)


def _refused(status, message):
    return Reply(status, json.dumps({"message": message}).encode())


def strict(request):
    """What the front says of a request by itself; None where MLflow is to answer."""
    name = next((each for each in NAMED_IN if each in request.headers), None)
    signature = SIGNATURE.fullmatch(request.headers.get("authorization", ""))
    if name is None or signature is None or "x-amz-date" not in request.headers:
        return _refused(403, "Missing Authentication Token")
    service, arn = NAMED_IN[name]
    if (signature["service"], signature["region"], request.headers[name]) != (service, REGION, arn):
        return _refused(403, "Credential should be scoped to the correct service and region.")
    if not {"host", "x-amz-date", name} <= set(signature["signed"].split(";")):
        return _refused(403, "The request signature we calculated does not match the signature you provided.")
    if signature["key"] in REFUSED:
        return _refused(403, REFUSED[signature["key"]])
    if request.path.partition("?")[0] not in DOCUMENTED:
        return _refused(404, "Not Found")
    return None


@contextmanager
def managed_mlflow(python, artifacts, folder, env):
    """A server that keeps artifacts at an S3 URL, run by an interpreter that has MLflow, as a `Front`."""
    with mlflow_server(python, artifacts, folder, env) as url, front(url) as shown:
        shown.rule = strict
        yield shown
