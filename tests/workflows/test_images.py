"""image.yml is run with act: what is not there is built, scanned, pushed and signed; what is there is left alone."""

import json

import pytest
from support import workspace as workspaces
from support.aws import ACCOUNT, REGION

HOST = f"{ACCOUNT}.dkr.ecr.{REGION}.amazonaws.com"
DIGEST = f"sha256:{'5' * 64}"
ATTEST = """
[ "$INPUT_PUSH_TO_REGISTRY" = true ]
[ -z "$INPUT_SBOM_PATH" ] || [ -f "$INPUT_SBOM_PATH" ]
echo "$INPUT_SUBJECT_NAME@$INPUT_SUBJECT_DIGEST $INPUT_SBOM_PATH" >>"$STUBS/signed"
"""
SBOM = 'echo "{}" >"$INPUT_OUTPUT_FILE"; echo "$INPUT_IMAGE" >>"$STUBS/listed"'


@pytest.fixture
def images(site, aws, project):
    """The repository and its tags; `tags` has those that its files make."""
    here = workspaces.workspace(project(clouds=["aws"]))
    (here.path / "uv.lock").touch()
    there = site(here)
    there.stubs |= {"actions/attest": ATTEST, "anchore/sbom-action": SBOM}
    for target in ("pipeline", "serving"):
        aws.client("ecr").create_repository(repositoryName=f"flight-delays-{target}")
    there.tags = {target: here.mlops("image", target).out.strip() for target in ("pipeline", "serving")}
    return there


def test_only_what_is_not_there_is_built(images, aws):
    manifest = json.dumps({"schemaVersion": 2, "mediaType": "application/vnd.oci.image.manifest.v1+json"})
    kept = {"repositoryName": "flight-delays-pipeline", "imageTag": images.tags["pipeline"]}
    aws.client("ecr").put_image(imageManifest=manifest, **kept)
    repository = f"{HOST}/flight-delays-serving"
    image = f"{repository}:{images.tags['serving']}"
    images.programs.answer(
        (["docker", "inspect"], json.dumps([{"RepoDigests": [f"other@{DIGEST}", f"{repository}@{DIGEST}"]}]), 0)
    )

    images.run("push", "image.yml", MLOPS_BUILD_ARGS="BASE_IMAGE=mirror/debian\nHTTPS_PROXY=http://proxy")

    build, scan, push, inspect = images.programs.asked("docker")
    assert build[build.index("--target") + 1] == "serving"
    assert build[build.index("--tag") + 1] == image
    version = f"VERSION={images.tags['serving']}"
    assert {"BASE_IMAGE=mirror/debian", "HTTPS_PROXY=http://proxy", version} <= set(build)
    assert "id=netrc,env=NETRC" in build
    assert scan[-4:] == [f"docker:{image}", "--only-fixed", "--fail-on", "high"]
    assert push == ["push", "--quiet", image]
    assert inspect[-1] == image
    assert images.lines("listed") == [image]
    assert images.lines("signed") == [f"{repository}@{DIGEST} ", f"{repository}@{DIGEST} sbom.spdx.json"]
    assert [line.rpartition("/")[2] for line in images.lines("logins")] == ["train", "train"]
    assert images.lines("registries") == [ACCOUNT, ACCOUNT]


def test_an_image_that_the_scan_refuses_is_not_pushed(images):
    images.programs.answer((["docker", "run"], "a fault that is mended elsewhere\n", 2))
    done = images.run("workflow_dispatch", "image.yml", code=1)
    assert done.out.count("a fault that is mended elsewhere") == 2
    assert len(images.programs.asked("docker", "buildx")) == 2
    assert images.programs.asked("docker", "push") == []
    assert images.lines("signed") == []
