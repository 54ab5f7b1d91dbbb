"""The compiled pipeline: its edges are DVC's, KFP takes both documents, and pods get what the project says of them."""

import copy

import pytest
import yaml
from clouds.kubeflow.pipelines import SETTINGS, compiled, executors, say
from clouds.test_dag import DVC
from support.kfp_api import parsed
from support.kfp_pipeline import container_of, edges, faults, stages, steps

DAG = {
    "vars": [{"sizes": ["small", "large"]}],
    "stages": {
        "top": {"cmd": "true", "deps": ["src/mlops/cli.py"], "outs": ["work/top"]},
        "left": {"cmd": "true", "deps": ["work/top/a.txt"], "outs": ["work/left.txt"]},
        "right": {"cmd": ["true", "true"], "deps": ["work/top"], "outs": ["work/right", "data/source"]},
        "fit": {
            "foreach": "${sizes}",
            "do": {"cmd": "true", "deps": ["work/left.txt", "work/right"], "outs": ["work/models/${item}"]},
        },
        "best": {"cmd": "true", "deps": ["work/models"], "metrics": ["work/metrics.json"], "always_changed": True},
    },
}
TABLES = """
[tool.mlops.kubeflow]
image_pull_secrets = ["registry"]
gpu_resource = "amd.com/gpu"
checkpoints = "checkpoints"
prices = { "n2-standard-8" = 0.39 }

[tool.mlops.kubeflow.every]
labels = { team = "flights" }
secrets = [{ name = "warehouse", env = { password = "WAREHOUSE_PASSWORD" }, path = "/etc/warehouse" }]

[tool.mlops.kubeflow.spot]
node_selector = { "cloud.example.com/spot" = "true" }
tolerations = [{ key = "spot", operator = "Exists", effect = "NoSchedule" }]

[tool.mlops.kubeflow.gpu]
tolerations = [{ key = "gpu", value = "yes", effect = "NoExecute", toleration_seconds = 60 }]

[tool.mlops.kubeflow.steps.judge]
volumes = [{ claim = "reports", path = "/reports" }]
annotations = { "example.com/by" = "nobody" }
"""


@pytest.fixture
def project(piped):
    return piped()


def write(project, content, file):
    (project.path / file).write_text(yaml.safe_dump(content, sort_keys=False), encoding="utf-8")


def graph(project, spec):
    """The edges between steps that DVC's graph makes necessary."""
    step_of = {stage: name for name, found in stages(spec).items() for stage in found}
    names, found = project.script(DVC)
    assert sorted(step_of) == sorted(names)
    return {(step_of[one], step_of[two]) for one, two in found if step_of[one] != step_of[two]}


def test_edges_are_those_of_dvc_and_kfp_takes_both_documents(project):
    def check(*arguments):
        documents = compiled(project, *arguments)
        assert faults(documents[0]) == []
        parsed((project.path / "build/kubeflow/pipeline.yaml").read_text(encoding="utf-8"))
        assert edges(documents[0]) == graph(project, documents[0])
        assert set(executors(documents)) == {*steps(documents[0]), "outcome"}
        return documents

    check()
    assert len(steps(check("--ungrouped")[0])) == 6
    say(project, TABLES)
    write(project, DAG, "dvc.yaml")
    for needs in (
        {},
        {"fit": {"group": "fits", "spot": True}, "top": {"group": "begin"}, "left": {"group": "begin"}},
        {"fit": {"retries": 0}, "fit@large": {"gpu": 1, "disk_gb": 100}, "right": {"spot": True}},
    ):
        write(project, {"stages": needs}, "resources.yaml")
        check()


def test_what_each_pod_gets(project):
    documents = compiled(project)
    plain = {
        "secretAsEnv": [
            {
                "secretName": "object-store",
                "secretNameParameter": {"runtimeValue": {"constant": "object-store"}},
                "keyToEnv": [
                    {"secretKey": name, "envVar": name} for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY")
                ],
                "optional": False,
            }
        ],
        "podMetadata": {
            "labels": {
                "mlops-project": "flight-delays",
                "mlops-environment": "dev",
                "app.kubernetes.io/managed-by": "mlops",
            }
        },
        "securityContext": {"runAsUser": 1000, "runAsNonRoot": True},
    }
    # Nodes that may be taken away are not marked in every cluster: then a step runs on any.
    assert executors(documents) == dict.fromkeys(("prepare", "train", "judge", "outcome"), plain)
    container = container_of(documents[0], "train")
    assert container["command"][:3] == ["timeout", "--kill-after=60", "14400"]
    assert container["resources"]["resourceCpuLimit"] == "4"
    variables = {each["name"]: each["value"] for each in container_of(documents[0], "prepare")["env"]}
    assert variables["AWS_ENDPOINT_URL"] == "https://s3.example.com"
    assert variables["MLOPS_TRACKING_URI"] == "http://mlflow:5000"
    assert variables["MLOPS_DATA_REMOTE"] == "s3://flight-delays-dev/dvc?endpointurl=https://s3.example.com"

    say(project, TABLES)
    write(project, {"stages": {"train": {"spot": True, "gpu": 1}}}, "resources.yaml")
    documents = compiled(project)
    parts = executors(documents)
    assert parts["train"]["nodeSelector"] == {"labels": {"cloud.example.com/spot": "true"}}
    assert parts["train"]["tolerations"] == [
        {"key": "spot", "operator": "Exists", "effect": "NoSchedule"},
        {"key": "gpu", "operator": "Equal", "value": "yes", "effect": "NoExecute", "tolerationSeconds": 60},
    ]
    assert [each["mountPath"] for each in parts["train"]["pvcMount"]] == ["/checkpoints"]
    train = container_of(documents[0], "train")
    assert {"name": "MLOPS_CHECKPOINTS", "value": "/checkpoints/flight-delays-dev/train"} in train["env"]
    assert train["resources"]["accelerator"]["resourceType"] == "amd.com/gpu"
    assert [each["constant"] for each in parts["judge"]["pvcMount"]] == ["reports"]
    assert parts["judge"]["podMetadata"]["annotations"] == {"example.com/by": "nobody"}
    assert "tolerations" not in parts["judge"]
    for name in ("prepare", "outcome"):
        assert parts[name]["podMetadata"]["labels"]["team"] == "flights"
        assert [each["secretName"] for each in parts[name]["secretAsEnv"]] == ["object-store", "warehouse"]
        assert parts[name]["secretAsVolume"][0]["mountPath"] == "/etc/warehouse"
        assert parts[name]["imagePullSecret"][0]["secretName"] == "registry"


def test_another_commit_changes_nothing_that_the_cache_goes_by(project):
    before = compiled(project)[0]
    project.commit()
    after = compiled(project)[0]
    changed = {name for name in steps(before) if container_of(before, name) != container_of(after, name)}
    assert changed == {"judge"}
    assert not steps(after)["judge"]["cachingOptions"].get("enableCache")
    assert steps(after)["train"]["cachingOptions"] == {"enableCache": True}


MISTAKES = {
    "[tool.mlops.kubeflow]\nevry = {}\n": "unknown key 'tool.mlops.kubeflow.evry'",
    "[tool.mlops.kubeflow]\nrun_as_user = 0\n": "run_as_user is 0",
    "[tool.mlops.kubeflow]\nimage_pull_secrets = 'registry'\n": "image_pull_secrets is 'registry'",
    "[tool.mlops.kubeflow.every]\nlabels = { a = 1 }\n": "every.labels.a is 1",
    "[tool.mlops.kubeflow.every]\ntolerations = [{ effect = 'Never', key = 'a' }]\n": "tolerations.0.effect is 'Never'",
    "[tool.mlops.kubeflow.every]\ntolerations = [{ operator = 'Equal' }]\n": "operator Equal needs a key",
    "[tool.mlops.kubeflow.every]\ntolerations = [{ operator = 'Exists', value = 'a' }]\n": "Exists takes no value",
    "[tool.mlops.kubeflow.every]\nsecrets = [{ name = 'a' }]\n": "it is given to nobody",
    "[tool.mlops.kubeflow.every]\nsecrets = [{ name = 'A B', path = '/a' }]\n": "name is 'A B'",
    "[tool.mlops.kubeflow.every]\nvolumes = [{ claim = 'a', path = 'a' }]\n": "path is 'a'",
    "[tool.mlops.kubeflow]\n": "'train' asks for spot, and [tool.mlops.kubeflow.spot] in pyproject.toml does not say",
}


def test_mistakes_are_one_line(project):
    for name in ("BUCKET", "PIPELINE_REPOSITORY", "PUSHGATEWAY"):
        setting = f"MLOPS_KUBEFLOW_{name}"
        assert setting in project.refuses("compile", "--on", "kubeflow", code=2, **{**SETTINGS, setting: None})
    for text, told in MISTAKES.items():
        say(project, text)
        assert told in project.refuses("compile", "--on", "kubeflow", code=2, **SETTINGS), text
    say(project, TABLES)
    write(project, {"stages": {"train": {"nodes": 2}}}, "resources.yaml")
    told = project.refuses("compile", "--on", "kubeflow", code=2, **SETTINGS)
    assert "'train' asks for nodes, which kubeflow cannot give" in told


def test_mistakes_put_into_the_second_document_are_caught(project):
    say(project, TABLES)
    documents = compiled(project)
    for name, make in {
        "a key that there is none of": lambda config: config.update(node_selectors={}),
        "a toleration as a text": lambda config: config.update(tolerations=["spot"]),
        "a label that is a number": lambda config: config["podMetadata"]["labels"].update(a=1),
        "a secret without its keys": lambda config: config["secretAsEnv"][0].update(keyToEnv="all"),
        "a user that is a name": lambda config: config["securityContext"].update(runAsUser="app"),
    }.items():
        broken = copy.deepcopy(documents)
        make(executors(broken)["train"])
        with pytest.raises(ValueError, match=r"Failed to parse"):
            parsed(yaml.safe_dump_all(broken))
        assert name


def test_prices_are_what_the_project_says(project):
    script = (
        "import json\nfrom mlops.platforms import connect\nfrom mlops.project import load_project\n"
        "from mlops.settings import load_settings\n"
        "print(json.dumps(dict(connect('kubeflow', load_project(), load_settings()).prices())))"
    )
    assert project.script(script, **SETTINGS) == {}
    say(project, TABLES)
    assert project.script(script, **SETTINGS) == {"n2-standard-8": 0.39}
