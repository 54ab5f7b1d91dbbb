"""The compiled pipeline: its edges are DVC's, KFP's compiler makes the same of it, and Vertex AI would take it."""

import copy
import json

import pytest
import yaml
from clouds.gcp.pipelines import JOBS, SETTINGS, compiled
from clouds.test_dag import DVC
from support import environment as environments
from support.google import BUCKET, PROJECT
from support.kfp_again import AGAIN
from support.kfp_pipeline import container_of as launched
from support.kfp_pipeline import edges, stages, steps
from support.vertex_pipeline import LAUNCHER, container_of, faults, started

DAG = {
    "vars": [{"sizes": ["small", "large"]}],
    "stages": {
        "top": {"cmd": "true", "deps": ["src/mlops/cli.py"], "outs": ["work/top"]},
        "left": {"cmd": "true", "deps": ["work/top/a.txt"], "outs": ["work/left.txt"]},
        "right": {"cmd": ["true", "true"], "deps": ["work/top"], "outs": ['work/"right"', "data/source"]},
        "fit": {
            "foreach": "${sizes}",
            "do": {"cmd": "true", "deps": ["work/left.txt", 'work/"right"'], "outs": ["work/models/${item}"]},
        },
        "outcome": {"cmd": "true", "deps": ["work/models"], "metrics": ["work/metrics.json"], "always_changed": True},
    },
}
SECURED = {
    "MLOPS_GCP_KMS_KEY": f"projects/{PROJECT}/locations/us-central1/keyRings/mlops/cryptoKeys/dev",
    "MLOPS_GCP_NETWORK": "projects/123456789/global/networks/mlops",
}
PIPELINE, JOB = "pipeline.yaml", "job.yaml"


@pytest.fixture
def project(piped):
    return piped()


@pytest.fixture
def models(proxy):
    return proxy.models


@pytest.fixture(scope="session")
def components(once, environment):
    """Google's pipeline components alone: with all that they ask for, other packages here would be older."""
    with once("pipeline-components") as folder:
        if folder:
            folder.mkdir()
            wanted = [
                "--no-deps",
                "--target",
                folder,
                f"google-cloud-pipeline-components=={LAUNCHER.rpartition(':')[2]}",
            ]
            environments.uv("pip", "install", "-q", *wanted, cwd=folder, env=environment.env)
    return once.path("pipeline-components")


def write(project, content, file):
    (project.path / file).write_text(yaml.safe_dump(content, sort_keys=False), encoding="utf-8")


def graph(project, spec):
    """The edges between steps that DVC's graph makes necessary."""
    step_of = {stage: name for name, found in stages(spec, container_of).items() for stage in found}
    names, found = project.script(DVC)
    assert sorted(step_of) == sorted(names)
    return {(step_of[one], step_of[two]) for one, two in found if step_of[one] != step_of[two]}


def test_edges_are_those_of_dvc_and_kfp_makes_the_same(project, models):
    def check(*arguments, **env):
        files = compiled(project, *arguments, **env)
        spec = files[PIPELINE]
        assert faults(files, models) == []
        assert edges(spec) == graph(project, spec)
        again = project.script(AGAIN, project.path / "build/gcp" / PIPELINE)
        assert again.pop("sdkVersion").startswith("kfp-2.")
        assert again == {name: value for name, value in spec.items() if name != "sdkVersion"}
        return spec

    check()
    assert len(steps(check("--ungrouped", **SECURED))) == 6
    write(project, DAG, "dvc.yaml")
    for needs in (
        {},
        {"fit": {"group": "fits", "spot": True}, "top": {"group": "begin"}, "left": {"group": "begin"}},
        {"fit": {"nodes": 3, "retries": 0}, "fit@large": {"gpu": 1, "disk_gb": 200}, "right": {"spot": True}},
    ):
        write(project, {"stages": needs}, "resources.yaml")
        check(**SECURED)


def custom(files, name):
    return started(files[PIPELINE], name)["payload"]


def test_what_each_step_gets(project):
    files = compiled(project, **SECURED)
    job = custom(files, "train")["job_spec"]
    (pool,) = job["worker_pool_specs"]
    assert pool["machine_spec"] == {"machine_type": "e2-standard-4"}
    assert job["scheduling"] == {"timeout": "14400s", "restart_job_on_worker_restart": False, "strategy": "SPOT"}
    variables = {each["name"]: each["value"] for each in pool["container_spec"]["env"]}
    assert variables["MLOPS_CHECKPOINTS"].startswith(f"/gcs/{BUCKET}/pipeline/checkpoints/")
    key, network = SECURED["MLOPS_GCP_KMS_KEY"], SECURED["MLOPS_GCP_NETWORK"]
    assert custom(files, "train")["encryption_spec"]["kms_key_name"] == key
    assert files[JOB]["encryptionSpec"]["kmsKeyName"] == key
    assert network == job["network"] == files[JOB]["network"]
    assert job["service_account"] == files[JOB]["serviceAccount"] == JOBS
    assert files[JOB]["labels"] == {"project": "flight-delays", "environment": "dev"}
    prepare, judge = (launched(files[PIPELINE], name) for name in ("prepare", "judge"))
    asked = {"cpuLimit": 2, "resourceCpuLimit": "2", "memoryLimit": 8, "resourceMemoryLimit": "8G"}
    assert prepare["resources"] == judge["resources"] == asked
    assert prepare["command"][:3] == ["timeout", "--kill-after=60", "10800"]
    remote = {"name": "MLOPS_DATA_REMOTE", "value": f"gs://{BUCKET}/dvc"}
    assert remote in prepare["env"]
    assert remote not in judge["env"]
    assert steps(files[PIPELINE])["train"]["retryPolicy"]["maxRetryCount"] == 1

    write(project, {"stages": {"train": {"gpu": 1, "nodes": 3, "spot": False, "retries": 0}}}, "resources.yaml")
    files = compiled(project)
    job = custom(files, "train")["job_spec"]
    assert [pool["replica_count"] for pool in job["worker_pool_specs"]] == [1, 2]
    gpu = {"machine_type": "g2-standard-4", "accelerator_type": "NVIDIA_L4", "accelerator_count": 1}
    assert [pool["machine_spec"] for pool in job["worker_pool_specs"]] == [gpu, gpu]
    assert job["scheduling"]["strategy"] == "STANDARD"
    assert "encryption_spec" not in custom(files, "train")
    assert "retryPolicy" not in steps(files[PIPELINE])["train"]
    write(project, {"stages": {"ingest": {"group": "prepare", "disk_gb": 500}}}, "resources.yaml")
    (pool,) = custom(compiled(project), "prepare")["job_spec"]["worker_pool_specs"]
    assert pool["disk_spec"]["boot_disk_size_gb"] == 500


# A custom job that Google's own package makes of the same container: its launcher with all texts filled in.
GOOGLES = r"""
import json, sys
from google.protobuf import json_format
from google_cloud_pipeline_components.v1.custom_job import create_custom_training_job_from_component
from kfp import dsl
container, asked = json.loads(sys.argv[1])

@dsl.container_component
def train(raw: dsl.Input[dsl.Artifact], model: dsl.Output[dsl.Artifact]):
    return dsl.ContainerSpec(image=container["image_uri"], command=container["command"], args=container["args"])

made = create_custom_training_job_from_component(train, env=container["env"], **asked)
print(json.dumps(json_format.MessageToDict(made.pipeline_spec)))
"""


def test_a_custom_job_is_started_as_googles_package_does(project, components):
    files = compiled(project, **SECURED)
    ours = started(files[PIPELINE], "train")
    payload = ours["payload"]
    (pool,) = payload["job_spec"]["worker_pool_specs"]
    asked = {
        "display_name": payload["display_name"],
        "machine_type": pool["machine_spec"]["machine_type"],
        "boot_disk_size_gb": pool["disk_spec"]["boot_disk_size_gb"],
        "timeout": payload["job_spec"]["scheduling"]["timeout"],
        "strategy": "SPOT",
        "service_account": JOBS,
        "network": payload["job_spec"]["network"],
        "encryption_spec_key_name": payload["encryption_spec"]["kms_key_name"],
        "labels": payload["labels"],
    }
    made = project.script(GOOGLES, json.dumps([pool["container_spec"], asked]), PYTHONPATH=components)
    (its,) = (each["container"] for each in made["deploymentSpec"]["executors"].values())
    (component,) = made["components"].values()
    given = {name: each.get("defaultValue") for name, each in component["inputDefinitions"]["parameters"].items()}
    said = dict(zip(its["args"][::2], its["args"][1::2], strict=True))
    text = said["--payload"]
    for name, value in given.items():
        filled = json.dumps({} if value is None else value)
        # A text comes between quotation marks that are there.
        filled = filled[1:-1] if isinstance(value, str) else filled
        text = text.replace(f"{{{{$.inputs.parameters['{name}']}}}}", filled)
    assert without_empty(json.loads(text)) == without_empty(payload)
    assert its["command"] == ours["command"]
    assert its["image"] == launched(files[PIPELINE], "train")["image"]
    assert set(said) == set(ours["said"])
    assert said["--gcp_resources"] == ours["said"]["--gcp_resources"]
    texts = component["outputDefinitions"]["parameters"]
    assert {name: each["parameterType"] for name, each in texts.items()} == {"gcp_resources": "STRING"}


def without_empty(content):
    """As the launcher takes a payload: without what says nothing, which is the service's default as well."""
    if isinstance(content, dict):
        kept = {
            key: without_empty(value) for key, value in content.items() if not str(value).startswith("{{$.pipeline")
        }
        usual = {"max_wait_duration": "86400s"}
        return {key: value for key, value in kept.items() if value not in ("", [], {}, None, False, usual.get(key))}
    return [without_empty(each) for each in content] if isinstance(content, list) else content


def test_another_commit_changes_nothing_that_a_cache_keys_on(project):
    before = compiled(project)
    project.commit()
    after = compiled(project)
    assert before[JOB] == after[JOB]
    executors = [files[PIPELINE].pop("deploymentSpec")["executors"] for files in (before, after)]
    assert before == after
    assert {name for name in executors[0] if executors[0][name] != executors[1][name]} == {"exec-judge"}
    cached = {name: task["cachingOptions"] for name, task in steps(after[PIPELINE]).items()}
    # It is not known which data there are, so what reads them is not taken from before.
    assert cached == {"prepare": {}, "train": {"enableCache": True}, "judge": {}}
    commit = project.run("git", "rev-parse", "HEAD").out.strip()
    assert {"name": "MLOPS_LINEAGE_COMMIT", "value": commit} in executors[1]["exec-judge"]["container"]["env"]
    (project.path / "src/flight_delays/features.py").write_text("# Other code.\n", encoding="utf-8")
    changed = compiled(project)[PIPELINE]["deploymentSpec"]["executors"]
    assert all(changed[name] != executors[1][name] for name in changed)


def test_mistakes_are_one_line(project):
    for name in ("PROJECT", "BUCKET", "PIPELINE_REPOSITORY", "JOB_SERVICE_ACCOUNT"):
        setting = f"MLOPS_GCP_{name}"
        told = project.refuses("compile", "--on", "gcp", code=2, **{**SETTINGS, setting: None})
        assert f"{setting} is not set" in told
    write(project, {"stages": {"train": {"memory_gb": 5000}}}, "resources.yaml")
    told = project.refuses("compile", "--on", "gcp", code=2, **SETTINGS)
    assert "no machine of Google Cloud has what 'train' asks for: cpu 4, memory_gb 5000, gpu 0; the most" in told
    write(project, {"stages": {"train": {"gpu": 16}}}, "resources.yaml")
    assert "gpu 16; the most there is: " in project.refuses("compile", "--on", "gcp", code=2, **SETTINGS)
    (project.path / "resources.yaml").unlink()
    project.edit("pyproject.toml", 'region = "us-central1"\nrecovery_region = "us-east1"\n', "")
    told = project.refuses("compile", "--on", "gcp", code=2, **SETTINGS)
    assert "write region under [tool.mlops.gcp] in pyproject.toml" in told


def at(*path, **to):
    def make(content):
        *way, last = path
        for key in way:
            content = content[key]
        if "value" in to:
            content[last] = to["value"]
        else:
            del content[last]

    return make


def task(name, *path, **to):
    """A mistake in one step's task."""
    return at(PIPELINE, "components", "comp-exit-handler-1", "dag", "tasks", name, *path, **to)


def part(name, *path, **to):
    """A mistake in one step's component."""
    return at(PIPELINE, "components", f"comp-{name}", *path, **to)


def runs(name, *path, **to):
    """A mistake in what runs a step."""
    return at(PIPELINE, "deploymentSpec", "executors", f"exec-{name}", "container", *path, **to)


def payload(*path, **to):
    """A mistake in the custom job of the training."""

    def make(files):
        args = files[PIPELINE]["deploymentSpec"]["executors"]["exec-train"]["container"]["args"]
        place = args.index("--payload") + 1
        content = json.loads(args[place])
        at(*path, **to)(content)
        args[place] = json.dumps(content)

    return make


POOL = ("job_spec", "worker_pool_specs", 0)
LOCK = ("inputs", "artifacts", "lock__prepare", "taskOutputArtifact")
MISTAKES = {
    "an unknown key at the top": at(PIPELINE, "stages", value={}),
    "another schema": at(PIPELINE, "schemaVersion", value="3.0.0"),
    "a name in capitals": at(PIPELINE, "pipelineInfo", "name", value="Flight-Delays"),
    "no steps": at(PIPELINE, "components", "comp-exit-handler-1", "dag", "tasks", value={}),
    "an unknown key of a task": task("train", "retries", value=2),
    "a task of no component": task("train", "componentRef", "name", value="comp-fit"),
    "a component that nobody uses": at(PIPELINE, "components", "comp-more", value={"executorLabel": "exec-judge"}),
    "an executor that is not there": part("judge", "executorLabel", value="exec-more"),
    "an executor that nobody uses": at(PIPELINE, "deploymentSpec", "executors", "exec-more", value={"container": {}}),
    "an input that is missing": task("train", "inputs", "artifacts", "lock__prepare"),
    "an input that the component lacks": task(
        "prepare", "inputs", "parameters", "more", value={"runtimeValue": {"constant": "x"}}
    ),
    "a step that does not exist": task("train", *LOCK, "producerTask", value="compare"),
    "an output that does not exist": task("train", *LOCK, "outputArtifactKey", value="locks"),
    "a parameter that does not exist": task(
        "prepare", "inputs", "parameters", "data__source", "componentInputParameter", value="source"
    ),
    "a text as an artifact": task("train", "inputs", "artifacts", "lock__prepare", value={"runtimeValue": {}}),
    "a value that no engine fills in": task(
        "judge", "inputs", "parameters", "platform__run", "runtimeValue", "constant", value="{{$.run}}"
    ),
    "an order that is not told": task("train", "dependentTasks"),
    "a circle": task("prepare", "dependentTasks", value=["judge"]),
    "an exit handler that is not given the data": at(
        PIPELINE, "root", "dag", "tasks", "exit-handler-1", "inputs", "parameters", value={}
    ),
    "a failure that nobody is told of": at(PIPELINE, "root", "dag", "tasks", "outcome", "triggerPolicy"),
    "a status of a task that is not there": at(
        *(PIPELINE, "root", "dag", "tasks", "outcome", "inputs", "parameters", "status", "taskFinalStatus"),
        "producerTask",
        value="steps",
    ),
    "a cache that lineage defeats": task("judge", "cachingOptions", value={"enableCache": True}),
    "a cache that gives what other data gave": task("prepare", "cachingOptions", value={"enableCache": True}),
    "retries without an end": task("judge", "retryPolicy", "maxRetryCount", value=0),
    "a retry count that is a text": task("judge", "retryPolicy", "maxRetryCount", value="often"),
    "a kind of artifact that is none": part(
        "judge", "outputDefinitions", "artifacts", "lock", value={"type": "folder"}
    ),
    "no image": runs("judge", "image"),
    "an unknown key of a container": runs("judge", "entrypoint", value=["mlops"]),
    "a number in the environment": runs("judge", "env", 0, "value", value=8080),
    "a variable that nobody fills in": runs(
        "judge", "env", 0, "value", value="{{$.inputs.parameters['data__source']}}"
    ),
    "a step without a time limit": runs("judge", "command", value=["mlops", "exec"]),
    "a misspelt reference": runs("prepare", "args", -1, value="{{$.inputs.parameters['data_source']}}"),
    "an output that the command forgets": runs("prepare", "args", value=["ingest"]),
    "memory that is a text": runs("judge", "resources", "memoryLimit", value="8G"),
    "a launcher of another version": runs("train", "image", value="gcr.io/ml-pipeline/launcher"),
    "a custom job that Vertex AI does not learn of": part("train", "outputDefinitions", "parameters"),
    "an unknown key of a custom job": payload("job_spec", "spot", value=True),
    "a strategy that does not exist": payload("job_spec", "scheduling", "strategy", value="CHEAP"),
    "spot machines that the training does not know of": payload(*POOL, "container_spec", "env", value=[]),
    "a custom job without machines": payload("job_spec", "worker_pool_specs", value=[]),
    "a custom job without a time limit": payload("job_spec", "scheduling", "timeout"),
    "a custom job of another account": payload("job_spec", "service_account", value="me@example.com"),
    "a machine count that is a text": payload(*POOL, "replica_count", value="several"),
    "an unknown key of the job": at(JOB, "tags", value={}),
    "a job of nobody's": at(JOB, "serviceAccount"),
    "artifacts that go nowhere": at(JOB, "runtimeConfig", "gcsOutputDirectory", value="artifacts"),
}


def test_mistakes_put_into_it_are_caught(project, models):
    files = compiled(project)
    assert faults(files, models) == []
    for name, make in MISTAKES.items():
        broken = copy.deepcopy(files)
        make(broken)
        assert faults(broken, models), name


def test_prices_are_of_what_steps_and_the_endpoint_run_on(project):
    prices = project.script(
        "import json\nfrom mlops.platforms import connect\nfrom mlops.project import load_project\n"
        "from mlops.settings import load_settings\n"
        "print(json.dumps(dict(connect('gcp', load_project(), load_settings()).prices())))",
        **SETTINGS,
    )
    assert set(prices) == {"e2-highmem-2", "e2-standard-2", "e2-standard-4"}
    assert all(0 < price < 1 for price in prices.values())
