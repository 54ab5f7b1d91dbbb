"""Values for what only a cloud knows: made up, plausible, and the same each time."""

import hashlib
import json
import re

import msgpack

ACCOUNT = "123456789012"
ZONES = ("a", "b", "c")
PROJECT = "made-up-project"
POOL = "workload_identity_pool"
LABELS = ("name", "bucket", "alarm_name", "account_id", f"{POOL}_provider_id", f"{POOL}_id")
"""Where a resource has its name."""
SUBSCRIPTION, TENANT, PRINCIPAL = (f"{digit * 8}-2222-3333-4444-555555555555" for digit in "198")


def string(type_name, name, root):
    """A text for an attribute of a resource; `root` is the resource as it was planned."""
    cloud, _, kind = type_name.partition("_")
    seed = json.dumps([type_name, name, root], sort_keys=True, default=str)
    tag = hashlib.sha256(seed.encode()).hexdigest()[:12]
    label = next((root[key] for key in LABELS if isinstance(root.get(key), str)), f"made-up-{tag}")
    if name.endswith("json") or re.search("policy$", name):
        return "{}"
    if cloud == "aws" and (name == "arn" or name.endswith("_arn")):
        service, _, thing = kind.partition("_")
        if service == "s3":
            return f"arn:aws:s3:::{label}"
        region = "" if service == "iam" else root.get("region") or "us-east-1"
        return f"arn:aws:{service}:{region}:{ACCOUNT}:{thing.replace('_', '-')}/{label}"
    if name == "repository_url":
        return f"{ACCOUNT}.dkr.ecr.{root.get('region') or 'us-east-1'}.amazonaws.com/{label}"
    if cloud == "google" and (told := _google(kind, name, label, root)):
        return told
    group = f"/subscriptions/{SUBSCRIPTION}/resourceGroups/{root.get('resource_group_name') or label}"
    return {
        "id": f"{group}/providers/Made.Up/{kind}/{label}" if cloud in ("azurerm", "azapi") else label,
        "login_server": f"{label}.azurecr.io",
    }.get(name, f"{name.replace('_', '-')}-{tag}")


def _google(kind, name, label, root):
    account = f"{root.get('account_id')}@{PROJECT}.iam.gserviceaccount.com"
    region = root.get("location") or root.get("region") or "global"
    path = f"{root.get('key_ring') or f'projects/{PROJECT}/locations/{region}'}/{kind}s/{label}"
    names = {"email": account, "member": f"serviceAccount:{account}", "id": path, "name": path}
    return f"https://{label}-{ACCOUNT}.{region}.run.app" if name == "uri" else names.get(name)


def value(type_name, name, kind, root):
    """A value of a type as Terraform writes it: "string", ["list", "string"], ["object", {...}]."""
    if isinstance(kind, str):
        plain = {"number": 0, "bool": False, "dynamic": [b'"string"', "made up"]}
        return string(type_name, name, root) if kind == "string" else plain[kind]
    shape, inner = kind
    if shape in ("list", "set"):
        return [] if name.startswith("tags") else [value(type_name, name, inner, root)]
    if shape == "object":
        return {key: value(type_name, key, of, root) for key, of in inner.items()}
    return {}


def complete(given, type_name, name, kind, root):
    """A value that is partly unknown, made whole."""
    if isinstance(given, msgpack.ExtType):
        return value(type_name, name, kind, root)
    if isinstance(given, list) and kind[0] in ("list", "set"):
        return [complete(each, type_name, name, kind[1], root) for each in given]
    if isinstance(given, dict) and kind[0] == "map":
        return {key: complete(each, type_name, key, kind[1], root) for key, each in given.items()}
    if isinstance(given, dict) and kind[0] == "object":
        return {key: complete(each, type_name, key, kind[1][key], root) for key, each in given.items()}
    return given


def planned(provider, block, resource):
    """Puts in what the provider knows when it plans: its default tags or labels, and its region."""
    attributes = block.get("attributes", {})
    for own, merged, default in (
        ("tags", "tags_all", "default_tags"),
        ("labels", "effective_labels", "default_labels"),
    ):
        if own in attributes and merged in attributes and not isinstance(resource.get(own), msgpack.ExtType):
            given = provider.config.get(default) or {}
            given = (given[0] if isinstance(given, list) else given).get("tags", given) if given else {}
            resource[merged] = {**(given or {}), **(resource.get(own) or {})}
    if "region" in attributes and isinstance(resource.get("region"), msgpack.ExtType):
        resource["region"] = provider.config.get("region")


def data_source(provider, name):
    """What a data source that tests care about answers."""
    region = provider.config.get("region") or "us-east-1"
    return {
        "aws_caller_identity": {"account_id": ACCOUNT, "id": ACCOUNT},
        "aws_region": {"region": region, "name": region, "id": region},
        "azurerm_client_config": {"subscription_id": SUBSCRIPTION, "tenant_id": TENANT, "object_id": PRINCIPAL},
        "google_project": {"project_id": PROJECT, "number": ACCOUNT, "billing_account": "0A0A0A-0A0A0A-0A0A0A"},
        "aws_partition": {"partition": "aws", "dns_suffix": "amazonaws.com", "id": "aws"},
        "aws_availability_zones": {"names": [region + zone for zone in ZONES]},
    }.get(name, {})
