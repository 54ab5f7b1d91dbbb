"""The compiled pipeline: its edges are DVC's, Azure's own package takes it, and so do checks of what that lets pass."""

import copy

import pytest
import yaml
from clouds.azure.pipelines import ACCOUNT, CLUSTERS, IDENTITY, SETTINGS, compiled
from clouds.test_dag import DVC
from support.azure_pipeline import FILE, edges, faults, stages

NAMES = {part.partition("=")[0] for part in CLUSTERS.split(",")}
DAG = {
    "vars": [{"sizes": ["small", "large"]}],
    "stages": {
        "top": {"cmd": "true", "deps": ["src/mlops/cli.py"], "outs": ["work/top"]},
        "left": {"cmd": "true", "deps": ["work/top/a.txt"], "outs": ["work/left.txt"]},
        "right": {"cmd": ["true", "true"], "deps": ["work/top"], "outs": ["work/$right", "data/source"]},
        "fit": {
            "foreach": "${sizes}",
            "do": {"cmd": "true", "deps": ["work/left.txt", "work/$right"], "outs": ["work/models/${item}"]},
        },
        "best": {"cmd": "true", "deps": ["work/models"], "metrics": ["work/metrics.json"], "always_changed": True},
    },
}
# Loads what was compiled as `az ml job create -f` does, and makes the requests of it.
LOAD = """
import json, sys
from pathlib import Path
from azure.ai.ml import load_component, load_job
from azure.ai.ml.entities._job.to_rest_functions import to_rest_job_object
told = []
for folder in sys.argv[1:]:
    job = load_job(f"{folder}/pipeline.yml")
    checked = job._validate()
    told += [] if checked.passed else [str(checked.error_messages)]
    for node in job.jobs.values():
        node._component._id = "/component"  # as if it were made
    rest = job._to_rest_object()
    assert set(rest.properties.jobs) == set(job.jobs)
    for file in Path(folder, "components").glob("*.yml"):
        component = load_component(file)
        checked = component._validate()
        told += [] if checked.passed else [str(checked.error_messages)]
        assert component._to_rest_object().properties.component_spec["version"] == component.version
print(json.dumps(told))
"""


@pytest.fixture
def project(piped):
    return piped()


def write(project, content, file):
    (project.path / file).write_text(yaml.safe_dump(content, sort_keys=False), encoding="utf-8")


def graph(project, files):
    """The edges between steps that DVC's graph makes necessary."""
    step_of = {stage: name for name, found in stages(files).items() for stage in found}
    names, found = project.script(DVC)
    assert sorted(step_of) == sorted(names)
    return {(step_of[one], step_of[two]) for one, two in found if step_of[one] != step_of[two]}


def test_edges_are_those_of_dvc_and_azures_package_takes_it(project):
    kept = []

    def check(*arguments):
        files = compiled(project, *arguments)
        assert faults(files, NAMES) == []
        assert edges(files) == graph(project, files)
        kept.append(project.path / f"kept-{len(kept)}")
        (project.path / "build/azure").rename(kept[-1])
        return files

    check()
    assert len(check("--ungrouped")[FILE]["jobs"]) == 6
    write(project, DAG, "dvc.yaml")
    for needs in (
        {},
        {"fit": {"group": "fits", "spot": True}, "top": {"group": "begin"}, "left": {"group": "begin"}},
        {"fit": {"nodes": 3, "retries": 0}, "fit@large": {"gpu": 1, "disk_gb": 100}, "right": {"spot": True}},
    ):
        write(project, {"stages": needs}, "resources.yaml")
        check()
    assert project.script(LOAD, *kept) == []


def test_what_each_step_gets(project):
    files = compiled(project)
    jobs = files[FILE]["jobs"]
    assert {name: node["compute"] for name, node in jobs.items()} == {
        "prepare": "azureml:cpu",
        "train": "azureml:spot",
        "judge": "azureml:cpu",
    }
    assert jobs["train"]["limits"] == {"timeout": 14400}
    assert jobs["train"]["outputs"]["training__checkpoints"]["mode"] == "rw_mount"
    assert "MLOPS_CHECKPOINTS=${{outputs.training__checkpoints}}" in files["components/train.yml"]["command"]
    assert {node["identity"]["client_id"] for node in jobs.values()} == {IDENTITY}
    assert jobs["prepare"]["environment_variables"]["MLOPS_DATA_REMOTE"] == f"azure://mlops/dvc?account_name={ACCOUNT}"
    assert "MLOPS_DATA_REMOTE" not in jobs["judge"]["environment_variables"]
    write(project, {"stages": {"train": {"gpu": 1, "nodes": 2, "spot": False}}}, "resources.yaml")
    files = compiled(project)
    assert files[FILE]["jobs"]["train"]["compute"] == "azureml:gpu"
    assert files["components/train.yml"]["resources"] == {"instance_count": 2}
    assert "training__checkpoints" not in files["components/train.yml"]["outputs"]


def test_another_commit_changes_nothing_that_reuse_goes_by(project):
    before = compiled(project)
    project.commit()
    after = compiled(project)
    assert {name for name in before if before[name] != after[name]} == {FILE}
    jobs = (before[FILE]["jobs"], after[FILE]["jobs"])
    assert {name for name in jobs[0] if jobs[0][name] != jobs[1][name]} == {"judge"}
    deterministic = {file: content["is_deterministic"] for file, content in after.items() if file != FILE}
    assert deterministic == {
        "components/prepare.yml": True,
        "components/train.yml": True,
        "components/judge.yml": False,
    }
    commit = project.run("git", "rev-parse", "HEAD").out.strip()
    assert jobs[1]["judge"]["environment_variables"]["MLOPS_LINEAGE_COMMIT"] == commit
    # It is not known which data there are, so nothing is taken from before.
    assert after[FILE]["settings"]["force_rerun"]
    (project.path / "src/flight_delays/features.py").write_text("# Other code.\n", encoding="utf-8")
    changed = compiled(project)
    versions = [{file: each.get("version") for file, each in found.items()} for found in (after, changed)]
    assert all(versions[0][file] != versions[1][file] for file in versions[0] if file != FILE)


def test_mistakes_are_one_line(project):
    for name in ("STORAGE_ACCOUNT", "PIPELINE_REPOSITORY", "CLUSTERS", "JOB_IDENTITY"):
        setting = f"MLOPS_AZURE_{name}"
        assert setting in project.refuses("compile", "--on", "azure", code=2, **{**SETTINGS, setting: None})
    for said, told in (
        ("cpu", "'cpu': write NAME=SIZE"),
        ("cpu=Standard_E4ds_v4:spot", "write NAME=SIZE, or NAME=SIZE:low_priority"),
        ("cpu=Standard_Enormous", "'Standard_Enormous' has is not known here; choose from Standard_"),
        ("small=Standard_E2ds_v4", "no cluster has what 'train' asks for: cpu 4"),
        ("cpu=Standard_E4ds_v4", "'train' asks for: cpu 4, memory_gb 16, gpu 0, disk_gb 30, spot"),
    ):
        setting = {**SETTINGS, "MLOPS_AZURE_CLUSTERS": said}
        assert told in project.refuses("compile", "--on", "azure", code=2, **setting), said
    assert "asks for" in project.refuses("compile", "--on", "azure", code=2, **setting)
    told = project.refuses("compile", "--on", "moon", code=2, **SETTINGS)
    assert "this project has aws, azure, gcp, kubeflow, local" in told
    write(project, {"stages": {"train": {"memory_gb": 5000}}}, "resources.yaml")
    assert "MLOPS_AZURE_CLUSTERS has cpu (cpu 4, " in project.refuses("compile", "--on", "azure", code=2, **SETTINGS)


def job(name, *path, **to):
    """A mistake in one job of the pipeline."""
    return at(FILE, "jobs", name, *path, **to)


def part(name, *path, **to):
    """A mistake in one component."""
    return at(f"components/{name}.yml", *path, **to)


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


def said(file, old, new):
    def make(files):
        content = files[f"components/{file}.yml"]
        assert old in content["command"]
        content["command"] = content["command"].replace(old, new)

    return make


OF_PREPARE = "${{parent.jobs.prepare.outputs.%s}}"
MISTAKES = {
    "an unknown key at the top": at(FILE, "stages", value={}),
    "an unknown setting": at(FILE, "settings", "retries", value=2),
    "no jobs": at(FILE, "jobs", value={}),
    "an input without a value": at(FILE, "inputs", "data_version", value=""),
    "reuse of what other data gave": at(FILE, "settings", "force_rerun", value=False),
    "a name with a hyphen": lambda files: files[FILE]["jobs"].update(
        {"judge-it": files[FILE]["jobs"].pop("judge")},
    ),
    "a job of another type": job("train", "type", value="sweep"),
    "an unknown key of a job": job("train", "retry_settings", value={"max_retries": 2}),
    "a component that is not there": job("train", "component", value="./components/fit.yml"),
    "a component that nobody uses": lambda files: files.update({"components/more.yml": copy.deepcopy(files[FILE])}),
    "an input that is missing": job("train", "inputs", "lock__prepare"),
    "an input that the component lacks": job("train", "inputs", "more", value="${{parent.inputs.data_source}}"),
    "an output that is missing": job("train", "outputs", "lock"),
    "an output that the component lacks": job("train", "outputs", "more", value={"type": "uri_folder"}),
    "a job that does not exist": job(
        "train", "inputs", "lock__prepare", "path", value="${{parent.jobs.compare.outputs.lock}}"
    ),
    "an output that does not exist": job("train", "inputs", "lock__prepare", "path", value=OF_PREPARE % "locks"),
    "an input of the pipeline that does not exist": job(
        "prepare", "inputs", "data__source", value="${{parent.inputs.source}}"
    ),
    "a path as a text": job("train", "inputs", "lock__prepare", value=OF_PREPARE % "lock"),
    "a text as a path": job("prepare", "inputs", "data__source", value={"path": OF_PREPARE % "lock"}),
    "a mode that does not exist": job("train", "inputs", "lock__prepare", "mode", value="copy"),
    "a circle": job("prepare", "inputs", "again", value={"path": "${{parent.jobs.judge.outputs.lock}}"}),
    "a cluster that does not exist": job("train", "compute", value="azureml:enormous"),
    "no identity": job("train", "identity"),
    "a timeout that is a text": job("train", "limits", "timeout", value="3600"),
    "a number in the environment": job("judge", "environment_variables", "PORT", value=8080),
    "reuse that lineage defeats": job("train", "environment_variables", "MLOPS_LINEAGE_COMMIT", value="abc"),
    "reuse that the run defeats": said("train", "mlops exec", "RUN=$AZUREML_ROOT_RUN_ID mlops exec"),
    "an unknown key of a component": part("train", "environment_variables", value={"A": "b"}),
    "a component's name with a hyphen": part("train", "name", value="flight-delays-train"),
    "a component without a version": part("train", "version"),
    "a version that is a number": part("train", "version", value=1),
    "two components of one name": part("train", "name", value="flight_delays_prepare"),
    "no word on reuse": part("train", "is_deterministic"),
    "no image": part("train", "environment", value={}),
    "a misspelt type": part("train", "outputs", "lock", "type", value="folder"),
    "a misspelt reference": said("train", "${{inputs.lock__prepare}}", "${{inputs.lock_prepare}}"),
    "an output that the command forgets": said("train", "${{outputs.lock}}", "lock"),
    "several machines that do not know each other": part("train", "resources", value={"instance_count": 2}),
}


def test_mistakes_put_into_it_are_caught(project):
    files = compiled(project)
    assert faults(files, NAMES) == []
    for name, make in MISTAKES.items():
        broken = copy.deepcopy(files)
        make(broken)
        assert faults(broken, NAMES), name


def test_prices_are_of_what_steps_and_the_endpoint_run_on(project):
    prices = project.script(
        "import json\nfrom mlops.platforms import connect\nfrom mlops.project import load_project\n"
        "from mlops.settings import load_settings\n"
        "print(json.dumps(dict(connect('azure', load_project(), load_settings()).prices())))",
        **SETTINGS,
    )
    assert prices == {"Standard_E4ds_v4": 0.288, "Standard_D2as_v4": 0.096}
