"""SageMaker's endpoints as AWS documents them: they take time, have canaries, watch alarms and answer requests.

A version is served by a real `mlops serve`, started from the model.tar.gz that lies in S3, as SageMaker does it.
Nothing waits: a deployment goes on by a step each time that somebody asks how it stands.
"""

import io
import tarfile
import threading
from collections import Counter
from dataclasses import dataclass, field

from botocore.exceptions import ClientError

from support.aws import CREDENTIALS
from support.environment import UNPACK
from support.served import Containers


class Refused(Exception):  # noqa: N818 - what AWS says
    """An answer that is an error of AWS."""

    def __init__(self, message, code="ValidationException", status=400, **more):
        super().__init__(message)
        self.code, self.status, self.more = code, status, more


@dataclass
class Endpoint:
    """An endpoint as it stands."""

    config: str
    status: str = "InService"
    pending: str | None = None
    steps: list = field(default_factory=list)
    stage: str | None = None
    rules: dict = field(default_factory=dict)
    reason: str | None = None
    requests: Counter = field(default_factory=Counter)
    """By configuration."""


class Endpoints:
    """All endpoints of an account.

    `during` has functions by stage (`start`, `canary`, `rest`), called when a deployment reaches it; `dead` has
    versions that do not start, `sick` those that answer with status 500, and `denied` is whether nobody may ask.
    `client(service, region)` asks moto.
    """

    def __init__(self, client, machines):
        self.client, self.machines = client, machines
        self.lock = threading.RLock()
        self.endpoints, self.during, self.dead, self.sick = {}, {}, set(), set()
        self.due, self.denied = None, False
        self.known = {
            "CreateModel": self._create_once,
            "CreateEndpointConfig": self._create_once,
            "CreateEndpoint": self._create,
            "UpdateEndpoint": self._update,
            "DescribeEndpoint": self._describe,
            "DeleteEndpoint": self._delete,
            "DeleteEndpointConfig": self._delete_config,
        }

    def answer(self, region, operation, params):
        """The answer to an operation, or None where moto has one."""
        with self.lock:
            said = self.known[operation](region, params) if operation in self.known else None
            due, self.due = self.due, None
        if due is not None:  # not while others wait: it may ask the endpoint itself
            due()
        return said

    def _create_once(self, region, params):
        client = self.client("sagemaker", region)
        name = params.get("EndpointConfigName")
        try:
            if name:
                client.describe_endpoint_config(EndpointConfigName=name)
            else:
                client.describe_model(ModelName=params["ModelName"])
        except ClientError:
            if name:
                self.check_config(region, params)
            return
        raise Refused(f"Cannot create already existing {'endpoint configuration' if name else 'model'}")

    def check_config(self, region, params):
        for variant in params["ProductionVariants"]:
            model = self.client("sagemaker", region).describe_model(ModelName=variant["ModelName"])
            if "ServerlessConfig" in variant:
                if model.get("VpcConfig"):
                    raise Refused("Vpc Config is not supported for serverless endpoints")
                if "InstanceType" in variant or "InitialInstanceCount" in variant:
                    raise Refused("InstanceType and ServerlessConfig cannot both be specified")
                if variant["ServerlessConfig"]["MemorySizeInMB"] % 1024:
                    raise Refused("MemorySizeInMB is in steps of 1024")
            elif "InstanceType" not in variant:
                raise Refused("InstanceType is required")

    def _create(self, region, params):
        if (region, params["EndpointName"]) in self.endpoints:
            raise Refused("Cannot create already existing endpoint")
        self._config(region, params["EndpointConfigName"])
        config = params["EndpointConfigName"]
        self.endpoints[region, params["EndpointName"]] = Endpoint(config, "Creating", config, ["start"])

    def _update(self, region, params):
        endpoint = self._endpoint(region, params["EndpointName"])
        if endpoint.status not in ("InService", "UpdateRollbackFailed"):
            raise Refused("Cannot update in-progress endpoint")
        (old,), (new,) = self._config(region, endpoint.config), self._config(region, params["EndpointConfigName"])
        if old["VariantName"] != new["VariantName"]:
            raise Refused("the new endpoint configuration must have the same variant name as the old one")
        if "ServerlessConfig" in new and "ServerlessConfig" not in old:
            raise Refused("Cannot update an instance-based endpoint to a serverless endpoint")
        scaled = self.client("application-autoscaling", region).describe_scalable_targets(
            ServiceNamespace="sagemaker",
            ResourceIds=[f"endpoint/{params['EndpointName']}/variant/{old['VariantName']}"],
        )["ScalableTargets"]
        if scaled and old.get("InstanceType") != new.get("InstanceType"):
            raise Refused("the variant is registered with auto scaling, so its instance type cannot be changed")
        rules = params.get("DeploymentConfig", {})
        canary = self.check_rules(region, rules, new)
        endpoint.status, endpoint.pending, endpoint.rules, endpoint.reason = "Updating", new["config"], rules, None
        endpoint.steps = ["start", *(["canary"] if canary else []), "rest"]
        return {"EndpointArn": f"arn:aws:sagemaker:{region}:123456789012:endpoint/{params['EndpointName']}"}

    def check_rules(self, region, rules, variant):
        """Whether the rules of a deployment have a canary."""
        if not rules:
            return False
        if "ServerlessConfig" in variant:
            raise Refused("deployment guardrails are for real-time and asynchronous endpoints only")
        policy = rules["BlueGreenUpdatePolicy"]
        routing = policy["TrafficRoutingConfiguration"]
        waits = routing["WaitIntervalInSeconds"] + policy.get("TerminationWaitInSeconds", 0)
        if policy.get("MaximumExecutionTimeoutInSeconds", 28800) <= waits:
            raise Refused("MaximumExecutionTimeoutInSeconds must be larger than the waiting times")
        names = [alarm["AlarmName"] for alarm in rules.get("AutoRollbackConfiguration", {}).get("Alarms", [])]
        there = self.client("cloudwatch", region).describe_alarms(AlarmNames=names)["MetricAlarms"] if names else []
        if missing := sorted(set(names) - {alarm["AlarmName"] for alarm in there}):
            raise Refused(f"Could not find alarm {missing[0]}")
        if routing["Type"] != "CANARY":
            return False
        size, count = routing["CanarySize"], variant["InitialInstanceCount"]
        least = 1 if size["Type"] == "CAPACITY_PERCENT" else size["Value"]
        if (size["Type"] == "CAPACITY_PERCENT" and size["Value"] > 50) or least > count / 2:
            raise Refused("CanarySize must be less than or equal to 50% of the variant's total instance count")
        return True

    def _describe(self, region, params):
        name = params["EndpointName"]
        endpoint = self._endpoint(region, name)
        if endpoint.pending is not None:
            self._advance(region, endpoint)
        told = {
            "EndpointName": name,
            "EndpointArn": f"arn:aws:sagemaker:{region}:123456789012:endpoint/{name}",
            "EndpointConfigName": endpoint.config,
            "EndpointStatus": endpoint.status,
            "CreationTime": 0,
            "LastModifiedTime": 0,
        }
        if endpoint.reason:
            told["FailureReason"] = endpoint.reason
        if endpoint.pending is not None:
            state = {"start": "Creating", "canary": "Baking", "rest": "ActivatingTraffic"}[endpoint.stage]
            variant = {"VariantName": "AllTraffic", "VariantStatus": [{"Status": state}]}
            told["PendingDeploymentSummary"] = {
                "EndpointConfigName": endpoint.pending,
                "ProductionVariants": [variant],
                "StartTime": 0,
            }
        return told

    def _advance(self, region, endpoint):
        """The next step of what is under way."""
        if endpoint.stage == "start" and (why := self._start(region, endpoint.pending)):
            return self._end(endpoint, endpoint.config, why, "Failed" if endpoint.status == "Creating" else "InService")
        if raised := self._raised(region, endpoint):
            return self._end(endpoint, endpoint.config, f"Alarm {raised} went into the state ALARM", "InService")
        if not endpoint.steps:
            return self._end(endpoint, endpoint.pending, None, "InService")
        endpoint.stage = endpoint.steps.pop(0)
        if endpoint.stage in self.during:
            self.due = self.during[endpoint.stage]
        return None

    @staticmethod
    def _end(endpoint, config, reason, status):
        endpoint.config, endpoint.reason, endpoint.status = config, reason, status
        endpoint.pending = endpoint.stage = None
        endpoint.steps = []

    def _raised(self, region, endpoint):
        alarms = endpoint.rules.get("AutoRollbackConfiguration", {}).get("Alarms", [])
        if not alarms or endpoint.stage not in ("canary", "rest"):
            return None
        names = [alarm["AlarmName"] for alarm in alarms]
        states = self.client("cloudwatch", region).describe_alarms(AlarmNames=names)["MetricAlarms"]
        return next((each["AlarmName"] for each in states if each["StateValue"] == "ALARM"), None)

    def _start(self, region, config):
        """Start what serves a configuration; says why where it does not come up."""
        model = self._model(region, config)
        if model["Environment"].get("MLOPS_MODEL_VERSION") in self.dead:
            return "The primary container for production variant AllTraffic did not pass the ping health check."
        bucket, _, key = model["ModelDataUrl"].removeprefix("s3://").partition("/")
        data = self.client("s3", region).get_object(Bucket=bucket, Key=key)["Body"].read()
        self.machines.start(config, data, model["Environment"], region)
        return None

    def _delete(self, region, params):
        self._endpoint(region, params["EndpointName"])
        del self.endpoints[region, params["EndpointName"]]

    def _delete_config(self, region, params):
        used = {
            name
            for (where, _), each in self.endpoints.items()
            if where == region
            for name in (each.config, each.pending)
        }
        if params["EndpointConfigName"] in used:
            raise Refused("an endpoint configuration in use must not be deleted")

    def _endpoint(self, region, name):
        if (region, name) not in self.endpoints:
            raise Refused(f'Could not find endpoint "arn:aws:sagemaker:{region}:123456789012:endpoint/{name}".')
        return self.endpoints[region, name]

    def _config(self, region, name):
        try:
            said = self.client("sagemaker", region).describe_endpoint_config(EndpointConfigName=name)
        except ClientError as error:
            raise Refused(f'Could not find endpoint configuration "{name}".') from error
        return [{**variant, "config": name} for variant in said["ProductionVariants"]]

    def _model(self, region, config):
        (variant,) = self._config(region, config)
        return self.client("sagemaker", region).describe_model(ModelName=variant["ModelName"])["PrimaryContainer"]

    def predict(self, region, name, body, kind):
        """What InvokeEndpoint says: of the canary for its share of the requests."""
        with self.lock:
            if self.denied:
                raise Refused("not authorized to perform sagemaker:InvokeEndpoint", "AccessDeniedException", 403)
            endpoint = self._endpoint(region, name)
            if endpoint.status not in ("InService", "Updating"):
                raise Refused(f"Endpoint {name} of account 123456789012 not found.", "ValidationError")
            config = endpoint.config
            if endpoint.stage == "canary":
                routing = endpoint.rules["BlueGreenUpdatePolicy"]["TrafficRoutingConfiguration"]
                every = 100 // routing["CanarySize"]["Value"]
                config = endpoint.pending if endpoint.requests.total() % every == 0 else config
            endpoint.requests[config] += 1
            version = self._model(region, config)["Environment"]["MLOPS_MODEL_VERSION"]
        if version in self.sick:
            status, said = 500, b'{"error": "the model failed on these rows"}'
        else:
            reply = self.machines.ask(config, body, kind)
            status, said = reply.status, reply.body
        if status != 200:
            text = said.decode()
            told = f"Received server error ({status}) from primary with message {text}"
            raise Refused(told, "ModelError", 424, OriginalStatusCode=status, OriginalMessage=text)
        return said


class Machines(Containers):
    """SageMaker's containers, of the configurations' names."""

    def __init__(self, folder, python, code, url):
        super().__init__(folder, python, code)
        self.url = url

    def start(self, config, data, environment, region):
        def prepare(root):
            model = root / "opt-ml" / "model"
            model.mkdir(parents=True)
            with tarfile.open(fileobj=io.BytesIO(data), mode="r:gz") as archive:
                archive.extractall(model, **UNPACK)  # noqa: S202 - made by the project
            return {
                "SAGEMAKER_BASE_DIR": str(model.parent),
                "AWS_REGION": region,
                "AWS_DEFAULT_REGION": region,
                "AWS_ENDPOINT_URL": self.url,
                **CREDENTIALS,
                **environment,
            }

        super().start(config, (data, tuple(sorted(environment.items())), region), prepare)
