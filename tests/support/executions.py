"""Executions of SageMaker pipelines, which moto does not follow: they take time, fail, and are started once a token."""

import json
import time
from dataclasses import dataclass, field
from email.utils import formatdate

from support.aws_front import problems
from support.front import Reply

DONE = ("Succeeded", {"prepare": "Succeeded", "train": "Succeeded", "judge": "Succeeded"}, None)


@dataclass
class Executions:
    """`rule` is one of a `support.front.Front`; `plan` is how the next execution goes, a state each time one asks.

    A state is the execution's, those of its steps, and why it failed.
    """

    cloud: object
    plan: list = field(default_factory=lambda: [DONE])
    tokens: dict = field(default_factory=dict)
    states: dict = field(default_factory=dict)
    ages: dict = field(default_factory=dict)
    """Seconds since an execution was started, which tests make longer."""

    def rule(self, request):
        """Answers what moto does not; refuses what botocore's service model does not allow."""
        prefix, _, operation = request.headers.get("X-Amz-Target", "").partition(".")
        if prefix != "SageMaker":
            return None
        params = json.loads(request.body)
        if wrong := problems("sagemaker", operation, params):
            return _refused("ValidationException", "; ".join(wrong))
        answer = getattr(self, operation, None)
        return answer(params) if answer else None

    def StartPipelineExecution(self, params):  # noqa: N802 - AWS's name
        token = params["ClientRequestToken"]
        if token not in self.tokens:
            said = self.cloud.client("sagemaker").start_pipeline_execution(**params)
            self.tokens[token] = said["PipelineExecutionArn"]
            self.states[said["PipelineExecutionArn"]] = list(self.plan)
        return _said({"PipelineExecutionArn": self.tokens[token]})

    def DescribePipelineExecution(self, params):  # noqa: N802
        arn = params["PipelineExecutionArn"]
        if arn not in self.states:
            return _refused("ResourceNotFound", f"there is no {arn}")
        states = self.states[arn]
        status, _, reason = states[0]
        self.shown = states.pop(0) if len(states) > 1 else states[0]
        said = {"PipelineExecutionArn": arn, "PipelineExecutionStatus": status}
        said["CreationTime"] = time.time() - self.ages.get(arn, 0)
        return _said({**said, **({"FailureReason": "Step failure"} if reason else {})})

    def ListPipelineExecutionSteps(self, params):  # noqa: N802
        _, steps, reason = self.shown
        found = [
            {"StepName": name, "StepStatus": status, **({"FailureReason": reason} if status == "Failed" else {})}
            for name, status in steps.items()
        ]
        # A page each, as SageMaker may answer.
        at = int(params.get("NextToken", 0))
        more = {"NextToken": str(at + 1)} if at + 1 < len(found) else {}
        return _said({"PipelineExecutionSteps": found[at : at + 1], **more})


def _said(content):
    body = json.dumps(content).encode()
    return Reply(200, body, "application/x-amz-json-1.1", {"date": formatdate(usegmt=True)})


def _refused(code, message):
    body = json.dumps({"__type": code, "message": message, "Message": message}).encode()
    return Reply(400, body, "application/x-amz-json-1.1", {"x-amzn-ErrorType": code})
