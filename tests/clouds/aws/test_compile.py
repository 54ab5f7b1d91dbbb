"""The compiled pipeline: its edges are DVC's, and each step's arguments are a request that SageMaker would take."""

import copy
import json

import pytest
import yaml
from clouds.aws.pipelines import BUCKET, SETTINGS, compiled
from clouds.test_dag import DVC
from support.sagemaker import edges, faults, stages

DAG = {
    "vars": [{"sizes": ["small", "large"]}],
    "stages": {
        "top": {"cmd": "true", "deps": ["src/mlops/cli.py"], "outs": ["work/top"]},
        "left": {"cmd": "true", "deps": ["work/top/a.txt"], "outs": ["work/left.txt"]},
        "right": {"cmd": ["true", "true"], "deps": ["work/top"], "outs": ["work/right"]},
        "fit": {
            "foreach": "${sizes}",
            "do": {"cmd": "true", "deps": ["work/left.txt", "work/right"], "outs": ["work/models/${item}"]},
        },
        "best": {"cmd": "true", "deps": ["work/models"], "metrics": ["work/metrics.json"], "always_changed": True},
    },
}
SECURED = {
    "MLOPS_AWS_KMS_KEY_ARN": "arn:aws:kms:us-east-1:123456789012:key/6d5bb2ad-9a11-4ef7-9a0b-6b8a9b8f3a11",
    "MLOPS_AWS_SUBNETS": "subnet-1, subnet-2",
    "MLOPS_AWS_SECURITY_GROUPS": "sg-1",
}


@pytest.fixture
def project(piped):
    return piped()


def write(project, content, file):
    (project.path / file).write_text(yaml.safe_dump(content, sort_keys=False), encoding="utf-8")


def graph(project, definition):
    """The edges between steps that DVC's graph makes necessary."""
    step_of = {stage: name for name, found in stages(definition).items() for stage in found}
    names, found = project.script(DVC)
    assert sorted(step_of) == sorted(names)
    return {(step_of[one], step_of[two]) for one, two in found if step_of[one] != step_of[two]}


def test_edges_are_those_of_dvc_and_arguments_are_valid(project):
    for arguments in ((), ("--ungrouped",)):
        definition = compiled(project, *arguments, **SECURED)
        assert faults(definition) == []
        assert edges(definition) == graph(project, definition)
    assert len(definition["Steps"]) == 6
    write(project, DAG, "dvc.yaml")
    for needs in (
        {},
        {"fit": {"group": "fits", "spot": True}, "top": {"group": "begin"}, "left": {"group": "begin"}},
        {"fit": {"nodes": 3, "retries": 0}, "fit@large": {"gpu": 1, "disk_gb": 200}, "right": {"spot": True}},
    ):
        write(project, {"stages": needs}, "resources.yaml")
        for secured in ({}, SECURED):
            definition = compiled(project, **secured)
            assert faults(definition) == []
            assert edges(definition) == graph(project, definition)


def jobs(definition):
    return {step["Name"]: step for step in definition["Steps"]}


def test_what_each_step_gets(project):
    found = jobs(compiled(project, **SECURED))
    train, judge, prepare = (found[name]["Arguments"] for name in ("train", "judge", "prepare"))
    assert (found["train"]["Type"], found["judge"]["Type"]) == ("Training", "Processing")
    assert train["ResourceConfig"]["InstanceType"] == "ml.m5.xlarge"
    assert train["EnableManagedSpotTraining"]
    assert train["StoppingCondition"] == {"MaxRuntimeInSeconds": 14400, "MaxWaitTimeInSeconds": 28800}
    assert train["CheckpointConfig"]["LocalPath"] == train["Environment"]["MLOPS_CHECKPOINTS"]
    assert train["VpcConfig"] == judge["NetworkConfig"]["VpcConfig"]
    assert train["VpcConfig"] == {"SecurityGroupIds": ["sg-1"], "Subnets": ["subnet-1", "subnet-2"]}
    key = SECURED["MLOPS_AWS_KMS_KEY_ARN"]
    assert key == train["OutputDataConfig"]["KmsKeyId"] == train["ResourceConfig"]["VolumeKmsKeyId"]
    assert key == prepare["ProcessingOutputConfig"]["KmsKeyId"]
    assert prepare["Environment"]["MLOPS_DATA_REMOTE"] == f"s3://{BUCKET}/dvc"
    assert "MLOPS_DATA_REMOTE" not in judge["Environment"]
    assert {policy["MaxAttempts"] for policy in found["train"]["RetryPolicies"]} == {1}
    # A GPU brings its own disk, which takes no key.
    write(project, {"stages": {"train": {"gpu": 1, "spot": False}}}, "resources.yaml")
    train = jobs(compiled(project, **SECURED))["train"]["Arguments"]
    assert train["ResourceConfig"]["InstanceType"] == "ml.g4dn.xlarge"
    assert "VolumeKmsKeyId" not in train["ResourceConfig"]
    assert train["StoppingCondition"] == {"MaxRuntimeInSeconds": 14400}


def test_another_commit_changes_nothing_that_a_cache_keys_on(project):
    before = jobs(compiled(project))
    project.commit()
    after = jobs(compiled(project))
    assert {name for name in before if before[name] != after[name]} == {"judge"}
    assert "CacheConfig" not in after["judge"]
    commit = project.run("git", "rev-parse", "HEAD").out.strip()
    assert after["judge"]["Arguments"]["Environment"]["MLOPS_LINEAGE_COMMIT"] == commit
    (project.path / "src/flight_delays/features.py").write_text("# Other code.\n", encoding="utf-8")
    changed = jobs(compiled(project))
    assert all(changed[name] != after[name] for name in changed)


def test_many_inputs_come_together_and_too_many_are_refused(project):
    sources = {f"s{number}": {"cmd": "true", "outs": [f"work/a{number}", f"work/b{number}"]} for number in range(9)}
    outs = [out for stage in sources.values() for out in stage["outs"]]
    write(project, {"stages": {**sources, "all": {"cmd": "true", "deps": outs}}}, "dvc.yaml")
    write(project, {}, "resources.yaml")
    definition = compiled(project)
    assert faults(definition) == []
    job = jobs(definition)["all"]["Arguments"]
    assert len(job["ProcessingInputs"]) == 9
    assert "--input=work/b8=/opt/ml/processing/input/s8_all/work-b8" in job["AppSpecification"]["ContainerArguments"]
    sources = {f"s{number}": {"cmd": "true", "outs": [f"work/{number}"]} for number in range(11)}
    write(
        project,
        {"stages": {**sources, "all": {"cmd": "true", "deps": [f"work/{number}" for number in range(11)]}}},
        "dvc.yaml",
    )
    told = project.refuses("compile", "--on", "aws", code=2, **SETTINGS)
    assert "'all' needs 11 steps" in told
    assert "into one group" in told
    write(project, {"stages": {f"s{number}": {"group": "s"} for number in range(11)}}, "resources.yaml")
    assert faults(compiled(project)) == []


def test_mistakes_are_one_line(project):
    for name in ("MLOPS_AWS_BUCKET", "MLOPS_AWS_PIPELINE_REPOSITORY", "MLOPS_AWS_PIPELINE_ROLE_ARN"):
        assert name in project.refuses("compile", "--on", "aws", code=2, **{**SETTINGS, name: None})
    told = project.refuses("compile", "--on", "moon", code=2, **SETTINGS)
    assert "this project has aws, azure, gcp, kubeflow, local" in told
    half = {"MLOPS_AWS_SUBNETS": "subnet-1"}
    assert "MLOPS_AWS_SECURITY_GROUPS" in project.refuses("compile", "--on", "aws", code=2, **{**SETTINGS, **half})
    write(project, {"stages": {"train": {"memory_gb": 5000}}}, "resources.yaml")
    told = project.refuses("compile", "--on", "aws", code=2, **SETTINGS)
    assert "'train' asks for" in told
    assert "the most there is" in told
    write(project, {}, "resources.yaml")
    project.set({"data.source": "/somewhere/else.parquet"})
    assert "data.source '/somewhere/else.parquet'" in project.refuses("compile", "--on", "aws", code=2, **SETTINGS)
    project.set({"data.source": "s3://bucket/flights/"})
    parameters = {each["Name"]: each["DefaultValue"] for each in compiled(project)["Parameters"]}
    assert parameters == {"Environment": "dev", "DataSource": "s3://bucket/flights/", "DataVersion": "as-scheduled"}
    (project.path / "config").mkdir()
    (project.path / "config/x.yaml").write_text("a: 1\n", encoding="utf-8")
    dvc = yaml.safe_load((project.path / "dvc.yaml").read_text(encoding="utf-8"))
    dvc["stages"]["train"]["deps"].append("config/x.yaml")
    write(project, dvc, "dvc.yaml")
    told = project.refuses("compile", "--on", "aws", code=2, **SETTINGS)
    assert "'!config/x.yaml' at the end of .dockerignore" in told
    with (project.path / ".dockerignore").open("a", encoding="utf-8") as rules:
        rules.write("!config/x.yaml\n")
    compiled(project)
    (project.path / "uv.lock").unlink()
    assert "mlops init" in project.refuses("compile", "--on", "aws", code=2, **SETTINGS)


def step(name, change):
    """A mistake in one step."""

    def make(definition):
        change(jobs(definition)[name])

    return make


def arguments(name, change):
    return step(name, lambda found: change(found["Arguments"]))


def put(*path, value):
    def change(content):
        *way, last = path
        for key in way:
            content = content[key]
        content[last] = value

    return change


def drop(*path):
    def change(content):
        *way, last = path
        for key in way:
            content = content[key]
        del content[last]

    return change


OUTPUT = "Steps.prepare.ProcessingOutputConfig.Outputs['all'].S3Output.S3Uri"
FIRST_INPUT = ("ProcessingInputs", 0, "S3Input", "S3Uri")
MISTAKES = {
    "another version": put("Version", value="2021-01-01"),
    "an unknown key at the top": put("Stages", value=[]),
    "no steps": put("Steps", value=[]),
    "two steps of one name": lambda found: found["Steps"].append(copy.deepcopy(found["Steps"][0])),
    "a name with a dot": step("train", put("Name", value="train.large")),
    "a type that does not exist": step("train", put("Type", value="Trainer")),
    "an unknown key of a step": step("train", put("Retry", value=1)),
    "a machine that does not exist": arguments("train", put("ResourceConfig", "InstanceType", value="ml.m5.enormous")),
    "a misspelt argument": arguments("judge", put("AppSpecifications", value={})),
    "a missing role": arguments("judge", drop("RoleArn")),
    "a role that is none": arguments("judge", put("RoleArn", value="pipeline")),
    "a number as a text": arguments("judge", put("StoppingCondition", "MaxRuntimeInSeconds", value="3600")),
    "a number in the environment": arguments("judge", put("Environment", "PORT", value=8080)),
    "a value that is too long": arguments("judge", put("Environment", "LONG", value="x" * 257)),
    "a kind of data that does not exist": arguments(
        "judge", put("ProcessingInputs", 0, "S3Input", "S3DataType", value="Folder")
    ),
    "more inputs than there may be": arguments(
        "judge", lambda found: found["ProcessingInputs"].extend(found["ProcessingInputs"] * 3)
    ),
    "more arguments than there may be": arguments(
        "judge", put("AppSpecification", "ContainerArguments", value=["x"] * 101)
    ),
    "a parameter that is not declared": arguments("judge", put("Environment", "X", value={"Get": "Parameters.Data"})),
    "a step that does not exist": arguments("judge", put(*FIRST_INPUT, value={"Get": OUTPUT.replace("prep", "comp")})),
    "an output that does not exist": arguments("judge", put(*FIRST_INPUT, value={"Get": OUTPUT.replace("all", "it")})),
    "a property that does not exist": arguments(
        "judge", put(*FIRST_INPUT, value={"Get": "Steps.prepare.ModelArtifacts.S3ModelArtifacts"})
    ),
    "a property that is no text": arguments("judge", put(*FIRST_INPUT, value={"Get": "Steps.train.ModelArtifacts"})),
    "what no execution has": arguments("judge", put("Environment", "X", value={"Get": "Execution.Commit"})),
    "a circle": arguments("prepare", put("Environment", "X", value={"Get": "Steps.judge.ProcessingJobArn"})),
    "an order that does not exist": step("judge", put("DependsOn", value=["compare"])),
    "a cache that lineage defeats": arguments(
        "train", put("Environment", "RUN", value={"Get": "Execution.PipelineExecutionId"})
    ),
    "a cache without an end": step("train", put("CacheConfig", value={"Enabled": True})),
    "an end that is no duration": step("train", put("CacheConfig", "ExpireAfter", value="30 days")),
    "a retry of what is no fault": step("train", put("RetryPolicies", 0, "ExceptionType", value=["Any"])),
    "retries without an end": step("train", drop("RetryPolicies", 0, "MaxAttempts")),
    "a wait shorter than the work": arguments("train", put("StoppingCondition", "MaxWaitTimeInSeconds", value=60)),
    "spot without checkpoints": arguments("train", drop("CheckpointConfig")),
}


def test_mistakes_put_into_a_definition_are_caught(project):
    definition = compiled(project)
    assert faults(definition) == []
    for name, make in MISTAKES.items():
        broken = json.loads(json.dumps(definition))
        make(broken)
        assert faults(broken), name


def test_prices_are_of_machines_that_all_jobs_may_have(project):
    found = project.script(
        "import json, botocore.session\n"
        "from mlops.platforms.aws.machines import MACHINES\n"
        "model = botocore.session.get_session().get_service_model('sagemaker')\n"
        "kinds = ('ProcessingInstanceType', 'TrainingInstanceType')\n"
        "names = {machine.name for machine in MACHINES}\n"
        "print(json.dumps([sorted(names - set(model.shape_for(kind).enum)) for kind in kinds]))"
    )
    assert found == [[], []]
    prices = project.script(
        "import json\nfrom mlops.platforms import connect\nfrom mlops.project import load_project\n"
        "from mlops.settings import load_settings\n"
        "print(json.dumps(dict(connect('aws', load_project(), load_settings()).prices())))"
    )
    assert prices == {"ml.m5.large": 0.115, "ml.m5.xlarge": 0.23}
