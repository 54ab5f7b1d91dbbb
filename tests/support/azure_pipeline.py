"""Azure ML's pipelines: what is wrong with a compiled one, what it says, and its jobs played here.

Azure's own validation lets references into nowhere and unknown keys pass, so both are looked at here. A job is played
in a folder that stands for a container, with the image's files in `app` and Azure's places below `mnt/azureml`.
"""

import re
import shlex
import shutil
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path

from support import containers
from support.workspace import Workspace

FILE = "pipeline.yml"
ROOT_RUN = "flight-delays-dev-0123456789abcdef"
JOB_KEYS = {
    *("$schema", "type", "name", "experiment_name", "display_name", "description", "tags", "properties"),
    *("settings", "inputs", "outputs", "jobs", "identity", "compute"),
}
SETTINGS_KEYS = {"continue_on_step_failure", "force_rerun", "default_compute", "default_datastore"}
NODE_KEYS = {
    *("type", "component", "inputs", "outputs", "compute", "identity", "limits", "environment_variables"),
    *("resources", "distribution", "comment", "properties"),
}
COMPONENT_KEYS = {
    *("$schema", "type", "name", "version", "display_name", "description", "tags", "properties", "is_deterministic"),
    *("command", "code", "environment", "inputs", "outputs", "resources", "distribution"),
}
NAME, PORT = re.compile(r"[a-z][a-z\d_]*"), re.compile(r"[a-z_][a-z0-9_]*")
REFERENCE = re.compile(r"\$\{\{\s*(.+?)\s*\}\}")
OF_A_JOB = re.compile(r"parent\.jobs\.(\w+)\.outputs\.(\w+)")
OF_THE_PIPELINE = re.compile(r"parent\.inputs\.(\w+)")
MODES = {"inputs": {"download", "ro_mount"}, "outputs": {"upload", "rw_mount"}}


def component_of(files, node):
    """The component that a node names by its file."""
    return files.get(str(node.get("component")).removeprefix("./"), {})


def edges(files):
    """Which step gets something of which, by the steps' own names."""
    found = set()
    for name, node in files[FILE]["jobs"].items():
        for each in node.get("inputs", {}).values():
            if isinstance(each, dict) and (match := OF_A_JOB.search(each["path"])):
                found.add((match[1].replace("_", "-"), name.replace("_", "-")))
    return found


def words(command):
    """The words of `mlops exec` in a command, after `exec`."""
    found = shlex.split(command)
    found = found[found.index("exec") + 1 :]
    end = next((number for number, word in enumerate(found) if word.endswith(";")), None)
    return found if end is None else [*found[:end], found[end].removesuffix(";")]


def stages(files):
    """The stages that each step runs, by its command."""
    found = {}
    for name, node in files[FILE]["jobs"].items():
        said = words(component_of(files, node)["command"])
        first = next((number for number, word in enumerate(said) if word.startswith("--")), len(said))
        found[name.replace("_", "-")] = said[:first]
    return found


def faults(files, clusters):
    """What Azure would refuse of what was compiled, or would find out while it runs it; `clusters` are there."""
    return list(_faults(files, clusters))


def _faults(files, clusters):
    yield from _job_faults(files[FILE])
    nodes = files[FILE].get("jobs") or {}
    used = {str(node.get("component")).removeprefix("./") for node in nodes.values()}
    for name in set(files) - {FILE} - used:
        yield f"{name} is used by no job"
    for name, times in Counter(content.get("name") for file, content in files.items() if file != FILE).items():
        if times > 1:
            yield f"{times} components are called {name}"
    for file, content in files.items():
        if file != FILE:
            yield from (f"{file}: {fault}" for fault in _component_faults(content))
    for name, node in nodes.items():
        yield from (f"{name}: {fault}" for fault in _node_faults(name, node, files, clusters))
    yield from _circles(files)


def _job_faults(job):
    yield from _shape_faults(job, JOB_KEYS, "pipeline")
    if unknown := set(job.get("settings", {})) - SETTINGS_KEYS:
        yield f"unknown settings {unknown}"
    if not job.get("jobs"):
        yield "there are no jobs"
    for name, value in job.get("inputs", {}).items():
        if not isinstance(value, str) or not value:
            yield f"the input {name} is {value!r}"
    if job["inputs"].get("data_version") == "unknown" and not job["settings"].get("force_rerun"):
        yield "what was made of other data may be reused"


def _shape_faults(content, keys, kind):
    if unknown := set(content) - keys:
        yield f"unknown keys {unknown}"
    if content.get("type") != kind:
        yield f"the type is {content.get('type')}"


def _component_faults(content):
    yield from _shape_faults(content, COMPONENT_KEYS, "command")
    if not NAME.fullmatch(str(content.get("name"))):
        yield f"the name {content.get('name')} is not allowed"
    if not isinstance(content.get("version"), str):
        yield f"the version is {content.get('version')!r}"
    if not isinstance(content.get("is_deterministic"), bool):
        yield "it does not say whether it may be reused"
    if not isinstance(content.get("environment"), dict) or set(content["environment"]) != {"image"}:
        yield f"the environment is {content.get('environment')}"
    elif not content["environment"]["image"]:
        yield "there is no image"
    count = content.get("resources", {}).get("instance_count", 1)
    if not isinstance(count, int) or (count > 1) != ("distribution" in content):
        yield f"{count} machines and distribution {content.get('distribution')}"
    yield from _command_faults(content)


def _command_faults(content):
    command = content.get("command") or ""
    declared = set()
    for kind, types in (("inputs", {"uri_folder", "string"}), ("outputs", {"uri_folder"})):
        for name, each in content.get(kind, {}).items():
            declared.add(f"{kind}.{name}")
            if not PORT.fullmatch(name):
                yield f"{kind}.{name} is no name"
            if set(each) - {"type", "description", "default", "optional"} or each.get("type") not in types:
                yield f"{kind}.{name} is {each}"
    said = set(REFERENCE.findall(command))
    for name in said - declared:
        yield f"the command refers to {name}, which is not declared"
    for name in declared - said:
        yield f"{name} is declared, and the command does not use it"
    if content.get("is_deterministic") and "$AZUREML_" in command:
        yield "it is never reused, for its command knows the run"


def _node_faults(name, node, files, clusters):
    yield from _shape_faults(node, NODE_KEYS, "command")
    if not NAME.fullmatch(name):
        yield "no such name is allowed"
    component = component_of(files, node)
    if not component:
        yield f"there is no component {node.get('component')}"
        return
    yield from _port_faults(node, component)
    for port, each in node.get("inputs", {}).items():
        yield from _reference_faults(port, each, component, files)
    if str(node.get("compute")).removeprefix("azureml:") not in clusters:
        yield f"there is no cluster {node.get('compute')}"
    if node.get("identity", {}).get("type") != "managed" or not node["identity"].get("client_id"):
        yield f"it runs as {node.get('identity')}"
    timeout = node.get("limits", {}).get("timeout")
    if not isinstance(timeout, int) or timeout <= 0:
        yield f"its timeout is {timeout}"
    for variable, value in node.get("environment_variables", {}).items():
        if not isinstance(value, str):
            yield f"the variable {variable} is {value!r}"
        if component.get("is_deterministic") and variable.startswith("MLOPS_LINEAGE_"):
            yield f"it is never reused, for its environment has {variable}"


def _port_faults(node, component):
    for kind in ("inputs", "outputs"):
        wanted, given = set(component.get(kind, {})), set(node.get(kind, {}))
        if wanted - given:
            yield f"{kind} {wanted - given} are missing"
        if given - wanted:
            yield f"{kind} {given - wanted} are none of the component's"
        for port, each in node.get(kind, {}).items():
            if isinstance(each, dict) and each.get("mode") not in MODES[kind]:
                yield f"{kind}.{port} has the mode {each.get('mode')}"


def _reference_faults(port, each, component, files):
    job = files[FILE]
    is_text = component.get("inputs", {}).get(port, {}).get("type") == "string"
    if isinstance(each, dict) == is_text:
        yield f"the input {port} is {each}, of another type than the component's"
        return
    found = REFERENCE.fullmatch(each if is_text else str(each.get("path")))
    if not found:
        yield f"the input {port} is {each}, which is no reference"
    elif is_text:
        match = OF_THE_PIPELINE.fullmatch(found[1])
        if not match or match[1] not in job["inputs"]:
            yield f"{found[1]} is no input of the pipeline"
    else:
        match = OF_A_JOB.fullmatch(found[1])
        source = job["jobs"].get(match[1]) if match else None
        if source is None or match[2] not in component_of(files, source).get("outputs", {}):
            yield f"{found[1]} is no job's output"
        elif match[2] not in source.get("outputs", {}):
            yield f"{found[1]} is not given"


def _circles(files):
    before = {name.replace("_", "-"): set() for name in files[FILE].get("jobs") or {}}
    for one, two in edges(files):
        before[two].add(one)
    while ready := [name for name, needs in before.items() if not needs & set(before)]:
        for name in ready:
            del before[name]
    if before:
        yield f"{', '.join(before)} wait for each other"


@dataclass
class Player:
    """Runs the jobs of a pipeline as Azure does, each in a folder of its own with the files of the image.

    `image` is a project that the image would be built from; `env` is what its containers' environment has besides.
    """

    files: dict
    image: Workspace
    folder: Path
    env: dict = field(default_factory=dict)
    inputs: dict = field(default_factory=dict)
    """In place of the pipeline's own."""

    def run(self):
        """All jobs in an order that their references allow."""
        waiting = [name.replace("_", "-") for name in self.files[FILE]["jobs"]]
        needs = edges(self.files)
        while waiting:
            name = next(name for name in waiting if not any(one in waiting for one, to in needs if to == name))
            waiting.remove(name)
            self.job(name)

    def container(self, name):
        return self.folder / "containers" / name

    def stored(self, job, output):
        """Where an output lies in the workspace's store."""
        return self.folder / "store" / job / output

    def job(self, name, code=0, **env):
        """One job, or a machine of it."""
        key = name.replace("-", "_")
        node = self.files[FILE]["jobs"][key]
        component = component_of(self.files, node)
        app = containers.start(self.image, self.container(name) / "app")
        place = self.container(name) / "mnt/azureml/cr/j/0123456789abcdef"
        work = place / "exe/wd"
        work.mkdir(parents=True)
        filled = self._bring(node, place) | self._open(key, node, place)
        # What Azure starts in a folder of its own, with a shell of the image.
        command = component["command"].replace("cd /app ", f"cd {shlex.quote(str(app.path))} ")
        command = command.replace("/tmp/hosts.json", f"{place}/hosts.json")  # noqa: S108
        command = REFERENCE.sub(lambda found: filled[found[1]], command)
        known = {"AZUREML_ROOT_RUN_ID": ROOT_RUN, "AZUREML_RUN_ID": f"{ROOT_RUN}-{key}"}
        variables = {**known, **node["environment_variables"], **self.env, **env}
        done = containers.run(app, ["bash", "-c", command], variables, cwd=work)
        assert done.code == code, f"{name}: {done}"
        for output, each in node.get("outputs", {}).items():
            if each["mode"] == "upload" and not done.code:
                made = place / "cap/data-capability/wd" / output
                assert not any(file.is_symlink() for file in made.rglob("*")), f"{output} has a link"
                shutil.copytree(made, self.stored(key, output))
        return done

    def _bring(self, node, place):
        filled = {}
        for name, each in node["inputs"].items():
            reference = REFERENCE.fullmatch(each["path"] if isinstance(each, dict) else each)[1]
            if match := OF_THE_PIPELINE.fullmatch(reference):
                filled[f"inputs.{name}"] = {**self.files[FILE]["inputs"], **self.inputs}[match[1]]
                continue
            source = OF_A_JOB.fullmatch(reference)
            target = place / "cap/data-capability/wd" / f"INPUT_{name}"
            shutil.copytree(self.stored(source[1], source[2]), target)
            filled[f"inputs.{name}"] = str(target)
        return filled

    def _open(self, job, node, place):
        """Folders for what a job gives; one that is mounted is the store's own, and there again for another attempt."""
        filled = {}
        for name, each in node["outputs"].items():
            target = place / "cap/data-capability/wd" / name if each["mode"] == "upload" else self.stored(job, name)
            target.mkdir(parents=True, exist_ok=True)
            filled[f"outputs.{name}"] = str(target)
        return filled
