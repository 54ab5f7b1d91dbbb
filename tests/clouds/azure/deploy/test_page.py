"""The how-to page "From an empty Azure subscription", from the images on, followed to the letter."""

import re

import pytest
from clouds.azure import pipelines
from clouds.azure.pipelines import computes
from support import template as templates
from support.azure_ml import Said
from support.azure_runs import Images, Runs

PAGE = templates.ROOT / "docs/how-to/azure.md"
BLOCK = re.compile(r"^```bash\n(.*?)^```$", re.MULTILINE | re.DOTALL)
# The store of the project is a file, which a pipeline elsewhere cannot reach.
ELSEWHERE = {"mlops submit": {"MLOPS_TRACKING_URI": pipelines.TRACKING}}


@pytest.fixture
def ready(project, azure):
    """The project, committed, with both images there, pipelines that run to their end, and version 1 that serves."""
    project.serving(canary_minutes=0)
    project.commit()
    Runs(azure)
    images = Images(azure)
    for target in ("pipeline", "serving"):
        project.env[f"MLOPS_AZURE_{target.upper()}_REPOSITORY"] = f"{azure.host}/flight-delays/{target}"
        images.push(f"flight-delays/{target}", project.mlops("image", target).out.strip())
    computes(azure)
    azure.route("POST", "/v2.1/track", lambda asked, match: Said(body={"itemsReceived": 1, "itemsAccepted": 1}))
    key = "11111111-2222-3333-4444-555555555555"
    project.env["MLOPS_AZURE_APPLICATION_INSIGHTS"] = f"InstrumentationKey={key};IngestionEndpoint={azure.url}"
    project.env["MLOPS_AZURE_CLUSTERS"] = pipelines.CLUSTERS
    project.env["MLOPS_AZURE_JOB_IDENTITY"] = pipelines.IDENTITY
    account = project.env["MLOPS_AZURE_STORAGE_ACCOUNT"]
    project.env["MLOPS_LOG_URI"] = f"abfs://mlops@{account}.dfs.core.windows.net/logs/predictions"
    project.mlops("deploy", "--on", "azure", "--model", "1")
    return project


def test_every_command_of_the_page_works(ready, azure, endpoints, row):
    printed = {}
    for (text,) in (match.groups() for match in BLOCK.finditer(PAGE.read_text(encoding="utf-8"))):
        for command in text.splitlines():
            if "mlops monitor" in command:
                assert len(endpoints.invoke("flight-delays-dev", [row] * 300)) == 300
            env = next((env for start, env in ELSEWHERE.items() if start in command), {})
            printed[command] = ready.run("sh", "-ec", command, **env).out
    images, compiled, submitted, pulled, deployed, back, watched = _by_verb(printed)
    assert all("@sha256:" in image for image in images.splitlines())
    assert "build/azure/pipeline.yml" in compiled.splitlines()
    assert all((ready.path / line).is_file() for line in compiled.splitlines())
    assert submitted.endswith("judge: succeeded\nsucceeded\n")
    assert "models/bundle and reports/evaluation are those of the run" in pulled
    assert "serves version 2 of flight-delays" in deployed
    assert "version 1 of flight-delays" in back
    assert "report: reports/monitor/index.html" in watched
    assert azure.requests("POST", "/v2.1/track")


def _by_verb(printed):
    """What each verb said, in the page's order; the two images together."""
    found = {}
    for command, out in printed.items():
        verb = command.split()[3]
        found[verb] = found.get(verb, "") + out
    assert list(found) == ["image", "compile", "submit", "pull", "deploy", "rollback", "monitor"]
    return found.values()
