"""SageMaker Pipelines as AWS documents it: what is wrong with a definition, what it says, and its jobs played here.

A job is played in a folder that stands for a container: /opt/ml lies below it, what is named in S3 in a folder beside.
"""

import re
import shutil
import tarfile
from collections import Counter
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path

import botocore.session

from support import containers
from support.aws_front import problems
from support.workspace import Workspace

JOBS = {"Processing": "CreateProcessingJob", "Training": "CreateTrainingJob"}
DESCRIBED = {"Processing": "DescribeProcessingJob", "Training": "DescribeTrainingJob"}
PIPELINE = "arn:aws:sagemaker:us-east-1:123456789012:pipeline/flight-delays-dev"
EXECUTION = {
    "Execution.PipelineExecutionId": "abcdefghijkl",
    "Execution.PipelineExecutionArn": f"{PIPELINE}/execution/abcdefghijkl",
    "Execution.PipelineName": "flight-delays-dev",
    "Execution.PipelineArn": PIPELINE,
    "Execution.StartDateTime": "2026-01-01T00:00:00Z",
    "Execution.CurrentDateTime": "2026-01-01T00:00:00Z",
}
RETRIED = {
    "Step.SERVICE_FAULT",
    "Step.THROTTLING",
    "SageMaker.JOB_INTERNAL_ERROR",
    "SageMaker.CAPACITY_ERROR",
    "SageMaker.RESOURCE_LIMIT",
}
STEP_KEYS = {"Name", "Type", "Arguments", "DependsOn", "RetryPolicies", "CacheConfig", "DisplayName", "Description"}
STEP_NAME = re.compile(r"[A-Za-z0-9](-*[A-Za-z0-9]){0,63}")
DURATION = re.compile(r"P(?=.)(\d+[DWMY])*(T(?=\d)(\d+H)?(\d+M)?)?")
REFERENCE = re.compile(r"Steps\.([A-Za-z0-9-]+)\.(.+)")
PART = re.compile(r"(\w+)(?:\['([^']+)'\])?")


def references(value):
    """All names that a part of a definition refers to."""
    if isinstance(value, dict):
        if set(value) == {"Get"}:
            yield value["Get"]
            return
        value = list(value.values())
    if isinstance(value, list):
        for each in value:
            yield from references(each)


def resolved(value, known):
    """A part of a definition with its references and joins filled in by `known(name)`."""
    if isinstance(value, dict):
        if set(value) == {"Get"}:
            return known(value["Get"])
        if set(value) == {"Std:Join"}:
            parts = value["Std:Join"]
            return parts["On"].join(str(resolved(part, known)) for part in parts["Values"])
        return {key: resolved(each, known) for key, each in value.items()}
    return [resolved(each, known) for each in value] if isinstance(value, list) else value


def edges(definition):
    """Which step gets something of which."""
    return {
        (found[1], step["Name"])
        for step in definition["Steps"]
        for name in references(step["Arguments"])
        if (found := REFERENCE.fullmatch(name))
    }


def stages(definition):
    """The stages that each step runs, by its arguments."""
    found = {}
    for step in definition["Steps"]:
        job = step["Arguments"].get("AppSpecification") or step["Arguments"]["AlgorithmSpecification"]
        words = []
        for word in job["ContainerArguments"]:
            if not isinstance(word, str) or word.startswith("-"):
                break
            words.append(word)
        found[step["Name"]] = words
    return found


def faults(definition):
    """What SageMaker would refuse of a definition, or would find out while it runs it."""
    return list(_faults(definition))


def _faults(definition):
    if unknown := set(definition) - {"Version", "Metadata", "Parameters", "PipelineExperimentConfig", "Steps"}:
        yield f"unknown keys {unknown}"
    if definition.get("Version") != "2020-12-01":
        yield f"the version is {definition.get('Version')}"
    parameters = definition.get("Parameters", [])
    for each in parameters:
        if each.get("Type") not in ("String", "Integer", "Float", "Boolean") or not isinstance(each.get("Name"), str):
            yield f"the parameter {each} has no name or no type"
        elif each["Type"] == "String" and not isinstance(each.get("DefaultValue", ""), str):
            yield f"the default of {each['Name']} is no text"
    steps = definition.get("Steps") or []
    if not steps:
        yield "there are no steps"
    for kind, names in (("parameter", parameters), ("step", steps)):
        for name, times in Counter(each.get("Name") for each in names).items():
            if times > 1:
                yield f"{times} {kind}s are called {name}"
    by_name = {step.get("Name"): step for step in steps}
    for step in steps:
        yield from (f"{step.get('Name')}: {fault}" for fault in _step_faults(step, parameters, by_name))
    yield from _circles(steps, by_name)


def _step_faults(step, parameters, by_name):
    if unknown := set(step) - STEP_KEYS:
        yield f"unknown keys {unknown}"
    if not STEP_NAME.fullmatch(step.get("Name", "")):
        yield "no such name is allowed"
    if step.get("Type") not in JOBS:
        yield f"no steps of the type {step.get('Type')} are known here"
        return
    wrong = [fault for name in references(step["Arguments"]) if (fault := _dangling(name, parameters, by_name))]
    yield from wrong
    if not wrong:
        job = f"{step['Type']}JobName"
        params = resolved(step["Arguments"], lambda name: _dummy(name, parameters))
        if job in params:
            yield f"{job} is set, which is the pipeline's to choose"
        yield from problems("sagemaker", JOBS[step["Type"]], {job: "job", **params})
        yield from _together(step["Type"], params)
    for name in step.get("DependsOn", []):
        if name not in by_name:
            yield f"it depends on {name}, which is no step"
    for policy in step.get("RetryPolicies", []):
        yield from _policy(policy)
    cache = step.get("CacheConfig")
    if cache is not None:
        if set(cache) != {"Enabled", "ExpireAfter"} or not isinstance(cache.get("Enabled"), bool):
            yield f"its cache is {cache}"
        elif not DURATION.fullmatch(cache["ExpireAfter"]):
            yield f"its cache expires after {cache['ExpireAfter']}, which is no duration"
        changing = set(references(step["Arguments"].get("Environment", {}))) & set(EXECUTION)
        if changing and cache.get("Enabled"):
            yield f"its cache never finds anything, for its environment has {changing}"


def _policy(policy):
    if unknown := set(policy) - {"ExceptionType", "IntervalSeconds", "BackoffRate", "MaxAttempts", "ExpireAfterMin"}:
        yield f"a retry policy has unknown keys {unknown}"
    if not policy.get("ExceptionType") or set(policy["ExceptionType"]) - RETRIED:
        yield f"a retry policy is for {policy.get('ExceptionType')}"
    if ("MaxAttempts" in policy) == ("ExpireAfterMin" in policy) or not 1 <= policy.get("MaxAttempts", 1) <= 20:
        yield "a retry policy has no end, or two"


def _dangling(name, parameters, by_name):
    """What is wrong with a reference, if something is."""
    if name.startswith("Parameters."):
        known = {each.get("Name") for each in parameters}
        return None if name.removeprefix("Parameters.") in known else f"{name} is no parameter"
    if name.startswith("Execution."):
        return None if name in EXECUTION else f"{name} is nothing that an execution has"
    found = REFERENCE.fullmatch(name)
    if not found or found[1] not in by_name:
        return f"{name} is no step's"
    source = by_name[found[1]]
    return _no_property(source, found[2]) if source.get("Type") in DESCRIBED else None


def _no_property(source, path):
    """Whether what is described of a job lacks a property, or it is no text."""
    shape = _service().operation_model(DESCRIBED[source["Type"]]).output_shape
    value = source["Arguments"]
    for part in path.split("."):
        name, key = PART.fullmatch(part).groups() if PART.fullmatch(part) else (part, None)
        if shape.type_name != "structure" or name not in shape.members:
            return f"a {source['Type']} job has no {path}"
        shape = shape.members[name]
        value = value.get(name) if isinstance(value, dict) else None
        if key is not None:
            if shape.type_name != "list":
                return f"{path}: {name} is no list"
            shape = shape.member
            value = next((each for each in value or [] if key in (each.get("OutputName"), each.get("InputName"))), None)
            if value is None:
                return f"{source['Name']} has no {name} '{key}'"
    return None if shape.type_name == "string" else f"{path} is no text"


def _together(kind, params):
    """Values that the service refuses together, by its reference."""
    if kind != "Training":
        return
    stop = params.get("StoppingCondition", {})
    spot = params.get("EnableManagedSpotTraining")
    if spot and stop.get("MaxWaitTimeInSeconds", 0) < stop.get("MaxRuntimeInSeconds", 86400):
        yield "it waits for spot machines for less time than it may run"
    if spot and "CheckpointConfig" not in params:
        yield "it is interrupted and has no checkpoints"
    if not spot and "MaxWaitTimeInSeconds" in stop:
        yield "it waits for spot machines and asks for none"


def _circles(steps, by_name):
    before = {step.get("Name"): {*step.get("DependsOn", ())} for step in steps}
    for step in steps:
        for name in references(step.get("Arguments", {})):
            if found := REFERENCE.fullmatch(name):
                before[step.get("Name")].add(found[1])
    while ready := [name for name, needs in before.items() if not needs & set(before)]:
        for name in ready:
            del before[name]
    if before:
        yield f"{', '.join(before)} wait for each other"


def _dummy(name, parameters):
    if name.startswith("Parameters."):
        return next(each.get("DefaultValue", "") for each in parameters if f"Parameters.{each['Name']}" == name)
    return EXECUTION.get(name, "s3://bucket/key")


@cache
def _service():
    return botocore.session.get_session().get_service_model("sagemaker")


@dataclass
class Player:
    """Runs the jobs of a definition as SageMaker does, each in a folder of its own with the files of the image.

    `image` is a project that the image would be built from; `env` is what its containers' environment has besides.
    """

    definition: dict
    image: Workspace
    folder: Path
    env: dict = field(default_factory=dict)
    parameters: dict = field(default_factory=dict)
    done: dict = field(default_factory=dict)
    """What the steps said, by name."""

    def run(self):
        """All steps in an order that their references allow."""
        waiting = {step["Name"]: step for step in self.definition["Steps"]}
        needs = edges(self.definition)
        while waiting:
            name = next(name for name in waiting if not any(source in waiting for source, to in needs if to == name))
            self.job(waiting.pop(name))
        return self.done

    def s3(self, uri):
        """Where what is named in S3 lies here."""
        return self.folder / "s3" / uri.removeprefix("s3://")

    def container(self, name):
        return self.folder / "containers" / name

    def job(self, step, code=0, rank=0, hosts=("algo-1",)):
        name, kind = step["Name"], step["Type"]
        arguments = resolved(step["Arguments"], self._known)
        job = arguments.get("AppSpecification") or arguments["AlgorithmSpecification"]
        app = containers.start(self.image, self.container(f"{name}-{rank}" if rank else name) / "app")
        ml = app.path.parent
        self._bring(kind, arguments, ml)
        for folder in ("output", "checkpoints", "model", "processing/output", "input/config"):
            (ml / "opt/ml" / folder).mkdir(parents=True, exist_ok=True)
        described = {"current_host": hosts[rank], "hosts": list(hosts)}
        (ml / "opt/ml/input/config/resourceconfig.json").write_text(str(described).replace("'", '"'), encoding="utf-8")
        words = [*job["ContainerEntrypoint"], *job.get("ContainerArguments", [])]
        env = {key: value.replace("/opt/ml/", f"{ml}/opt/ml/") for key, value in arguments["Environment"].items()}
        done = containers.run(app, [word.replace("/opt/ml/", f"{ml}/opt/ml/") for word in words], {**env, **self.env})
        self.done[name] = done
        assert code is None or done.code == code, f"{name}: {done}"
        if done.code == 0:
            self._take(name, kind, arguments, ml)
        return done

    def _known(self, name):
        if name.startswith("Parameters."):
            key = name.removeprefix("Parameters.")
            return self.parameters.get(key) or _dummy(name, self.definition["Parameters"])
        if name in EXECUTION:
            return EXECUTION[name]
        source, path = REFERENCE.fullmatch(name).groups()
        arguments = next(step for step in self.definition["Steps"] if step["Name"] == source)["Arguments"]
        if path == "ModelArtifacts.S3ModelArtifacts":
            return (
                f"{resolved(arguments['OutputDataConfig']['S3OutputPath'], self._known)}/{source}/output/model.tar.gz"
            )
        wanted = re.fullmatch(r"ProcessingOutputConfig\.Outputs\['(.+)'\]\.S3Output\.S3Uri", path)[1]
        outputs = arguments["ProcessingOutputConfig"]["Outputs"]
        found = next(each for each in outputs if each["OutputName"] == wanted)
        return resolved(found["S3Output"]["S3Uri"], self._known)

    def _known_folder(self, arguments):
        return resolved(arguments["OutputDataConfig"]["S3OutputPath"], self._known)

    def _bring(self, kind, arguments, ml):
        """Puts what a prefix names below the folder of an input, each key by what follows the prefix."""
        if kind == "Processing":
            inputs = [
                (each["S3Input"]["S3Uri"], each["S3Input"]["LocalPath"])
                for each in arguments.get("ProcessingInputs", [])
            ]
        else:
            inputs = [
                (each["DataSource"]["S3DataSource"]["S3Uri"], f"/opt/ml/input/data/{each['ChannelName']}")
                for each in arguments.get("InputDataConfig", [])
            ]
        for uri, place in inputs:
            target = Path(f"{ml}{place}")
            target.mkdir(parents=True)
            source = self.s3(uri)
            files = [source] if source.is_file() else [file for file in source.rglob("*") if file.is_file()]
            assert files, f"there is nothing at {uri}"
            for file in files:
                to = target / (file.name if file == source else file.relative_to(source))
                to.parent.mkdir(parents=True, exist_ok=True)
                shutil.copy2(file, to)

    def _take(self, name, kind, arguments, ml):
        """Uploads what a job has left; S3 has no empty folders and no links."""
        if kind == "Training":
            target = self.s3(f"{self._known_folder(arguments)}/{name}/output/model.tar.gz")
            target.parent.mkdir(parents=True, exist_ok=True)
            with tarfile.open(target, "w:gz") as archive:
                for each in sorted((ml / "opt/ml/model").iterdir()):
                    archive.add(each, each.name)
            return
        for each in arguments.get("ProcessingOutputConfig", {}).get("Outputs", []):
            source = Path(f"{ml}{each['S3Output']['LocalPath']}")
            for file in source.rglob("*"):
                assert not file.is_symlink(), f"{file} is a link"
                if file.is_file():
                    to = self.s3(each["S3Output"]["S3Uri"]) / file.relative_to(source)
                    to.parent.mkdir(parents=True, exist_ok=True)
                    shutil.copy2(file, to)
