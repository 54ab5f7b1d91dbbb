"""The infrastructure on Kubernetes: built by Kustomize, held to schemas, and faults put into it are found."""

import copy
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
import yaml
from support import template as templates
from support.kubernetes import problems

ENVIRONMENTS = ("dev", "staging", "prod")
KUBECTL = Path(sys.executable).with_name("kubectl")
PODS = ("Deployment",)
WORD = re.compile(r"(?i)password|secret_access_key|token$|://[^/\s:]+:[^/\s@]+@")


@pytest.fixture(scope="session")
def folder(template, once):
    with once("infra-kubeflow") as made:
        if made:
            templates.copy(template, made, kubeflow=True)
    return once.path("infra-kubeflow") / "infra" / "kubeflow"


def built(folder, environment):
    """The resources of an overlay, as `kubectl apply -k` would have them."""
    asked = [KUBECTL, "kustomize", folder / "overlays" / environment]
    done = subprocess.run(asked, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return list(yaml.safe_load_all(done.stdout))


@pytest.fixture(scope="session")
def everything(folder):
    return {environment: built(folder, environment) for environment in ENVIRONMENTS}


def of(resources, kind):
    return [each for each in resources if each["kind"] == kind]


def faults(resources):
    """What nobody should apply: by what is in the resources, and by what is missing."""
    for each in resources:
        yield from (f"{each['kind']} {each['metadata']['name']}: {wrong}" for wrong in problems(each))
    yield from _bounds(resources)
    yield from _network(resources)
    yield from _roles(resources)
    for each in of(resources, "Secret"):
        yield f"the Secret {each['metadata']['name']} is in git"
    for each in of(resources, "ConfigMap"):
        yield from (f"{name} is in git" for name, value in each["data"].items() if WORD.search(f"{name}\n{value}"))
    for each in resources:
        if each["kind"] in PODS:
            yield from _pods(each)


def _bounds(resources):
    (namespace,) = of(resources, "Namespace")
    if namespace["metadata"]["labels"].get("pod-security.kubernetes.io/enforce") != "restricted":
        yield "pods may do more than the restricted profile lets them"
    hard = {name for each in of(resources, "ResourceQuota") for name in each["spec"]["hard"]}
    if missing := {"requests.cpu", "limits.memory", "pods", "services.loadbalancers"} - hard:
        yield f"nothing bounds {missing}"
    if not of(resources, "LimitRange"):
        yield "a container that asks for nothing may take all"
    for each in resources:
        if each["kind"] != "Namespace" and each["metadata"].get("namespace") != namespace["metadata"]["name"]:
            yield f"{each['kind']} {each['metadata']['name']} is in no namespace of the project's"


def _network(resources):
    policies = [each["spec"] for each in of(resources, "NetworkPolicy")]
    denied = {"podSelector": {}, "policyTypes": ["Ingress", "Egress"]}
    if denied not in policies:
        yield "what is not opened is open"
    for each in policies:
        for rule in each.get("ingress", []):
            if not rule.get("from") or not rule.get("ports"):
                yield f"everybody, or every port, comes in: {rule}"
            for one in rule.get("from", []):
                if one.get("ipBlock", {}).get("cidr") in ("0.0.0.0/0", "::/0") or one.get("namespaceSelector") == {}:
                    yield f"the world comes in: {rule}"
        for rule in each.get("egress", []):
            if not rule.get("ports"):
                yield f"every port goes out: {rule}"


def _roles(resources):
    for each in (*of(resources, "ClusterRole"), *of(resources, "ClusterRoleBinding")):
        yield f"{each['metadata']['name']} reaches beyond the namespace"
    for role in of(resources, "Role"):
        for rule in role["rules"]:
            if "*" in (*rule["apiGroups"], *rule["resources"], *rule["verbs"]):
                yield f"the role {role['metadata']['name']} may do all: {rule}"
            if "secrets" in rule["resources"] and not rule.get("resourceNames"):
                yield f"the role {role['metadata']['name']} reads every Secret"
    for binding in of(resources, "RoleBinding"):
        for subject in binding["subjects"]:
            if subject["kind"] == "Group" or not re.fullmatch(
                r"github:repo:[\w.-]+/[\w.-]+:environment:(dev|staging|prod|train)|jobs", subject["name"]
            ):
                yield f"{binding['metadata']['name']} is given to {subject['name']}"


def _pods(each):
    name, pod = each["metadata"]["name"], each["spec"]["template"]["spec"]
    outer = pod.get("securityContext", {})
    if not outer.get("runAsNonRoot") or outer.get("seccompProfile", {}).get("type") != "RuntimeDefault":
        yield f"{name} may run as root, or calls what it likes of the kernel"
    if pod.get("automountServiceAccountToken") is not False:
        yield f"{name} has a token of the cluster"
    if pod.get("hostNetwork") or pod.get("hostPID") or any("hostPath" in volume for volume in pod.get("volumes", [])):
        yield f"{name} is on the node itself"
    for container in pod["containers"]:
        its = container.get("securityContext", {})
        wanted = {"allowPrivilegeEscalation": False, "readOnlyRootFilesystem": True}
        if its.get("privileged") or not wanted.items() <= its.items() or its.get("capabilities") != {"drop": ["ALL"]}:
            yield f"{name} may do more than it has to"
        if not {"cpu", "memory"} <= container.get("resources", {}).get("limits", {}).keys():
            yield f"nothing bounds {name}"
        for variable in container.get("env", []):
            if WORD.search(f"{variable['name']}\n{variable.get('value', '')}") and "value" in variable:
                yield f"{name} has {variable['name']} in clear text"
        if ":" not in container["image"] or container["image"].endswith(":latest"):
            yield f"nobody knows what {name} runs: {container['image']}"
        if not all(container.get(probe) for probe in ("readinessProbe", "livenessProbe")):
            yield f"nobody sees when {name} stands still"


def test_overlays_are_built_and_nothing_is_wrong_with_them(everything):
    for environment, resources in everything.items():
        assert list(faults(resources)) == [], environment
        assert len(resources) > 25
        (namespace,) = of(resources, "Namespace")
        assert namespace["metadata"]["name"] == f"flight-delays-{environment}"
        for each in resources:
            labels = each["metadata"]["labels"]
            assert {"mlops-project": "flight-delays", "mlops-environment": environment}.items() <= labels.items()


def test_tokens_are_taken_from_one_environment_of_the_repository(everything):
    for environment, resources in everything.items():
        named = {
            each["metadata"]["name"]: [subject["name"] for subject in each["subjects"]]
            for each in of(resources, "RoleBinding")
        }
        own = f"github:repo:OWNER/NAME:environment:{environment}"
        also = ["github:repo:OWNER/NAME:environment:train"] if environment == "prod" else []
        assert named == {"train": [own, *also], "deploy": [own], "jobs": ["jobs"]}


def test_what_settings_say_goes_where_it_is_needed(folder, tmp_path):
    own = Path(shutil.copytree(folder, tmp_path / "kubeflow"))
    file = own / "overlays/dev/settings.env"
    text = file.read_text(encoding="utf-8").replace("OWNER/NAME", "an-owner/a.name")
    text = re.sub(r"MLFLOW_IMAGE=.*", "MLFLOW_IMAGE=ghcr.io/an-owner/mlflow@sha256:0123", text)
    file.write_text(text, encoding="utf-8")
    extra = own / "overlays/dev/extra.yaml"
    more = {"apiVersion": "v1", "kind": "ServiceAccount", "metadata": {"name": "mine"}}
    extra.write_text(extra.read_text(encoding="utf-8") + "---\n" + yaml.safe_dump(more), encoding="utf-8")
    resources = built(own, "dev")
    assert list(faults(resources)) == []
    images = [
        c["image"] for each in of(resources, "Deployment") for c in each["spec"]["template"]["spec"]["containers"]
    ]
    assert "ghcr.io/an-owner/mlflow@sha256:0123" in images
    subjects = {subject["name"] for each in of(resources, "RoleBinding") for subject in each["subjects"]}
    assert "github:repo:an-owner/a.name:environment:dev" in subjects
    assert "mine" in {each["metadata"]["name"] for each in of(resources, "ServiceAccount")}


def test_accounts_and_names_are_those_that_settings_name(everything):
    resources = everything["dev"]
    (settings,) = [each["data"] for each in of(resources, "ConfigMap") if "GITHUB_REPOSITORY" in each["data"]]
    accounts = {each["metadata"]["name"] for each in of(resources, "ServiceAccount")}
    services = {each["metadata"]["name"]: each for each in of(resources, "Service")}
    for name in ("JOB", "ENDPOINT"):
        assert settings[f"MLOPS_KUBEFLOW_{name}_SERVICE_ACCOUNT"] in accounts
    for name in ("TRACKING_URI", "PUSHGATEWAY"):
        host, port = re.fullmatch(r"http://(\w+):(\d+)", settings[f"MLOPS_KUBEFLOW_{name}"]).groups()
        assert services[host]["spec"]["ports"][0]["port"] == int(port)
    assert settings["MLOPS_KUBEFLOW_NAMESPACE"] == of(resources, "Namespace")[0]["metadata"]["name"]
    for each in of(resources, "Deployment"):
        labels = each["spec"]["template"]["metadata"]["labels"]
        assert services[each["metadata"]["name"]]["spec"]["selector"].items() <= labels.items()


def put(kind, name, *path, value):
    """A fault put at a place of one resource."""

    def make(resources):
        (content,) = [each for each in of(resources, kind) if each["metadata"]["name"] == name]
        *way, last = path
        for key in way:
            content = content[key]
        content[last] = value

    return make


def without(kind):
    return lambda resources: resources.__setitem__(slice(None), [each for each in resources if each["kind"] != kind])


def more(**content):
    return lambda resources: resources.append(
        {"metadata": {"name": "more", "namespace": "flight-delays-dev"}, **content}
    )


POD = ("spec", "template", "spec")
CONTAINER = (*POD, "containers", 0)
ENFORCE = "pod-security.kubernetes.io/enforce"
FAULTS = {
    "a privileged pod": put("Deployment", "mlflow", *CONTAINER, "securityContext", "privileged", value=True),
    "a pod that runs as root": put("Deployment", "mlflow", *POD, "securityContext", "runAsNonRoot", value=False),
    "a pod that writes into its image": put("Deployment", "mlflow", *CONTAINER, "securityContext", value={}),
    "a pod on the node's network": put("Deployment", "mlflow", *POD, "hostNetwork", value=True),
    "a pod with a token": put("Deployment", "pushgateway", *POD, "automountServiceAccountToken", value=True),
    "a pod without limits": put("Deployment", "pushgateway", *CONTAINER, "resources", "limits", value={}),
    "an image that moves": put("Deployment", "pushgateway", *CONTAINER, "image", value="prom/pushgateway:latest"),
    "a probe that is missing": put("Deployment", "pushgateway", *CONTAINER, "readinessProbe", value=None),
    "a misspelt key": put("Deployment", "pushgateway", *CONTAINER, "image_pull_policy", value="Always"),
    "a port as a text": put("Service", "mlflow", "spec", "ports", 0, "port", value="http"),
    "no quota": without("ResourceQuota"),
    "no limit range": without("LimitRange"),
    "load balancers": put("ResourceQuota", "environment", "spec", "hard", value={"pods": "100"}),
    "pods that may do all": put("Namespace", "flight-delays-dev", "metadata", "labels", ENFORCE, value="privileged"),
    "no default for the network": without("NetworkPolicy"),
    "an open network policy": put("NetworkPolicy", "mlflow", "spec", "ingress", value=[{}]),
    "a port that the world reaches": put(
        *("NetworkPolicy", "mlflow", "spec", "ingress", 0, "from"), value=[{"ipBlock": {"cidr": "0.0.0.0/0"}}]
    ),
    "every namespace comes in": put(
        *("NetworkPolicy", "mlflow", "spec", "ingress", 0, "from"), value=[{"namespaceSelector": {}}]
    ),
    "every port goes out": put("NetworkPolicy", "mlflow", "spec", "egress", value=[{"to": []}]),
    "a role that may do all": put("Role", "deploy", "rules", 0, "verbs", value=["*"]),
    "a role that reads every Secret": put("Role", "train", "rules", 1, "resourceNames", value=[]),
    "a role for everybody": put("RoleBinding", "deploy", "subjects", 0, "name", value="system:authenticated"),
    "a role for every branch": put("RoleBinding", "deploy", "subjects", 0, "name", value="github:repo:a/b:ref:main"),
    "a role beyond the namespace": more(apiVersion="rbac.authorization.k8s.io/v1", kind="ClusterRole", rules=[]),
    "a secret in git": more(apiVersion="v1", kind="Secret", stringData={"AWS_SECRET_ACCESS_KEY": "abc"}),
    "a password among the settings": more(
        apiVersion="v1", kind="ConfigMap", data={"URI": "postgresql://mlflow:abc@db/mlflow"}
    ),
    "a password in a variable": put(
        *("Deployment", "mlflow", *CONTAINER, "env"), value=[{"name": "DB_PASSWORD", "value": "abc"}]
    ),
    "a rule with a misspelt key": put(*("PrometheusRule", "mlops", "spec", "groups", 0, "rules", 0, "fro"), value="5m"),
    "a monitor of nothing": put("ServiceMonitor", "pushgateway", "spec", "selector", value={}),
}


def test_faults_put_into_it_are_found(everything):
    for name, make in FAULTS.items():
        broken = copy.deepcopy(everything["dev"])
        make(broken)
        assert list(faults(broken)), name


def test_no_file_of_it_holds_a_secret_or_is_left_out(folder):
    listed = set()
    for file in folder.rglob("kustomization.yaml"):
        content = yaml.safe_load(file.read_text(encoding="utf-8"))
        parts = [*content["resources"], *(each["path"] for each in content.get("patches", []))]
        listed |= {(file.parent / part).resolve() for part in parts}
        listed |= {
            (file.parent / part).resolve() for each in content["configMapGenerator"] for part in each.get("envs", [])
        }
    own = {file.resolve() for file in folder.rglob("*") if file.is_file() and file.suffix in (".yaml", ".env")}
    assert {file for file in own - listed if file.name != "kustomization.yaml"} == set()
