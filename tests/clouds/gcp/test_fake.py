"""The Google of the tests refuses what Google would: who is not logged in, and what there is none of."""

import pytest
from support.google import LOCATION, PROJECT, Asked
from support.vertex_runs import Runs

VERTEX = "us-central1-aiplatform.googleapis.com"
JOBS = f"/v1/{LOCATION}/pipelineJobs"
JOB = {"displayName": "x", "runtimeConfig": {"gcsOutputDirectory": "gs://bucket/pipeline"}}
LOGIN = {"Authorization": "Bearer ya29.1"}


@pytest.fixture
def ask(google):
    """`ask(...)` gives the status and what was said."""
    Runs(google)
    google._given.add("ya29.1")

    def ask(method="POST", host=VERTEX, path=JOBS, body=None, headers=LOGIN, **query):
        options = {"pipelineJobId": "x", **query} if method == "POST" else query
        said = google.answer(Asked(method, host, path, list(options.items()), headers, body))
        return said.status, said.body.get("error", {}).get("message", said.body)

    return ask


def test_what_is_asked_well_is_answered(ask):
    status, job = ask(body=JOB)
    assert (status, job["name"]) == (200, f"{LOCATION}/pipelineJobs/x")
    assert ask("GET", path=f"{JOBS}/x")[1]["state"] == "PIPELINE_STATE_SUCCEEDED"
    assert ask(body=JOB) == (409, f"{LOCATION}/pipelineJobs/x already exists")


REFUSED = {
    "a host that is none": (404, {"host": "us-central1-aiplatform.example.com"}),
    "a path that is none": (404, {"path": f"/v1/{LOCATION}/pipelineWork"}),
    "a method that nobody plays": (404, {"path": f"/v1/{LOCATION}/customJobs"}),
    "nobody": (401, {"headers": {}}),
    "a token of nobody's": (401, {"headers": {"Authorization": "Bearer a.b.c"}}),
    "an unknown field": (400, {"body": {**JOB, "tags": {}}}),
    "an unknown field within": (400, {"body": {**JOB, "runtimeConfig": {**JOB["runtimeConfig"], "root": "gs://x"}}}),
    "a field of another type": (400, {"body": {**JOB, "labels": ["x"]}}),
    "a field that is missing": (400, {"body": {**JOB, "runtimeConfig": {"parameterValues": {}}}}),
    "an unknown option": (400, {"force": "true"}),
    "no JSON": (400, {"body": b"{"}),
    "another region": (400, {"host": "europe-west4-aiplatform.googleapis.com"}),
    "another's project": (403, {"path": JOBS.replace(PROJECT, "elsewhere")}),
    "an id in capitals": (400, {"pipelineJobId": "X"}),
}


def test_what_google_would_refuse_is_refused(ask, google):
    for name, (status, asked) in REFUSED.items():
        found, said = ask(**{"body": JOB, **asked})
        assert found == status, f"{name}: {found} {said}"
    assert ask("GET", path=f"{JOBS}/x")[0] == 404, "nothing was made"
