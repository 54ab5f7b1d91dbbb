"""The same pipeline as KFP's own compiler makes it: a program for a project's interpreter, which has KFP.

It writes each component and the pipeline in KFP's language, from what was compiled, has KFP compile that, and prints
the result as JSON.
"""

AGAIN = r"""
import json, re, sys, tempfile
from pathlib import Path
import yaml
from kfp import compiler, dsl

spec = yaml.safe_load(Path(sys.argv[1]).read_text(encoding="utf-8"))
REFERENCE = re.compile(r"\{\{\$\.\w+\.(artifacts|parameters)\['(\w+)'\](?:\.path|\.output_file)?\}\}")
TYPES = {"STRING": "str", "TASK_FINAL_STATUS": "dsl.PipelineTaskFinalStatus"}


def word(text):
    parts, at = [], 0
    for found in REFERENCE.finditer(text):
        parts += [repr(text[at:found.start()]), f"str({found[2]}{'.path' if found[1] == 'artifacts' else ''})"]
        at = found.end()
    return " + ".join([*parts, repr(text[at:])])


def named(name):
    return name.replace("-", "_")


def component(label, its, container):
    takes, gives = its.get("inputDefinitions", {}), its.get("outputDefinitions", {})
    told = [f"{name}: {TYPES[each['parameterType']]}" for name, each in takes.get("parameters", {}).items()]
    told += [f"{name}: dsl.Input[dsl.Artifact]" for name in takes.get("artifacts", {})]
    told += [f"{name}: dsl.Output[dsl.Artifact]" for name in gives.get("artifacts", {})]
    told += [f"{name}: dsl.OutputPath(str)" for name in gives.get("parameters", {})]
    lists = [", ".join(word(each) for each in container.get(kind, [])) for kind in ("command", "args")]
    content = f"image={container['image']!r}, command=[{lists[0]}], args=[{lists[1]}]"
    head = f"@dsl.container_component\ndef {named(label)}({', '.join(told)}):"
    return f"{head}\n    return dsl.ContainerSpec({content})\n"


def call(name, task, container):
    given = {}
    for kind in task.get("inputs", {}).values():
        for key, each in kind.items():
            ((how, what),) = each.items()
            if how == "taskOutputArtifact":
                given[key] = f"tasks[{what['producerTask']!r}].outputs[{what['outputArtifactKey']!r}]"
            elif how == "componentInputParameter":
                given[key] = what.removeprefix("pipelinechannel--")
            elif how == "runtimeValue":
                given[key] = repr(what["constant"])
    label = task["componentRef"]["name"].removeprefix("comp-")
    said = f"{named(label)}({', '.join(f'{key}={value}' for key, value in given.items())})"
    for each in container.get("env", []):
        said += f".set_env_variable({each['name']!r}, {each['value']!r})"
    asked = container.get("resources", {})
    if asked:
        said += f".set_cpu_limit({asked['resourceCpuLimit']!r}).set_memory_limit({asked['resourceMemoryLimit']!r})"
    if its := asked.get("accelerator"):
        said += f".set_accelerator_type({its['resourceType']!r}).set_accelerator_limit({its['resourceCount']!r})"
    if policy := task.get("retryPolicy"):
        said += f".set_retry({policy['maxRetryCount']}, '60s', 2.0, '3600s')"
    said += f".set_caching_options({bool(task['cachingOptions'])})"
    return f"tasks[{name!r}] = {said}"


components, executors = spec["components"], spec["deploymentSpec"]["executors"]


def container(task):
    return executors[components[task["componentRef"]["name"]]["executorLabel"]]["container"]


text = "".join(
    component(label.removeprefix("comp-"), its, executors[its["executorLabel"]]["container"])
    for label, its in components.items() if "executorLabel" in its
)
(inside,) = (its["dag"]["tasks"] for its in components.values() if "dag" in its)
((ending, teller),) = ((name, task) for name, task in spec["root"]["dag"]["tasks"].items() if "triggerPolicy" in task)
asked = spec["root"].get("inputDefinitions", {}).get("parameters", {})
lines = ["tasks = {}", call(ending, teller, container(teller)), f"with dsl.ExitHandler(tasks[{ending!r}]):"]
lines += [f"    {call(name, task, container(task))}" for name, task in inside.items()]
parameters = ", ".join(f"{name}: str = {each['defaultValue']!r}" for name, each in asked.items())
text += f"@dsl.pipeline(name={spec['pipelineInfo']['name']!r})\ndef pipeline({parameters}):\n    "
text += "\n    ".join(lines)
space = {"dsl": dsl}
exec(text, space)
with tempfile.TemporaryDirectory() as folder:
    compiler.Compiler().compile(space["pipeline"], f"{folder}/pipeline.yaml")
    print(json.dumps(yaml.safe_load(Path(folder, "pipeline.yaml").read_text(encoding="utf-8"))))
"""
