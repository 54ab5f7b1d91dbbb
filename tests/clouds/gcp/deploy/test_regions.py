"""Two regions: both serve, and one goes on when the other is taken away."""

import pytest
from clouds.gcp.deploy.conftest import NAME, REPOSITORY
from support.deployed import serving_tag
from support.google import LOCATION as MAIN
from support.google import LOST, RECOVERY, REGION

OTHER = MAIN.replace(REGION, RECOVERY)
BOTH = {"MLOPS_GCP_RECOVERY_ENDPOINT": "true"}


@pytest.fixture
def project(project):
    project.serving(canary_minutes=0)
    return project


def version_in(endpoints, place, row):
    return endpoints.invoke(NAME, [row], place)[0]["model_version"]


def away(google, region):
    google.rule = lambda asked: LOST if region in asked.host else None


def test_one_region_is_taken_away(project, google, endpoints, row):
    said = project.mlops("deploy", "--on", "gcp", "--model", "1", **BOTH).out
    assert f"{REGION}: version 1 answers" in said
    assert f"{RECOVERY}: version 1 answers" in said
    assert version_in(endpoints, MAIN, row) == version_in(endpoints, OTHER, row) == "1"
    assert list(endpoints.models.versions("flight-delays", OTHER)) == ["1"]
    assert "Nothing to do" in project.mlops("deploy", "--on", "gcp", "--model", "1", **BOTH).out

    away(google, RECOVERY)
    told = project.refuses("deploy", "--on", "gcp", code=1, **BOTH)
    assert f"version 2 serves in {REGION}, but not in {RECOVERY}" in told
    assert version_in(endpoints, MAIN, row) == "2"
    assert version_in(endpoints, OTHER, row) == "1", "what serves there goes on serving"

    google.rule = lambda asked: None
    project.mlops("deploy", "--on", "gcp", **BOTH)
    assert version_in(endpoints, OTHER, row) == "2"
    project.mlops("rollback", "--on", "gcp", "--reason", "It is wrong.", **BOTH)
    assert version_in(endpoints, MAIN, row) == version_in(endpoints, OTHER, row) == "1"


def test_a_region_is_encrypted_by_a_key_of_its_own(project, endpoints):
    key = {"MLOPS_GCP_KMS_KEY": f"{MAIN}/keyRings/mlops/cryptoKeys/dev"}
    told = project.refuses("deploy", "--on", "gcp", code=2, **BOTH, **key)
    assert "MLOPS_GCP_RECOVERY_KMS_KEY is not set" in told
    other = f"{OTHER}/keyRings/mlops/cryptoKeys/dev"
    project.mlops("deploy", "--on", "gcp", **BOTH, **key, MLOPS_GCP_RECOVERY_KMS_KEY=other)
    assert endpoints.kept[f"{OTHER}/endpoints/{NAME}"]["encryptionSpec"] == {"kmsKeyName": other}


def test_without_another_region_it_is_refused(project, google, images):
    project.edit("pyproject.toml", f'recovery_region = "{RECOVERY}"', f'recovery_region = "{REGION}"')
    images.push(REPOSITORY, serving_tag(project))  # the file is part of the image
    told = project.refuses("deploy", "--on", "gcp", code=2, **BOTH)
    assert "names no other region; set recovery_region there" in told
    assert google.calls == []
