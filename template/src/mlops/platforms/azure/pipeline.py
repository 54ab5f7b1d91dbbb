# The template's: `copier update` renews this file.
"""The pipeline as Azure Machine Learning's YAML: a pipeline job, and a versioned component a step.

What a stage writes goes to the workspace's store, a folder an artifact, and comes to who needs it by a reference, which
is how Azure knows the order and what it may reuse. An artifact has its port's name with underscores; what else goes in
or out has two of them in its name, as no port has.
"""

import shlex
from collections.abc import Mapping
from typing import Any

from mlops.files import canonical_hash
from mlops.platforms.azure.machines import choose, clusters
from mlops.platforms.azure.session import PURPOSES, Session
from mlops.platforms.base import Job, Needs, Port, Schedule, Step
from mlops.platforms.resources import LOCK, legal

FILE = "pipeline.yml"
SCHEMAS = "https://azuremlschemas.azureedge.net/latest"
SOURCE, VERSION, CHECKPOINTS = "data__source", "data__version", "training__checkpoints"
HOME = "/app"
"""Where the image has the project; Azure starts a command in a folder of its own."""
HOSTS = "/tmp/hosts.json"  # noqa: S108 - in a container of its own
UNKNOWN = "unknown"
"""In place of a data version. Reuse has no end in Azure, so nothing is reused then: the data may be new."""


def files(session: Session, job: Job) -> dict[str, str]:
    """The pipeline job and its components, as texts by file name.

    Raises:
        UsageError: a setting is missing, or no cluster has what a step needs.
    """
    components = {step.name: component(session, job, step) for step in job.steps}
    found = {FILE: definition(session, job)}
    return {
        name: written(content)
        for name, content in {**found, **{_file(name): content for name, content in components.items()}}.items()
    }


def definition(session: Session, job: Job) -> dict[str, Any]:
    """The pipeline job, whose components lie beside it."""
    known = job.data_version is not None
    head = _head(session)
    return {
        **head,
        "tags": {**head["tags"], **job.lineage},
        "settings": {"continue_on_step_failure": False, "force_rerun": not known},
        "inputs": {"data_source": job.data_source or UNKNOWN, "data_version": job.data_version or UNKNOWN},
        "jobs": {_plain(step.name): _node(session, job, step) for step in job.steps},
    }


def component(session: Session, job: Job, step: Step) -> dict[str, Any]:
    """What a step runs, takes and gives; its version is a digest of that."""
    given = {_plain(port.name): {"type": "uri_folder"} for port in step.outputs}
    if step.needs.spot:
        given[CHECKPOINTS] = {"type": "uri_folder"}
    content: dict[str, Any] = {
        "$schema": f"{SCHEMAS}/commandComponent.schema.json",
        "type": "command",
        "name": f"{_plain(legal(session.project.name))}_{_plain(step.name)}",
        "display_name": step.name,
        "description": f"Stages of {session.project.name}: {', '.join(step.stages)}",
        "is_deterministic": step.cacheable,
        "command": _command(step),
        "environment": {"image": job.image},
        "inputs": {
            **{_place(port): {"type": "uri_folder"} for port in step.inputs},
            **{name: {"type": "string"} for name in _literals(step)},
        },
        "outputs": given,
        **_nodes(step.needs),
    }
    return {**content, "version": f"sha-{canonical_hash(content)[:12]}"}


def single(session: Session, job: Job, schedule: Schedule) -> dict[str, Any]:
    """A pipeline of one job, which is a verb: Azure's package has no other job that a schedule can start."""
    name = _plain(legal(schedule.name))
    content = {
        "type": "command",
        "name": f"{_plain(legal(session.project.name))}_{name}",
        "version": "1",
        "is_deterministic": False,
        # 3 means that somebody has to act, of which metrics and alerts tell: the job has done its work.
        "command": f"cd {HOME} && {{ {shlex.join(schedule.command or ())} || [ $? -eq 3 ]; }}",
        "environment": {"image": job.image},
    }
    node = {
        "type": "command",
        "component": content,
        "environment_variables": {**_environment(session), **_settings(session)},
        **_place_to_run(session, Needs(memory_gb=8), f"the schedule '{schedule.name}'"),
    }
    return {**_head(session), "display_name": f"{session.name}-{schedule.name}", "jobs": {name: node}}


def written(content: Mapping[str, Any]) -> str:
    import yaml

    return str(yaml.safe_dump(dict(content), sort_keys=False, width=120))


def _node(session: Session, job: Job, step: Step) -> dict[str, Any]:
    taken: dict[str, Any] = {
        _place(port): {
            "type": "uri_folder",
            "mode": "download",
            "path": f"${{{{parent.jobs.{_plain(port.step or '')}.outputs.{_plain(port.name)}}}}}",
        }
        for port in step.inputs
    }
    taken |= {name: f"${{{{parent.inputs.{name.replace('__', '_')}}}}}" for name in _literals(step)}
    given = {_plain(port.name): {"type": "uri_folder", "mode": "upload"} for port in step.outputs}
    if step.needs.spot:
        # What is written to it is kept as it comes, and is there again when the step begins anew.
        given[CHECKPOINTS] = {"type": "uri_folder", "mode": "rw_mount"}
    variables = _environment(session)
    if step.reads_source:
        variables["MLOPS_DATA_REMOTE"] = session.data_remote
    if not step.cacheable:
        # Only for what is never reused: a commit would be part of what reuse goes by.
        told = {**job.lineage, "mlops.image": job.image}
        variables |= {f"MLOPS_LINEAGE_{tag.removeprefix('mlops.').upper()}": value for tag, value in told.items()}
    return {
        "type": "command",
        "component": f"./{_file(step.name)}",
        "inputs": taken,
        "outputs": given,
        "environment_variables": variables,
        **_place_to_run(session, step.needs, f"'{step.name}'"),
    }


def _place_to_run(session: Session, needs: Needs, whose: str) -> dict[str, Any]:
    cluster = choose(clusters(session.setting("clusters")), needs, whose)
    return {
        "compute": f"azureml:{cluster.name}",
        "identity": {"type": "managed", "client_id": session.setting("job_identity")},
        "limits": {"timeout": needs.timeout_minutes * 60},
    }


def _nodes(needs: Needs) -> dict[str, Any]:
    """PyTorch's kind of distribution tells each machine its number and where the first one is, and needs no MPI."""
    if needs.nodes == 1:
        return {}
    return {
        "distribution": {"type": "pytorch", "process_count_per_instance": 1},
        "resources": {"instance_count": needs.nodes},
    }


def _command(step: Step) -> str:
    words = [*map(_quoted, step.stages)]
    words += [_quoted(f"--input={port.path}=", f"${{{{inputs.{_place(port)}}}}}") for port in step.inputs]
    words += [_quoted(f"--output={port.path}=", f"${{{{outputs.{_plain(port.name)}}}}}") for port in step.outputs]
    variables = []
    if VERSION in _literals(step):
        variables.append(_quoted("MLOPS_DATA_VERSION=", f"${{{{inputs.{VERSION}}}}}"))
    if SOURCE in _literals(step):
        words += ["--data", _quoted("", f"${{{{inputs.{SOURCE}}}}}")]
    if step.needs.spot:
        variables.append(_quoted("MLOPS_CHECKPOINTS=", f"${{{{outputs.{CHECKPOINTS}}}}}"))
    if not step.cacheable:
        variables.append('"MLOPS_LINEAGE_PLATFORM_RUN=$AZUREML_ROOT_RUN_ID"')
    before = f"cd {HOME} && "
    if step.needs.nodes > 1:
        words += ["--hosts", HOSTS]
        before += f"{_tell_hosts(step.needs.nodes)} && "
    return before + _again(" ".join(["env", *variables, "mlops", "exec", *words]), step.needs.retries)


def _tell_hosts(nodes: int) -> str:
    """A command that writes which of the machines this is; Azure names the first by its address, the others not."""
    names = ["$MASTER_ADDR", *(f"$MASTER_ADDR+{number}" for number in range(1, nodes))]
    listed = ", ".join(f'\\"{name}\\"' for name in names)
    here = '\\"$MASTER_ADDR$([ $NODE_RANK = 0 ] || echo +$NODE_RANK)\\"'
    return f'echo "{{\\"hosts\\": [{listed}], \\"current_host\\": {here}}}" > {HOSTS}'


def _again(command: str, retries: int) -> str:
    """A command that is tried again: Azure does so only where it lost the machine. Exit code 2 is no matter of luck."""
    if not retries:
        return command
    return (
        f"{{ tries=0; until {command}; do code=$?; "
        f"if [ $code -eq 2 ] || [ $tries -ge {retries} ]; then exit $code; fi; tries=$((tries + 1)); done; }}"
    )


def _quoted(text: str, reference: str = "") -> str:
    """A word for the shell, with a reference that Azure fills in."""
    for letter in '\\"$`':
        text = text.replace(letter, f"\\{letter}")
    return f'"{text}{reference}"'


def _environment(session: Session) -> dict[str, str]:
    found: dict[str, str | None] = {
        "AZURE_CLIENT_ID": session.setting("job_identity"),
        "AZURE_STORAGE_ACCOUNT_NAME": session.setting("storage_account"),
        "MLOPS_AZURE_STORAGE_ACCOUNT": session.setting("storage_account"),
        "MLOPS_ENVIRONMENT": session.settings.environment,
        "MLOPS_PLATFORM": "azure",
        "MLOPS_TRACKING_URI": session.settings.tracking_uri,
        "MLOPS_EXPERIMENT": session.settings.experiment,
        "MLOPS_MODEL_NAME": session.settings.model_name,
    }
    return {name: value for name, value in found.items() if value}


def _settings(session: Session) -> dict[str, str]:
    """Variables of this project that a verb needs."""
    known = {f"MLOPS_AZURE_{name.upper()}": getattr(session.azure, name) for name in PURPOSES}
    known |= {"MLOPS_DATA_REMOTE": session.data_remote, "MLOPS_LOG_URI": session.settings.log_uri}
    return {name: str(value) for name, value in known.items() if value}


def _literals(step: Step) -> list[str]:
    """Inputs that are texts: where the data are and which, the latter only where it decides on reuse."""
    return [*([SOURCE] if step.reads_source or not step.cacheable else []), *([VERSION] if step.reads_source else [])]


def _head(session: Session) -> dict[str, Any]:
    return {
        "$schema": f"{SCHEMAS}/pipelineJob.schema.json",
        "type": "pipeline",
        "experiment_name": session.name,
        "display_name": session.name,
        "tags": session.tags,
    }


def _plain(name: str) -> str:
    return name.replace("-", "_")


def _place(port: Port) -> str:
    """The name of an input: locks come from several steps."""
    return f"lock__{_plain(port.step or '')}" if port.path == LOCK else _plain(port.name)


def _file(step: str) -> str:
    return f"components/{step}.yml"
