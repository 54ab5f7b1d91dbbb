# The template's: `copier update` renews this file.
"""What `mlops doctor --on aws` looks at: who is logged in, the bucket, the roles and the repositories of images."""

import re
from collections.abc import Callable, Iterator
from functools import partial
from typing import Any

from mlops.errors import MlopsError
from mlops.platforms.aws.session import Session, answering
from mlops.platforms.cloud import Row, looked

APPLY = "apply infra/aws again, or set the variable to what it made"
TRUSTED = {
    "pipeline_role_arn": "sagemaker.amazonaws.com",
    "endpoint_role_arn": "sagemaker.amazonaws.com",
    "scheduler_role_arn": "scheduler.amazonaws.com",
}
REPOSITORY = re.compile(r"(?P<account>\d{12})\.dkr\.ecr\.(?P<region>[a-z0-9-]+)\.amazonaws\.com(?:\.cn)?/(?P<name>\S+)")
DENIED = {"AccessDenied", "AccessDeniedException", "403"}


def check(session: Session) -> list[Row]:
    """Look at all that is set; nothing is changed. Without a login that works there is nothing more to see."""
    rows = [_look("credentials", lambda: _identity(session))]
    if rows[0][2] is None:
        rows += [_look(what, look) for what, look in _looks(session)]
    return rows


def _looks(session: Session) -> Iterator[tuple[str, Callable[[], str]]]:
    for name, look in {
        "bucket": _bucket,
        **dict.fromkeys(TRUSTED, _role),
        "pipeline_repository": _repository,
        "serving_repository": _repository,
    }.items():
        if getattr(session.aws, name):
            yield name.removesuffix("_arn").replace("_", " "), partial(look, session, name)


def _look(what: str, look: Callable[[], str]) -> Row:
    return looked(what, look, _is_denied, APPLY)


def _is_denied(cause: BaseException | None) -> bool:
    from botocore.exceptions import ClientError

    return isinstance(cause, ClientError) and cause.response.get("Error", {}).get("Code") in DENIED


def _identity(session: Session) -> str:
    with answering("who is logged in"):
        told = session.client("sts").get_caller_identity()
    return f"{told['Arn']} in {session.region}"


def _bucket(session: Session, name: str) -> str:
    bucket, s3 = session.setting(name), session.client("s3")
    with answering(f"the bucket {bucket}"):
        s3.head_bucket(Bucket=bucket)
        rules = s3.get_bucket_encryption(Bucket=bucket)["ServerSideEncryptionConfiguration"]["Rules"]
        versioned = s3.get_bucket_versioning(Bucket=bucket).get("Status") == "Enabled"
    if not versioned:
        raise MlopsError(f"{bucket} keeps no versions, so what is overwritten is lost; {APPLY}")
    return f"{bucket}, encrypted ({rules[0]['ApplyServerSideEncryptionByDefault']['SSEAlgorithm']}), versioned"


def _role(session: Session, name: str) -> str:
    arn, service = session.setting(name), TRUSTED[name]
    with answering(f"the role {arn}"):
        role = session.client("iam").get_role(RoleName=arn.rpartition("/")[2])["Role"]
    if role["Arn"] != arn:
        raise MlopsError(f"there is no {arn}, but {role['Arn']}; {APPLY}")
    said = role["AssumeRolePolicyDocument"]["Statement"]
    if not any(service in _services(statement) for statement in (said if isinstance(said, list) else [said])):
        raise MlopsError(f"{arn} does not let {service} assume it; {APPLY}")
    return f"{arn}, which {service} may assume"


def _services(statement: dict[str, Any]) -> list[str]:
    principal = statement.get("Principal")
    named = principal.get("Service", []) if isinstance(principal, dict) and statement.get("Effect") == "Allow" else []
    return [named] if isinstance(named, str) else named


def _repository(session: Session, name: str) -> str:
    address = session.setting(name)
    match = REPOSITORY.fullmatch(address)
    if match is None:
        raise MlopsError(f"'{address}' is no ACCOUNT.dkr.ecr.REGION.amazonaws.com/NAME; {APPLY}")
    with answering(f"the repository {address}"):
        (found,) = session.client("ecr", match["region"]).describe_repositories(
            registryId=match["account"], repositoryNames=[match["name"]]
        )["repositories"]
    if found["imageTagMutability"] == "MUTABLE":
        raise MlopsError(f"a tag of {address} can be moved to another image; {APPLY}")
    return f"{address}, tags stay"
