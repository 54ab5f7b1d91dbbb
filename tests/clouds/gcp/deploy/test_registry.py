"""Vertex AI's Model Registry shows what MLflow's has decided."""

import pytest


@pytest.fixture
def project(project):
    project.serving(canary_minutes=0)
    return project


def test_aliases_follow_the_registry(project, endpoints):
    project.mlops("deploy", "--on", "gcp", "--model", "1")
    # The champion is version 2, which was never deployed.
    assert endpoints.models.aliases("flight-delays") == {"default": "version: 1", "v1": "version: 1"}
    project.mlops("deploy", "--on", "gcp")
    both = {"v1": "version: 1", "v2": "version: 2"}
    assert endpoints.models.aliases("flight-delays") == {
        **both,
        "champion": "version: 2",
        "default": "version: 2",
    }
    project.mlops("rollback", "--on", "gcp", "--reason", "It is wrong.")
    assert endpoints.models.aliases("flight-delays") == {
        **both,
        "champion": "version: 1",
        "default": "version: 1",
    }


def test_a_version_says_where_it_comes_from(project, endpoints):
    project.mlops("deploy", "--on", "gcp")
    (model,) = endpoints.models.versions("flight-delays").values()
    lines = dict(line.split(": ", 1) for line in model["versionDescription"].splitlines())
    assert lines["version"] == "2"
    assert {"run", "commit", "gate", "metric brier"} <= set(lines)
    assert model["labels"] == {"project": "flight-delays", "environment": "dev", "managed-by": "mlops"}


def test_other_settings_of_the_server_move_the_alias(project, endpoints):
    """A version of Vertex AI's has its container's variables in it, so one of MLflow's may have several there."""
    project.mlops("deploy", "--on", "gcp")
    project.mlops("deploy", "--on", "gcp", MLOPS_LOG_REDACT="dest")
    first, second = endpoints.models.versions("flight-delays").values()
    assert "v2" in second["versionAliases"]
    assert {"v2", "champion", "default"} <= set(second["versionAliases"])
    assert [alias[:3] for alias in first["versionAliases"]] == ["v2-"]
    project.mlops("deploy", "--on", "gcp")
    assert len(endpoints.models.versions("flight-delays")) == 2
    assert {"v2", "champion"} <= set(first["versionAliases"])
