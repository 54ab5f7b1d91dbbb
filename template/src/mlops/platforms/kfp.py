# The template's: `copier update` renews this file.
"""The pipeline as Kubeflow's intermediate representation, which Vertex AI and Kubeflow Pipelines run.

A step is a container component. What a stage writes is an artifact, a folder each, and comes to who needs it by a
reference, which is how an engine knows the order and what its cache may give. An artifact has its port's name with
underscores; what else a component takes has two of them in its name, as no port has. The steps are in an exit handler,
as KFP's own compiler makes it: behind them a task tells how the run ended, whichever way. What differs between engines
is an `Engine`.
"""

import shlex
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from mlops.platforms.base import Job, Needs, Port, Schedule, Step
from mlops.platforms.dag import sort
from mlops.platforms.resources import LOCK

FILE = "pipeline.yaml"
SCHEMA, SDK = "2.1.0", "kfp-2.16.0"
ARTIFACT = {"schemaTitle": "system.Artifact", "schemaVersion": "0.0.1"}
SOURCE, VERSION, RUN = "data__source", "data__version", "platform__run"
CHANNEL = "pipelinechannel--"
"""Before the name of what goes from the pipeline into its exit handler."""
HANDLER, TELLER = "exit-handler-1", "outcome"
UNKNOWN = "unknown"
"""In place of a data version."""

Content = dict[str, Any]


@dataclass(frozen=True)
class Engine:
    """What differs between those that run the pipeline."""

    platform: str
    """As `--on` names it."""
    name: str
    """The pipeline's. A cache gives only what one of the same name has made."""
    environment: Mapping[str, str]
    """Variables of each step."""
    settings: Mapping[str, str]
    """Variables that a verb needs beside."""
    reading: Mapping[str, str]
    """Variables that a step needs beside which reads the source."""
    executor: Callable[[Step, Content], tuple[Content, tuple[str, ...]]]
    """What runs a step, made of its plain container, and the names of texts that it puts out beside."""
    run: str = "{{$.pipeline_job_name}}"
    """What the engine fills in for the run, as `mlops submit` prints it."""


def definition(engine: Engine, job: Job) -> Content:
    """The pipeline.

    Raises:
        UsageError: a setting is missing, or the engine cannot give what a step needs.
    """
    executors, components, tasks = {}, {}, {}
    for step in job.steps:
        container, more = engine.executor(step, _container(engine, job, step))
        executors[f"exec-{step.name}"] = {"container": container}
        components[f"comp-{step.name}"] = _component(step, more)
        tasks[step.name] = _task(engine, job, step)
    parameters = {"data_source": job.data_source or UNKNOWN, "data_version": job.data_version or UNKNOWN}
    return _whole(engine, job.image, executors, components, tasks, parameters)


def single(engine: Engine, job: Job, schedule: Schedule) -> Content:
    """A pipeline of one step, which is a verb."""
    step = Step(schedule.name, (), (), (), Needs(memory_gb=8, retries=0), cacheable=False)
    # 3 means that somebody has to act, of which metrics and alerts tell: the job has done its work.
    script = f"{shlex.join(schedule.command or ())} || [ $? -eq 3 ]"
    plain = {"image": job.image, "command": ["sh", "-c", script], "env": _variables(engine, engine.settings)}
    container, more = engine.executor(step, plain)
    component = {"executorLabel": f"exec-{step.name}", **({"outputDefinitions": _texts(more)} if more else {})}
    task = {"cachingOptions": {}, "componentRef": {"name": f"comp-{step.name}"}, "taskInfo": {"name": step.name}}
    executors, components = {f"exec-{step.name}": {"container": container}}, {f"comp-{step.name}": component}
    return _whole(engine, job.image, executors, components, {step.name: task}, {})


def steps(spec: Mapping[str, Any]) -> Sequence[str]:
    """The names of the steps of a pipeline that was made here, each after those that it needs.

    An engine gives a pipeline back in another order.
    """
    tasks = next(each["dag"]["tasks"] for each in spec["components"].values() if "dag" in each)
    needs = {name: task.get("dependentTasks", ()) for name, task in tasks.items()}
    return sort(tasks, needs, "the pipeline has a cycle")


def written(content: Mapping[str, Any]) -> str:
    import yaml

    dumper = getattr(yaml, "CSafeDumper", yaml.SafeDumper)
    return str(yaml.dump(content, Dumper=dumper, sort_keys=False, width=120))


def limited(container: Content, needs: Needs) -> Content:
    """A container that ends itself when its time is over: engines let one run for days."""
    seconds = str(needs.timeout_minutes * 60)
    return {**container, "command": ["timeout", "--kill-after=60", seconds, *container["command"]]}


def resources(needs: Needs, **accelerator: Any) -> Content:
    """What a container asks for, in the words of engines of today and of before."""
    cpu, memory = f"{needs.cpu:g}", f"{needs.memory_gb:g}G"
    found = {"cpuLimit": float(needs.cpu), "resourceCpuLimit": cpu}
    found |= {"memoryLimit": float(needs.memory_gb), "resourceMemoryLimit": memory}
    return {**found, **({"accelerator": accelerator} if accelerator else {})}


def _container(engine: Engine, job: Job, step: Step) -> Content:
    words = [f"--input={port.path}={{{{$.inputs.artifacts['{_place(port)}'].path}}}}" for port in step.inputs]
    words += [f"--output={port.path}={{{{$.outputs.artifacts['{_plain(port.name)}'].path}}}}" for port in step.outputs]
    if SOURCE in _literals(step):
        words += ["--data", _parameter(SOURCE)]
    variables = dict(engine.reading) if step.reads_source else {}
    command = ["mlops", "exec"]
    if not step.cacheable:
        # Only for what no cache gives: a commit would be part of what it goes by.
        told = {**job.lineage, "mlops.image": job.image}
        variables |= {f"MLOPS_LINEAGE_{tag.removeprefix('mlops.').upper()}": value for tag, value in told.items()}
        command = ["env", f"MLOPS_LINEAGE_PLATFORM_RUN={_parameter(RUN)}", *command]
    container = {"image": job.image, "command": command, "args": [*step.stages, *words]}
    return {**container, "env": _variables(engine, variables)}


def _component(step: Step, more: Iterable[str]) -> Content:
    taken: Content = {"artifacts": {_place(port): {"artifactType": {**ARTIFACT}} for port in step.inputs}}
    taken["parameters"] = {name: {"parameterType": "STRING"} for name in _literals(step)}
    given = {"artifacts": {_plain(port.name): {"artifactType": {**ARTIFACT}} for port in step.outputs}, **_texts(more)}
    found = {"inputDefinitions": _filled(taken), "outputDefinitions": _filled(given)}
    return {"executorLabel": f"exec-{step.name}", **_filled(found)}


def _task(engine: Engine, job: Job, step: Step) -> Content:
    artifacts = {
        _place(port): {"taskOutputArtifact": {"outputArtifactKey": _plain(port.name), "producerTask": port.step}}
        for port in step.inputs
    }
    channels = {name: {"componentInputParameter": f"{CHANNEL}{_channel(name)}"} for name in _literals(step)}
    parameters = {**channels, **({RUN: {"runtimeValue": {"constant": engine.run}}} if RUN in channels else {})}
    # Without a version of the data they may be new; who reads what comes of them finds other artifacts anyway.
    is_cached = step.cacheable and not (step.reads_source and job.data_version is None)
    found = {
        "dependentTasks": sorted({port.step for port in step.inputs if port.step}),
        "inputs": _filled({"artifacts": artifacts, "parameters": parameters}),
    }
    # Whatever failed is tried again: what cannot be done, exit code 2, fails again within seconds.
    retries = {
        "retryPolicy": {
            "backoffDuration": "60s",
            "backoffFactor": 2.0,
            "backoffMaxDuration": "3600s",
            "maxRetryCount": step.needs.retries,
        }
    }
    return {
        "cachingOptions": {"enableCache": True} if is_cached else {},
        "componentRef": {"name": f"comp-{step.name}"},
        **_filled(found),
        **(retries if step.needs.retries else {}),
        "taskInfo": {"name": step.name},
    }


def _whole(
    engine: Engine, image: str, executors: Content, components: Content, tasks: Content, parameters: Mapping[str, str]
) -> Content:
    """A pipeline of these tasks, and of one behind them that tells how it ended."""
    handler, teller = _free(HANDLER, tasks), _free(TELLER, tasks)
    used = [name for name in parameters if any(_reads(task, name) for task in tasks.values())]
    channels = {f"{CHANNEL}{name}": {"parameterType": "STRING"} for name in used}
    status = {"status": {"isOptional": True, "parameterType": "TASK_FINAL_STATUS"}}
    ending = {
        "image": image,
        "command": ["python", "-m", "mlops.platforms.outcome"],
        "args": [engine.platform, _parameter("status")],
        "env": _variables(engine, engine.settings),
        "resources": resources(Needs(cpu=1, memory_gb=2)),
    }
    handling = {
        "componentRef": {"name": f"comp-{handler}"},
        "inputs": {"parameters": {f"{CHANNEL}{name}": {"componentInputParameter": name} for name in used}},
        "taskInfo": {"name": handler},
    }
    telling = {
        "cachingOptions": {},
        "componentRef": {"name": f"comp-{teller}"},
        "dependentTasks": [handler],
        "inputs": {"parameters": {"status": {"taskFinalStatus": {"producerTask": handler}}}},
        "taskInfo": {"name": teller},
        "triggerPolicy": {"strategy": "ALL_UPSTREAM_TASKS_COMPLETED"},
    }
    inside = {"dag": {"tasks": tasks}, "inputDefinitions": _filled({"parameters": channels})}
    defaults = {
        name: {"defaultValue": parameters[name], "isOptional": True, "parameterType": "STRING"} for name in used
    }
    root = {"dag": {"tasks": {handler: _filled(handling), teller: telling}}}
    root["inputDefinitions"] = _filled({"parameters": defaults})
    components = {
        **components,
        f"comp-{handler}": _filled(inside),
        f"comp-{teller}": {"executorLabel": f"exec-{teller}", "inputDefinitions": {"parameters": status}},
    }
    return {
        "pipelineInfo": {"name": engine.name},
        "schemaVersion": SCHEMA,
        "sdkVersion": SDK,
        "root": _filled(root),
        "components": components,
        "deploymentSpec": {"executors": {**executors, f"exec-{teller}": {"container": ending}}},
    }


def _reads(task: Content, name: str) -> bool:
    taken = task.get("inputs", {}).get("parameters", {}).values()
    return {"componentInputParameter": f"{CHANNEL}{name}"} in taken


def _literals(step: Step) -> list[str]:
    """Inputs that are texts: where the data are and which, the latter for the cache alone, and the run."""
    found = [SOURCE] if step.reads_source or not step.cacheable else []
    return [*found, *([VERSION] if step.reads_source else []), *([] if step.cacheable else [RUN])]


def _variables(engine: Engine, more: Mapping[str, str]) -> list[dict[str, str]]:
    return [{"name": name, "value": value} for name, value in {**engine.environment, **more}.items()]


def _texts(names: Iterable[str]) -> Content:
    return {"parameters": {name: {"parameterType": "STRING"} for name in names}}


def _filled(content: Content) -> Content:
    return {name: value for name, value in content.items() if value}


def _free(name: str, taken: Iterable[str]) -> str:
    return _free(f"{name}-x", taken) if name in taken else name


def _parameter(name: str) -> str:
    return f"{{{{$.inputs.parameters['{name}']}}}}"


def _channel(name: str) -> str:
    return name.replace("__", "_")


def _plain(name: str) -> str:
    return name.replace("-", "_")


def _place(port: Port) -> str:
    """The name of an input: locks come from several steps."""
    return f"lock__{_plain(port.step or '')}" if port.path == LOCK else _plain(port.name)
