"""The how-to page "From an empty Google Cloud project", from the images on, followed to the letter."""

import re

import pytest
from clouds.gcp import pipelines
from support import template as templates
from support.google import BUCKET, PROJECT, Said
from support.google_images import Images
from support.vertex_runs import Runs, Schedules

PAGE = templates.ROOT / "docs/how-to/gcp.md"
BLOCK = re.compile(r"^```bash\n(.*?)^```$", re.MULTILINE | re.DOTALL)
# The store of the project is a file, which a pipeline elsewhere cannot reach.
ELSEWHERE = {"mlops submit": {"MLOPS_TRACKING_URI": pipelines.SETTINGS["MLOPS_TRACKING_URI"]}}


@pytest.fixture
def ready(project, google):
    """The project, committed, with both images there, pipelines that run to their end, and version 1 that serves."""
    project.serving(canary_minutes=0)
    project.commit()
    Runs(google)
    Schedules(google)
    images = Images(google)
    for target in ("pipeline", "serving"):
        repository = project.env[f"MLOPS_GCP_{target.upper()}_REPOSITORY"] = f"{pipelines.REPOSITORY}/{target}"
        images.push(repository, project.mlops("image", target).out.strip())
    series = f"/v3/projects/{PROJECT}/timeSeries"
    google.route("POST", r"monitoring\.googleapis\.com", series, lambda asked, match: Said(body={}))
    project.env["MLOPS_GCP_JOB_SERVICE_ACCOUNT"] = pipelines.JOBS
    project.env["MLOPS_LOG_URI"] = f"gs://{BUCKET}/logs/predictions"
    project.mlops("deploy", "--on", "gcp", "--model", "1")
    return project


def test_every_command_of_the_page_works(ready, google, endpoints, row):
    printed = {}
    for (text,) in (match.groups() for match in BLOCK.finditer(PAGE.read_text(encoding="utf-8"))):
        for command in text.splitlines():
            if "mlops monitor" in command:
                assert len(endpoints.invoke("flight-delays-dev", [row] * 300)) == 300
            env = next((env for start, env in ELSEWHERE.items() if start in command), {})
            printed[command] = ready.run("sh", "-ec", command, **env).out
    images, compiled, submitted, pulled, deployed, back, watched = _by_verb(printed)
    assert all("@sha256:" in image for image in images.splitlines())
    assert "build/gcp/pipeline.yaml" in compiled.splitlines()
    assert all((ready.path / line).is_file() for line in compiled.splitlines())
    assert submitted.endswith("judge: succeeded\nsucceeded\n")
    assert "models/bundle and reports/evaluation are those of the run" in pulled
    assert "serves version 2 of flight-delays" in deployed
    assert "version 1 of flight-delays" in back
    assert "report: reports/monitor/index.html" in watched
    (written,) = google.requests("POST", "/timeSeries")
    assert "custom.googleapis.com/mlops/Act" in [each["metric"]["type"] for each in written.body["timeSeries"]]


def _by_verb(printed):
    """What each verb said, in the page's order; the two images together."""
    found = {}
    for command, out in printed.items():
        verb = command.split()[3]
        found[verb] = found.get(verb, "") + out
    assert list(found) == ["image", "compile", "submit", "pull", "deploy", "rollback", "monitor"]
    return found.values()
