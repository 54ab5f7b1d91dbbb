# The template's: `copier update` renews this file.
"""The definition of a SageMaker pipeline: a processing job a step, a training job where it is to be spot or large.

A step's output goes to `pipeline/RUN/STEP/` in the bucket, a folder an artifact; a training job packs its own into one
archive. Who needs it refers to the step that made it, which is how SageMaker knows the order and a cache the place.
"""

import json
import shlex
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from mlops.errors import UsageError
from mlops.platforms.aws.machines import Machine, choose
from mlops.platforms.aws.session import PURPOSES, Session
from mlops.platforms.base import Job, Needs, Port, Schedule, Step

VERSION = "2020-12-01"
COMMAND = ["mlops", "exec"]
FROM, TO = "/opt/ml/processing/input", "/opt/ml/processing/output"
CHANNELS, MODEL, CHECKPOINTS = "/opt/ml/input/data", "/opt/ml/model", "/opt/ml/checkpoints"
HOSTS = "/opt/ml/input/config/resourceconfig.json"
WHY = {True: "/opt/ml/output/failure", False: "/opt/ml/output/message"}
"""Where SageMaker looks for the reason of a failure, of a training job and of another."""
MOST_INPUTS = {True: 20, False: 10}
MOST_ARGUMENTS, LONGEST = 100, 256
LONGEST_DEFINITION = 1_048_576
KEPT, READ = "P29D", "PT12H"
"""How long the cache gives what a step made: less than the bucket keeps it. A step that reads the source begins anew
after half a day even if it is started by a schedule, which cannot know whether the data are new."""
BY_SCHEDULE = "as-scheduled"
MARGIN = 2
"""How much longer than its work a spot job may wait for machines in all, as a factor."""


def definition(session: Session, job: Job) -> str:
    """The pipeline as JSON.

    Raises:
        UsageError: a setting is missing, or a step is larger than SageMaker takes.
    """
    by_name = {step.name: step for step in job.steps}
    content = {
        **_head(session),
        "Steps": [_Definer(session, job, step, by_name).definition() for step in job.steps],
    }
    content["Parameters"] += [
        {"Name": "DataSource", "Type": "String", "DefaultValue": job.data_source or ""},
        {"Name": "DataVersion", "Type": "String", "DefaultValue": BY_SCHEDULE},
    ]
    return _written(content)


def single(session: Session, job: Job, schedule: Schedule) -> str:
    """A pipeline of one step, which is a verb: SageMaker has no other job that a schedule can start."""
    # 3 means that somebody has to act, of which metrics and alarms tell: the job has done its work.
    script = f"{shlex.join(schedule.command or ())} || [ $? -eq 3 ]"
    job = Job((), job.image, {}, None)
    step = Step(schedule.name, (), (), (), Needs(memory_gb=8), cacheable=False)
    definer = _Definer(session, job, step, {})
    definer.environment |= _settings(session)
    content = {**_head(session), "Steps": [definer.processing(["sh", "-c", script], [])]}
    return _written(content)


def is_training(step: Step) -> bool:
    """Whether a step is a training job, which alone has spot machines and several of them."""
    return step.needs.spot or step.needs.gpu > 0 or step.needs.nodes > 1


def _head(session: Session) -> dict[str, Any]:
    environment = {"Name": "Environment", "Type": "String", "DefaultValue": session.settings.environment}
    return {"Version": VERSION, "Metadata": {}, "Parameters": [environment], "PipelineExperimentConfig": None}


def _written(content: Mapping[str, Any]) -> str:
    text = json.dumps(content, indent=1)
    if len(text) > LONGEST_DEFINITION:
        raise UsageError(
            f"the pipeline is {len(text):,} characters long, and SageMaker takes {LONGEST_DEFINITION:,}; "
            "put stages into groups in resources.yaml"
        )
    return text + "\n"


def _settings(session: Session) -> dict[str, str]:
    """Variables of this project that a verb needs."""
    known = {f"MLOPS_AWS_{name.upper()}": getattr(session.aws, name) for name in PURPOSES}
    known["MLOPS_LOG_URI"] = session.settings.log_uri
    return {name: str(value) for name, value in known.items() if value and len(str(value)) <= LONGEST}


def _joined(*parts: Any) -> dict[str, Any]:
    return {"Std:Join": {"On": "/", "Values": list(parts)}}


def _parameter(name: str) -> dict[str, str]:
    return {"Get": f"Parameters.{name}"}


@dataclass(frozen=True)
class _Input:
    """What comes from one place into one folder."""

    name: str
    source: Any
    ports: tuple[Port, ...]
    within: tuple[str, ...] | None = None
    """Where in the folder the artifacts lie, each in one of its own; None where the folder is the artifact."""

    def place(self, port: Port) -> str:
        """Where in the container's folder of inputs an artifact lies."""
        return "/".join([self.name, *(() if self.within is None else (*self.within, port.name))])


class _Definer:
    """One step."""

    def __init__(self, session: Session, job: Job, step: Step, steps: Mapping[str, Step]) -> None:
        self.session, self.job, self.step, self.steps = session, job, step, steps
        self.training = is_training(step)
        self.kms = session.aws.kms_key_arn
        self.machine: Machine = choose(step.needs, f"'{step.name}'")
        self.folder = _joined(self._bucket, {"Get": "Execution.PipelineExecutionId"}, step.name)
        self.environment: dict[str, Any] = {
            "AWS_DEFAULT_REGION": session.region,
            "MLOPS_ENVIRONMENT": _parameter("Environment"),
            "MLOPS_PLATFORM": "aws",
            "MLOPS_TRACKING_URI": session.settings.tracking_uri,
        }
        for name in ("experiment", "model_name"):
            if value := getattr(session.settings, name):
                self.environment[f"MLOPS_{name.upper()}"] = value

    @property
    def _bucket(self) -> str:
        return f"s3://{self.session.setting('bucket')}/pipeline"

    def definition(self) -> dict[str, Any]:
        step, inputs = self.step, self._inputs()
        place = CHANNELS if self.training else FROM
        taken = [f"--input={port.path}={place}/{each.place(port)}" for each in inputs for port in each.ports]
        given = [f"--output={port.path}={MODEL if self.training else TO}/{port.name}" for port in step.outputs]
        arguments: list[Any] = [*step.stages, *taken, *given, f"--failure={WHY[self.training]}"]
        if step.reads_source:
            self.environment["MLOPS_DATA_REMOTE"] = self.session.data_remote
            self.environment["MLOPS_DATA_VERSION"] = _parameter("DataVersion")
        if step.reads_source or not step.cacheable:
            arguments += ["--data", _parameter("DataSource")]
        if not step.cacheable:
            self._tell_lineage()
        if step.needs.nodes > 1:
            arguments += ["--hosts", HOSTS]
        self._require_few(arguments, inputs)
        made = self._training(arguments, inputs) if self.training else self.processing(COMMAND, arguments, inputs)
        if step.cacheable:
            made["CacheConfig"] = {"Enabled": True, "ExpireAfter": READ if step.reads_source else KEPT}
        return made

    def _tell_lineage(self) -> None:
        """Only to a step that is never cached: a commit would be part of what the cache keys on."""
        told: dict[str, Any] = {
            **{tag: value[:LONGEST] for tag, value in self.job.lineage.items()},
            "mlops.image": self.job.image,
            "mlops.platform_run": {"Get": "Execution.PipelineExecutionArn"},
        }
        for tag, value in told.items():
            self.environment[f"MLOPS_LINEAGE_{tag.removeprefix('mlops.').upper()}"] = value

    def _require_few(self, arguments: Sequence[Any], inputs: Sequence[_Input]) -> None:
        kind = "training" if self.training else "processing"
        most = MOST_INPUTS[self.training]
        long = [word for word in arguments if isinstance(word, str) and len(word) > LONGEST]
        fault = None
        if len(inputs) > most:
            fault = f"needs {len(inputs)} steps, and a {kind} job takes {most} inputs; put some of them into one group"
        elif len(arguments) > MOST_ARGUMENTS:
            fault = f"has {len(arguments)} stages and artifacts, and a job takes {MOST_ARGUMENTS}; split its group"
        elif long:
            fault = f"has a path that is too long ('{long[0][:60]}...'); shorten it in dvc.yaml"
        if fault:
            raise UsageError(f"the step '{self.step.name}' {fault}")

    def _inputs(self) -> list[_Input]:
        """An artifact each where there is room, else all that a step made at once."""
        inputs = self._all_inputs(apart=True)
        return inputs if len(inputs) <= MOST_INPUTS[self.training] else self._all_inputs(apart=False)

    def _all_inputs(self, *, apart: bool) -> list[_Input]:
        found = []
        for name in dict.fromkeys(port.step for port in self.step.inputs if port.step):
            ports = tuple(port for port in self.step.inputs if port.step == name)
            if is_training(self.steps[name]):
                packed = {"Get": f"Steps.{name}.ModelArtifacts.S3ModelArtifacts"}
                found.append(_Input(f"{name}_all", packed, ports, ("model.tar.gz",)))
                continue
            whole = {"Get": f"Steps.{name}.ProcessingOutputConfig.Outputs['all'].S3Output.S3Uri"}
            if apart:
                # The last slash keeps out folders whose names only begin so.
                found += [_Input(f"{name}_{port.name}"[:64], _joined(whole, port.name, ""), (port,)) for port in ports]
            else:
                found.append(_Input(f"{name}_all", _joined(whole, ""), ports, ()))
        return found

    def processing(self, command: list[str], arguments: list[Any], inputs: Sequence[_Input] = ()) -> dict[str, Any]:
        session, needs = self.session, self.step.needs
        content: dict[str, Any] = {
            "ProcessingResources": {"ClusterConfig": {"InstanceCount": 1, **self._cluster()}},
            "AppSpecification": {"ImageUri": self.job.image, "ContainerEntrypoint": command},
            "RoleArn": session.setting("pipeline_role_arn"),
            "Environment": self.environment,
            "StoppingCondition": {"MaxRuntimeInSeconds": needs.timeout_minutes * 60},
            "NetworkConfig": {
                "EnableInterContainerTrafficEncryption": False,
                "EnableNetworkIsolation": False,
                **({"VpcConfig": self._vpc()} if self._vpc() else {}),
            },
            "Tags": self._tags(),
        }
        if arguments:
            content["AppSpecification"]["ContainerArguments"] = arguments
        if inputs:
            content["ProcessingInputs"] = [
                {
                    "InputName": each.name,
                    "S3Input": {
                        "S3Uri": each.source,
                        "LocalPath": f"{FROM}/{each.name}",
                        "S3DataType": "S3Prefix",
                        "S3InputMode": "File",
                        "S3DataDistributionType": "FullyReplicated",
                    },
                }
                for each in inputs
            ]
        if self.step.outputs:
            whole = {"S3Uri": self.folder, "LocalPath": TO, "S3UploadMode": "EndOfJob"}
            content["ProcessingOutputConfig"] = {"Outputs": [{"OutputName": "all", "S3Output": whole}], **self._key()}
        return self._whole("Processing", content)

    def _training(self, arguments: list[Any], inputs: Sequence[_Input]) -> dict[str, Any]:
        session, needs = self.session, self.step.needs
        seconds = needs.timeout_minutes * 60
        self.environment["MLOPS_CHECKPOINTS"] = CHECKPOINTS
        content: dict[str, Any] = {
            "AlgorithmSpecification": {
                "TrainingImage": self.job.image,
                "TrainingInputMode": "File",
                "ContainerEntrypoint": COMMAND,
                "ContainerArguments": arguments,
            },
            "RoleArn": session.setting("pipeline_role_arn"),
            "OutputDataConfig": {"S3OutputPath": self.folder, **self._key()},
            "ResourceConfig": {"InstanceCount": needs.nodes, **self._cluster()},
            "StoppingCondition": {"MaxRuntimeInSeconds": seconds},
            "CheckpointConfig": {
                "S3Uri": f"{self._bucket}/checkpoints/{session.name}/{self.step.name}",
                "LocalPath": CHECKPOINTS,
            },
            "EnableManagedSpotTraining": needs.spot,
            "EnableNetworkIsolation": False,
            "EnableInterContainerTrafficEncryption": needs.nodes > 1,
            "Environment": self.environment,
            "Tags": self._tags(),
        }
        if inputs:
            content["InputDataConfig"] = [
                {
                    "ChannelName": each.name,
                    "DataSource": {
                        "S3DataSource": {
                            "S3DataType": "S3Prefix",
                            "S3Uri": each.source,
                            "S3DataDistributionType": "FullyReplicated",
                        }
                    },
                    "InputMode": "File",
                }
                for each in inputs
            ]
        if needs.spot:
            content["StoppingCondition"]["MaxWaitTimeInSeconds"] = seconds * MARGIN
        if vpc := self._vpc():
            content["VpcConfig"] = vpc
        return self._whole("Training", content)

    def _whole(self, kind: str, content: dict[str, Any]) -> dict[str, Any]:
        policies = []
        if self.step.needs.retries:
            policies = [
                {
                    "ExceptionType": exceptions,
                    "IntervalSeconds": seconds,
                    "BackoffRate": 2.0,
                    "MaxAttempts": self.step.needs.retries,
                }
                for exceptions, seconds in (
                    (["Step.SERVICE_FAULT", "Step.THROTTLING"], 30),
                    (["SageMaker.JOB_INTERNAL_ERROR", "SageMaker.CAPACITY_ERROR", "SageMaker.RESOURCE_LIMIT"], 120),
                )
            ]
        made = {"Name": self.step.name, "Type": kind, "Arguments": content}
        return {**made, "RetryPolicies": policies} if policies else made

    def _cluster(self) -> dict[str, Any]:
        machine, disk = self.machine, self.step.needs.disk_gb
        key = {"VolumeKmsKeyId": self.kms} if self.kms and not machine.disk_gb else {}
        return {"InstanceType": machine.name, "VolumeSizeInGB": disk, **key}

    def _key(self) -> dict[str, str]:
        return {"KmsKeyId": self.kms} if self.kms else {}

    def _vpc(self) -> dict[str, list[str]]:
        subnets, groups = self.session.listed("subnets"), self.session.listed("security_groups")
        if bool(subnets) != bool(groups):
            raise UsageError("MLOPS_AWS_SUBNETS and MLOPS_AWS_SECURITY_GROUPS go together; set both, or none")
        return {"SecurityGroupIds": groups, "Subnets": subnets} if subnets else {}

    def _tags(self) -> list[dict[str, str]]:
        return [{"Key": key, "Value": value} for key, value in self.session.tags.items()]
