"""The how-to page "From an empty AWS account", from the images on, followed to the letter."""

import json
import re

import pytest
from clouds.aws import pipelines
from support import template as templates
from support.executions import Executions
from support.front import front as fronts

PAGE = templates.ROOT / "docs/how-to/aws.md"
BLOCK = re.compile(r"^```bash\n(.*?)^```$", re.MULTILINE | re.DOTALL)
# The store of the project is a file, which a pipeline elsewhere cannot reach.
ELSEWHERE = {"mlops submit": {"MLOPS_TRACKING_URI": pipelines.TRACKING}}


@pytest.fixture
def ready(project, front):
    """The project, committed, with both images there and pipelines that run to their end."""
    project.commit()
    tag = project.mlops("image", "pipeline").out.strip()
    ecr = front.client("ecr")
    ecr.create_repository(repositoryName=pipelines.REPOSITORY)
    manifest = {"schemaVersion": 2, "mediaType": "application/vnd.oci.image.manifest.v1+json", "of": tag}
    ecr.put_image(repositoryName=pipelines.REPOSITORY, imageManifest=json.dumps(manifest), imageTag=tag)
    with fronts(front.cloud.url) as shown:
        shown.rule = Executions(front.cloud).rule
        said = {name: value for name, value in pipelines.SETTINGS.items() if name != "MLOPS_TRACKING_URI"}
        project.env.update({**said, "AWS_ENDPOINT_URL": shown.url, "MLOPS_LOG_URI": f"s3://{pipelines.BUCKET}/logs"})
        yield project


def test_every_command_of_the_page_works(ready, front, row):
    printed = {}
    for (text,) in (match.groups() for match in BLOCK.finditer(PAGE.read_text(encoding="utf-8"))):
        for command in text.splitlines():
            if "mlops monitor" in command:
                assert len(front.invoke("flight-delays-dev", [row] * 300)) == 300
            env = next((env for start, env in ELSEWHERE.items() if start in command), {})
            printed[command] = ready.run("sh", "-ec", command, **env).out
    images, compiled, submitted, pulled, deployed, back, watched = _by_verb(printed)
    assert all("@sha256:" in image for image in images.splitlines())
    assert compiled.strip() == "build/aws/pipeline.json"
    assert (ready.path / compiled.strip()).is_file()
    assert submitted.endswith("judge: succeeded\nsucceeded\n")
    assert "models/bundle and reports/evaluation are those of the run" in pulled
    assert "serves version 2 of flight-delays" in deployed
    assert "version 1 of flight-delays" in back
    assert "report: reports/monitor/index.html" in watched


def _by_verb(printed):
    """What each verb said, in the page's order; the two images together."""
    found = {}
    for command, out in printed.items():
        verb = command.split()[3]
        found[verb] = found.get(verb, "") + out
    assert list(found) == ["image", "compile", "submit", "pull", "deploy", "rollback", "monitor"]
    return found.values()
