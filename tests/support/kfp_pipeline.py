"""Pipelines in Kubeflow's form: what is wrong with a compiled one, what it says, and its steps played here.

KFP's own protocol buffers refuse unknown keys and other types. References into nowhere pass them, so these are followed
here. A step is played in a folder that stands for a container, with the image's files in `app` and KFP's in `gcs`.
"""

import json
import re
import shutil
from dataclasses import dataclass, field
from pathlib import Path

from google.protobuf import json_format
from kfp.pipeline_spec import pipeline_spec_pb2

from support import containers
from support.workspace import Workspace

RUN = "flight-delays-dev-0123456789abcdef"
NAME = re.compile(r"[a-z0-9][a-z0-9-]{0,127}")
PLACEHOLDER = re.compile(r"\{\{\$\.(.+?)\}\}")
ARTIFACT = re.compile(r"(inputs|outputs)\.artifacts\['(\w+)'\]\.path")
PARAMETER = re.compile(r"inputs\.parameters\['(\w+)'\]")
TEXT = re.compile(r"outputs\.parameters\['(\w+)'\]\.output_file")
KNOWN = {"pipeline_job_name": RUN, "pipeline_job_uuid": RUN}
BEHIND = "ALL_UPSTREAM_TASKS_COMPLETED"


def steps(spec):
    """The tasks that are steps, which are those in the exit handler, by name."""
    return next((each["dag"]["tasks"] for each in spec["components"].values() if "dag" in each), {})


def container_of(spec, name):
    """What a step's executor runs."""
    component = spec["components"][steps(spec)[name]["componentRef"]["name"]]
    return spec["deploymentSpec"]["executors"][component["executorLabel"]]["container"]


def words(container):
    return [*container.get("command", []), *container.get("args", [])]


def edges(spec):
    """Which step gets something of which."""
    return {
        (each["taskOutputArtifact"]["producerTask"], name)
        for name, task in steps(spec).items()
        for each in task.get("inputs", {}).get("artifacts", {}).values()
    }


def stages(spec, container=container_of):
    """The stages that each step runs, by its command."""
    found = {}
    for name in steps(spec):
        said = words(container(spec, name))
        said = said[said.index("exec", said.index("mlops")) + 1 :]
        found[name] = said[: next((number for number, word in enumerate(said) if word.startswith("--")), None)]
    return found


def shape(spec):
    """What KFP's messages do not take of a pipeline."""
    messages = pipeline_spec_pb2.PipelineSpec(), pipeline_spec_pb2.PipelineDeploymentConfig()
    try:
        for message, content in zip(messages, (spec, spec.get("deploymentSpec", {})), strict=True):
            json_format.ParseDict(content, message, ignore_unknown_fields=False)
    except json_format.ParseError as error:
        return [str(error)]
    return []


def faults(spec, container=container_of):
    """What an engine would refuse of a pipeline, or would find out while it runs it.

    `container` gives what runs a step in the end, where its executor only starts it.
    """
    return shape(spec) or list(_faults(spec, container))


def _faults(spec, container):
    if not NAME.fullmatch(spec.get("pipelineInfo", {}).get("name", "")):
        yield f"the pipeline is called {spec.get('pipelineInfo')}"
    if spec.get("schemaVersion") != "2.1.0" or not spec.get("sdkVersion"):
        yield f"the versions are {spec.get('schemaVersion')} and {spec.get('sdkVersion')}"
    executors, components = spec["deploymentSpec"]["executors"], spec["components"]
    labels = [each["executorLabel"] for each in components.values() if "executorLabel" in each]
    if sorted(labels) != sorted(executors):
        yield f"executors are {sorted(executors)}, and components have {sorted(labels)}"
        return
    yield from _tasks(spec, "root", spec["root"])
    for name, component in components.items():
        if "dag" in component:
            yield from _tasks(spec, name, component)
        else:
            yield from _container(name, component, executors[component["executorLabel"]].get("container", {}))
    used = [
        task["componentRef"]["name"] for each in [spec["root"], *components.values()] for task in _dag(each).values()
    ]
    if sorted(used) != sorted(components):
        yield f"components are {sorted(components)}, and tasks are {sorted(used)}"
    elif not steps(spec):
        yield "there are no steps"
    else:
        yield from _told(spec)
        for name, task in steps(spec).items():
            yield from (f"{name}: {fault}" for fault in _step(spec, task, container(spec, name)))


def _dag(component):
    return component.get("dag", {}).get("tasks", {})


def _tasks(spec, where, component):
    tasks = _dag(component)
    for name, task in tasks.items():
        its = spec["components"].get(task.get("componentRef", {}).get("name"))
        if its is None:
            yield f"{where}.{name} is of no component: {task.get('componentRef')}"
            continue
        if task.get("taskInfo", {}).get("name") != name:
            yield f"{where}.{name} is called {task.get('taskInfo')}"
        for fault in (*_inputs(spec, component, tasks, task, its), *_order(tasks, task)):
            yield f"{where}.{name}: {fault}"
    before = {name: {*task.get("dependentTasks", ())} for name, task in tasks.items()}
    while ready := [name for name, needs in before.items() if not needs & set(before)]:
        for name in ready:
            del before[name]
    if before:
        yield f"{where}: {', '.join(before)} wait for each other"


def _order(tasks, task):
    waits = set(task.get("dependentTasks", ()))
    if unknown := waits - set(tasks):
        yield f"it waits for {unknown}, which are no tasks here"
    producers = {
        (each.get("taskOutputArtifact") or each.get("taskFinalStatus") or {}).get("producerTask")
        for kind in task.get("inputs", {}).values()
        for each in kind.values()
    } - {None}
    if producers != waits:
        yield f"it waits for {waits} and takes from {producers}"


def _inputs(spec, component, tasks, task, its):
    for kind in ("artifacts", "parameters"):
        declared = its.get("inputDefinitions", {}).get(kind, {})
        given = task.get("inputs", {}).get(kind, {})
        if unknown := set(given) - set(declared):
            yield f"{kind} {unknown} are none of its component's"
        if missing := {name for name, each in declared.items() if not each.get("isOptional")} - set(given):
            yield f"{kind} {missing} are missing"
        for name, each in given.items():
            yield from _reference(spec, component, tasks, name, each)


def _reference(spec, component, tasks, name, each):
    ((how, what),) = each.items()
    if how == "taskOutputArtifact":
        source = tasks.get(what["producerTask"])
        made = spec["components"].get((source or {}).get("componentRef", {}).get("name"), {})
        if what["outputArtifactKey"] not in made.get("outputDefinitions", {}).get("artifacts", {}):
            yield f"{name} is {what}, which nobody makes"
    elif how == "componentInputParameter":
        if what not in component.get("inputDefinitions", {}).get("parameters", {}):
            yield f"{name} is {what}, which is no parameter here"
    elif how == "taskFinalStatus":
        if what["producerTask"] not in tasks:
            yield f"{name} is the status of {what}, which is no task here"
    elif how == "runtimeValue":
        yield from (f"{name} is {each}" for each in PLACEHOLDER.findall(what["constant"]) if each not in KNOWN)
    else:
        yield f"{name} is {how}, which is not made here"


def _container(name, component, container):
    """References of a container to what its component declares, and the other way round."""
    if not container.get("image"):
        yield f"{name} has no image"
    declared = {
        f"{side}.{kind}.{each}"
        for side in ("input", "output")
        for kind, names in component.get(f"{side}Definitions", {}).items()
        for each in names
    }
    used = set()
    for each in PLACEHOLDER.findall(json.dumps(words(container))):
        if match := ARTIFACT.fullmatch(each):
            used.add(f"{match[1][:-1]}.artifacts.{match[2]}")
        elif match := PARAMETER.fullmatch(each):
            used.add(f"input.parameters.{match[1]}")
        elif match := TEXT.fullmatch(each):
            used.add(f"output.parameters.{match[1]}")
        else:
            yield f"{name} refers to {each}, which no engine fills in"
    if unknown := used - declared:
        yield f"{name} refers to {unknown}, which its component lacks"
    # The version of the data is there for the cache alone.
    if unused := declared - used - {"input.parameters.data__version"}:
        yield f"{name} makes no use of {unused}"
    if "{{" in json.dumps(container.get("env", [])):
        yield f"{name} has a variable that no engine fills in"


def _told(spec):
    """A task has to run behind all others, whichever way they end, and to learn how they did."""
    behind = [task for task in _dag(spec["root"]).values() if task.get("triggerPolicy", {}).get("strategy") == BEHIND]
    if len(behind) != 1 or not any("taskFinalStatus" in each for each in behind[0]["inputs"]["parameters"].values()):
        yield "nobody is told how it ends"


def _step(spec, task, container):
    said = words(container)
    if "mlops exec" not in " ".join(said):
        yield f"it does not run mlops exec: {said}"
    limit = [said[number + 2] for number, word in enumerate(said) if word == "timeout"]
    if "timeout" not in container and not (limit and limit[0].isdigit() and int(limit[0]) > 0):
        yield "it has no time limit"
    variables = {each["name"]: each.get("value") for each in container.get("env", [])}
    if len(variables) != len(container.get("env", [])):
        yield "a variable is set twice"
    parameters = task.get("inputs", {}).get("parameters", {})
    defaults = spec["root"].get("inputDefinitions", {}).get("parameters", {})
    if task.get("cachingOptions", {}).get("enableCache"):
        changing = {name for name in variables if name.startswith("MLOPS_LINEAGE_")}
        if changing or "platform__run" in parameters or "LINEAGE" in json.dumps(said):
            yield "its cache never finds anything, for it knows the run"
        if "data__version" in parameters and defaults["data_version"].get("defaultValue") == "unknown":
            yield "its cache gives what was made of other data"
    policy = task.get("retryPolicy")
    if policy is not None and not 1 <= policy.get("maxRetryCount", 0) <= 20:
        yield f"it is tried again {policy.get('maxRetryCount')} times"


@dataclass
class Player:
    """Runs the steps of a pipeline as KFP does, each in a folder of its own with the files of the image.

    `image` is a project that the image would be built from; `env` is what its containers' environment has besides.
    """

    spec: dict
    image: Workspace
    folder: Path
    env: dict = field(default_factory=dict)
    parameters: dict = field(default_factory=dict)
    """In place of the pipeline's own."""
    container_of: object = staticmethod(container_of)

    def run(self):
        """All steps in an order that their references allow."""
        waiting = list(steps(self.spec))
        needs = edges(self.spec)
        while waiting:
            name = next(name for name in waiting if not any(one in waiting for one, to in needs if to == name))
            waiting.remove(name)
            self.job(name)

    def container(self, name):
        return self.folder / "containers" / name

    def stored(self, step, output):
        """Where an artifact lies in the bucket, from its root on."""
        return Path("bucket/pipeline/123456789", RUN, f"{step}_-987", output)

    def job(self, name, code=0, **env):
        """One step, or a machine of it."""
        task, container = steps(self.spec)[name], self.container_of(self.spec, name)
        app = containers.start(self.image, self.container(name) / "app")
        own = self.container(name) / "gcs"
        component = self.spec["components"][task["componentRef"]["name"]]
        filled = dict(KNOWN)
        for key, each in task.get("inputs", {}).get("artifacts", {}).items():
            place = self.stored(
                each["taskOutputArtifact"]["producerTask"], each["taskOutputArtifact"]["outputArtifactKey"]
            )
            shutil.copytree(self.folder / "gcs" / place, own / place)
            filled[f"inputs.artifacts['{key}'].path"] = f"{own}/{place}"
        given = {key: own / self.stored(name, key) for key in component["outputDefinitions"]["artifacts"]}
        for key, place in given.items():
            place.parent.mkdir(parents=True, exist_ok=True)
            filled[f"outputs.artifacts['{key}'].path"] = str(place)
        for key, each in task.get("inputs", {}).get("parameters", {}).items():
            filled[f"inputs.parameters['{key}']"] = self._text(each)

        def said(text):
            text = text.replace("/tmp/", f"{own.parent}/tmp-")  # noqa: S108 - a container's own
            return PLACEHOLDER.sub(lambda found: filled[found[1]], text)

        known = {each["name"]: each["value"] for each in container["env"]}
        # A folder in the bucket that outlives the container.
        known = {key: re.sub("^/gcs/", f"{self.folder}/gcs/", value) for key, value in known.items()}
        done = containers.run(app, [said(word) for word in words(container)], {**known, **self.env, **env})
        assert done.code == code, f"{name}: {done}"
        if not done.code:
            for place in given.values():
                if place.exists():
                    assert not any(file.is_symlink() for file in place.rglob("*")), f"{place} has a link"
                    shutil.copytree(place, self.folder / "gcs" / place.relative_to(own))
        return done

    def _text(self, each):
        if "runtimeValue" in each:
            constant = each["runtimeValue"]["constant"]
            return PLACEHOLDER.sub(lambda found: KNOWN[found[1]], constant)
        name = each["componentInputParameter"].removeprefix("pipelinechannel--")
        defaults = self.spec["root"]["inputDefinitions"]["parameters"]
        return {**{key: value["defaultValue"] for key, value in defaults.items()}, **self.parameters}[name]
