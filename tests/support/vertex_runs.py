"""Pipeline jobs that take time and fail, and schedules of them, as Vertex AI tells of them."""

import re
from dataclasses import dataclass, field

from support import kfp_pipeline
from support.google import refused

DONE = ("SUCCEEDED", {"prepare": "SKIPPED", "train": "SUCCEEDED", "judge": "SUCCEEDED"}, None)
JOB_ID = re.compile(r"[a-z][-a-z0-9]{0,127}")
LABEL = re.compile(r"[a-z0-9_-]{0,63}")


@dataclass
class Runs:
    """`plan` is how the next job goes, a state each time one asks: the job's, those of its steps, and why it failed."""

    google: object
    plan: list = field(default_factory=lambda: [DONE])
    jobs: dict = field(default_factory=dict)
    states: dict = field(default_factory=dict)

    def __post_init__(self):
        self.google.rpc("PipelineService.CreatePipelineJob", self._create)
        self.google.rpc("PipelineService.GetPipelineJob", self._get)

    def _create(self, call):
        its = call.request.get("pipelineJobId", "")
        name = f"{call.request['parent']}/pipelineJobs/{its}"
        if not JOB_ID.fullmatch(its):
            return refused(400, f"'{its}' is no id of a pipeline job")
        if name in self.jobs:
            return refused(409, f"{name} already exists")
        if wrong := faults(call.request["pipelineJob"]):
            return refused(400, "; ".join(wrong))
        self.states[name] = list(self.plan)
        self.jobs[name] = {**call.request["pipelineJob"], "name": name, "state": "PIPELINE_STATE_PENDING"}
        return self.jobs[name]

    def _get(self, call):
        name = call.request["name"]
        if name not in self.jobs:
            return refused(404, f"{name} is not found")
        states = self.states[name]
        state, steps, reason = states.pop(0) if len(states) > 1 else states[0]
        tasks = [{"taskName": "exit-handler-1", "state": "RUNNING"}, {"taskName": "outcome", "state": "NOT_TRIGGERED"}]
        for step, its in steps.items():
            error = {"error": {"code": 9, "message": reason}} if its == "FAILED" and reason else {}
            tasks.append({"taskName": step, "state": its, **error})
        told = {"error": {"code": 9, "message": f"The run failed: {reason}"}} if state == "FAILED" else {}
        return {**self.jobs[name], "state": f"PIPELINE_STATE_{state}", "jobDetail": {"taskDetails": tasks}, **told}


@dataclass
class Schedules:
    """Schedules by name, which Google gives; a page of a list has one."""

    google: object
    kept: dict = field(default_factory=dict)

    def __post_init__(self):
        for name in ("Create", "List", "Delete"):
            of_one = "Schedules" if name == "List" else "Schedule"
            self.google.rpc(f"ScheduleService.{name}{of_one}", getattr(self, f"_{name.lower()}"))

    @property
    def shown(self):
        """By the names that people see."""
        return {each["displayName"]: each for each in self.kept.values()}

    def _create(self, call):
        asked = call.request["schedule"]
        request = asked.get("createPipelineJobRequest", {})
        if not re.fullmatch(r"(CRON_TZ=\S+ |TZ=\S+ )?\S+ \S+ \S+ \S+ \S+", asked.get("cron", "")):
            return refused(400, f"the schedule has no cron: {asked.get('cron')}")
        if request.get("parent") != call.request["parent"]:
            return refused(400, f"what it starts is in {request.get('parent')}")
        if wrong := faults(request["pipelineJob"]):
            return refused(400, "; ".join(wrong))
        name = f"{call.request['parent']}/schedules/{len(self.google.calls) + 1000}"
        self.kept[name] = {**asked, "name": name, "state": "ACTIVE"}
        return self.kept[name]

    def _list(self, call):
        found, at = list(self.kept.values()), int(call.request.get("pageToken") or 0)
        more = {"nextPageToken": str(at + 1)} if at + 1 < len(found) else {}
        return {"schedules": found[at : at + 1], **more}

    def _delete(self, call):
        if self.kept.pop(call.request["name"], None) is None:
            return refused(404, f"{call.request['name']} is not found")
        return self.google.operation(call, pending=1)


def faults(job):
    """What Vertex AI would refuse of a pipeline job's body."""
    found = [f"the label {key}: {value}" for key, value in job.get("labels", {}).items() if not LABEL.fullmatch(value)]
    if not job.get("runtimeConfig", {}).get("gcsOutputDirectory", "").startswith("gs://"):
        found.append("there is no gs:// for its artifacts")
    return [*found, *kfp_pipeline.shape(job.get("pipelineSpec", {}))]
