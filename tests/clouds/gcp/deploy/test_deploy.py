"""`mlops deploy --on gcp`: the first endpoint, a canary, what turns it back, and doing it again."""

import pytest
from clouds.gcp.deploy.conftest import IDENTITY, NAME, REPOSITORY
from support.google import BUCKET, LOCATION
from support.vertex_models import NUMBER

KEY = f"{LOCATION}/keyRings/mlops/cryptoKeys/dev"


def answering(endpoints, row):
    """The versions that answer ten requests."""
    return sorted(endpoints.invoke(NAME, [row])[0]["model_version"] for _ in range(10))


@pytest.fixture
def project(project):
    """The project, which waits no minutes at each step."""
    project.serving(canary_minutes=0)
    return project


def test_the_first_deployment_makes_an_endpoint_that_answers(project, endpoints, row):
    said = project.mlops("deploy", "--on", "gcp", MLOPS_GCP_KMS_KEY=KEY).out
    assert f"{NAME} serves version 2 of flight-delays." in said
    host = f"https://{NAME}.us-central1-{NUMBER}.prediction.vertexai.goog"
    assert f"{host}/v1/{LOCATION}/endpoints/{NAME}:predict" in said
    assert answering(endpoints, row) == ["2"] * 10
    assert endpoints.traffic(NAME) == {"v2": 100}
    live = endpoints.deployed(NAME, "v2")
    assert live["serviceAccount"] == IDENTITY
    assert live["dedicatedResources"] == {
        "machineSpec": {"machineType": "e2-standard-2"},
        "minReplicaCount": 2,
        "maxReplicaCount": 4,
        "autoscalingMetricSpecs": [
            {"metricName": "aiplatform.googleapis.com/prediction/online/request_count", "target": 1000}
        ],
    }
    endpoint = endpoints.kept[f"{LOCATION}/endpoints/{NAME}"]
    assert endpoint["encryptionSpec"] == {"kmsKeyName": KEY}
    assert endpoint["labels"].items() >= {"project": "flight-delays", "environment": "dev"}.items()
    assert project.deployed == {"mlops.deployed.dev": "2"}

    endpoints.changes()
    assert (
        f"Nothing to do: {NAME} serves version 2" in project.mlops("deploy", "--on", "gcp", MLOPS_GCP_KMS_KEY=KEY).out
    )
    assert endpoints.changes() == []
    # The same model with other settings of the server is another deployed model, and another version of Vertex AI's.
    assert "serves version 2" in project.mlops("deploy", "--on", "gcp", MLOPS_LOG_REDACT="dest,flight").out
    assert sum(endpoints.traffic(NAME).values()) == 100
    assert sorted(endpoints.models.versions("flight-delays")) == ["1", "2"]


def test_the_bundle_is_a_model_that_is_never_replaced(project, endpoints, storage):
    project.mlops("deploy", "--on", "gcp")
    stored = {name.partition("bundles/flight-delays/2/")[2] for name in storage.stored("bundles/")}
    assert {"bundle.json", "estimator.joblib", "code/flight_delays/features.py"} <= stored
    (model,) = endpoints.models.versions("flight-delays").values()
    assert model["artifactUri"] == f"gs://{BUCKET}/bundles/flight-delays/2"
    container = model["containerSpec"]
    assert container["imageUri"].startswith(f"{REPOSITORY}@sha256:")
    assert (container["predictRoute"], container["healthRoute"]) == ("/invocations", "/ping")
    assert {each["name"]: each["value"] for each in container["env"]} == {
        "MLOPS_ENVIRONMENT": "dev",
        "MLOPS_LOG_URI": f"gs://{BUCKET}/logs/predictions",
        "MLOPS_MODEL_NAME": "flight-delays",
        "MLOPS_MODEL_VERSION": "2",
    }
    model["versionAliases"] = [
        alias if alias.count("-") == 0 else f"v2-{'0' * 16}-{'0' * 16}" for alias in model["versionAliases"]
    ]
    assert "v2 of" in (told := project.refuses("deploy", "--on", "gcp", code=1))
    assert "is another bundle than version 2 in the registry" in told
    assert len(endpoints.models.versions("flight-delays")) == 1


def test_a_later_version_gets_a_tenth_then_all(project, endpoints, row):
    project.mlops("deploy", "--on", "gcp", "--model", "1")
    seen = []
    endpoints.turned = lambda traffic: seen.append((traffic, answering(endpoints, row)))
    said = project.mlops("deploy", "--on", "gcp").out
    assert seen[:2] == [({"v1": 90, "v2": 10}, ["1"] * 9 + ["2"]), ({"v2": 100}, ["2"] * 10)]
    assert "10 % of the requests go to version 2" in said
    assert said.index("10 % of the requests") < said.index("version 2 answers") < said.index("all requests go")
    assert "serves version 2 of flight-delays; version 1 served before." in said
    # It waits for a rollback at the least price.
    assert endpoints.sizes(NAME, "v1") == (1, 4)
    assert endpoints.sizes(NAME, "v2") == (2, 4)


@pytest.mark.parametrize("step", [0, 1])
def test_requests_that_fail_turn_it_back(project, endpoints, row, step):
    project.mlops("deploy", "--on", "gcp", "--model", "1")
    steps = iter(range(9))
    endpoints.turned = lambda traffic: endpoints.failing.update({"2": 5} if next(steps) == step else {})
    told = project.refuses("deploy", "--on", "gcp", code=1)
    assert "version 2 failed 5 % of its requests" in told
    assert "version 1 serves again" in told
    assert answering(endpoints, row) == ["1"] * 10
    assert endpoints.deployed(NAME, "v2") is None
    assert project.deployed == {"mlops.deployed.dev": "1"}


def test_what_else_the_metrics_say(project, endpoints, row):
    project.mlops("deploy", "--on", "gcp", "--model", "1")
    endpoints.slow = {"2": 900}
    assert "took up to 900 ms for 95 of 100 requests, and the one before 20 ms" in project.refuses(
        "deploy", "--on", "gcp", code=1
    )
    endpoints.slow, endpoints.lost = {}, {"2": 1}
    assert "version 2 has 1 of 2 replicas" in project.refuses("deploy", "--on", "gcp", code=1)
    endpoints.lost, endpoints.blind = {}, True
    assert "version 2 cannot be watched" in project.refuses("deploy", "--on", "gcp", code=1)
    assert answering(endpoints, row) == ["1"] * 10
    # What the version before fails at as well is no reason to go back to it.
    endpoints.blind, endpoints.failing = False, {"1": 5, "2": 5}
    assert "serves version 2" in project.mlops("deploy", "--on", "gcp").out


def test_a_version_that_does_not_start_changes_nothing(project, endpoints, row):
    endpoints.dead = {"2"}
    told = project.refuses("deploy", "--on", "gcp", code=1)
    assert "Model server exited unexpectedly" in told
    assert "nothing served before" in told
    project.mlops("deploy", "--on", "gcp", "--model", "1")
    assert "version 1 serves again" in project.refuses("deploy", "--on", "gcp", code=1)
    assert answering(endpoints, row) == ["1"] * 10
    assert endpoints.deployed(NAME, "v2") is None


@pytest.mark.parametrize("mute", [False, True])
def test_a_version_that_does_not_answer_a_row_keeps_no_request(project, endpoints, row, mute):
    """Also where an error does not say whose it is."""
    project.mlops("deploy", "--on", "gcp", "--model", "1")
    endpoints.sick, endpoints.mute = {"2"}, mute
    turned = []
    endpoints.turned = turned.append
    told = project.refuses("deploy", "--on", "gcp", code=1)
    assert "the model failed on these rows" in told
    assert ("does not answer a row of its own, but says 500" in told) == (not mute)
    assert "version 1 serves again" in told
    assert turned == [{"v1": 90, "v2": 10}, {"v1": 100}]
    assert endpoints.deployed(NAME, "v2") is None
    assert endpoints.requests["v2"] <= 14


def test_the_first_version_that_does_not_answer_is_taken_away(project, endpoints):
    endpoints.sick = {"2"}
    assert "nothing served before" in project.refuses("deploy", "--on", "gcp", code=1)
    assert endpoints.traffic(NAME) == {}
    assert endpoints.deployed(NAME, "v2") is None


def test_an_endpoint_that_cannot_be_asked_is_left_as_it_was(project, endpoints, row):
    """Whoever deploys may lack the right to ask, which says nothing of the version."""
    project.mlops("deploy", "--on", "gcp", "--model", "1")
    endpoints.denied = True
    told = project.refuses("deploy", "--on", "gcp", code=1)
    assert "version 2 is deployed, but cannot be asked" in told
    endpoints.denied = False
    assert answering(endpoints, row) == ["1"] * 10
    endpoints.changes()
    assert "serves version 2" in project.mlops("deploy", "--on", "gcp").out
    assert "DeployModel" not in endpoints.changes()


def test_it_goes_on_after_a_kill_at_any_step(project, endpoints, row):
    project.mlops("deploy", "--on", "gcp", "--model", "1")
    project.serving(max_instances=5)
    steps = ["UploadModel", "MergeVersionAliases", "DeployModel", "UpdateEndpoint", ":rawPredict", "timeSeries"]
    for step in [*steps, "UpdateEndpoint", "UpdateEndpoint", "UpdateEndpoint", "MutateDeployedModel", "UpdateModel"]:
        endpoints.after = {step: project.kill}
        done = project.mlops("deploy", "--on", "gcp", code=None)
        assert done.code == -9, (step, done)
        assert sum(endpoints.traffic(NAME).values()) == 100
    endpoints.after = {}
    project.mlops("deploy", "--on", "gcp")
    assert answering(endpoints, row) == ["2"] * 10
    assert endpoints.sizes(NAME, "v2") == (2, 5)
    assert project.deployed == {"mlops.deployed.dev": "2"}
    assert len(endpoints.models.versions("flight-delays")) == 2
    assert "Nothing to do" in project.mlops("deploy", "--on", "gcp").out


def test_what_someone_else_began_is_waited_for(project, endpoints, row):
    project.mlops("deploy", "--on", "gcp", "--model", "1")
    endpoints.pending, endpoints.after = 3, {"DeployModel": project.kill}
    assert project.mlops("deploy", "--on", "gcp", code=None).code == -9
    endpoints.after = {}
    endpoints.changes()
    said = project.mlops("deploy", "--on", "gcp").out
    assert "which is under way" in said
    assert "DeployModel" not in endpoints.changes()
    assert answering(endpoints, row) == ["2"] * 10


def test_the_number_of_replicas_follows(project, endpoints):
    project.serving(max_instances=5, requests_per_minute=600)
    project.mlops("deploy", "--on", "gcp")
    said = endpoints.deployed(NAME, "v2")["dedicatedResources"]
    assert (said["minReplicaCount"], said["maxReplicaCount"]) == (2, 5)
    assert [each["target"] for each in said["autoscalingMetricSpecs"]] == [600]
    endpoints.changes()
    project.serving(min_instances=3, max_instances=3)
    project.mlops("deploy", "--on", "gcp")
    assert endpoints.changes() == ["MutateDeployedModel"]
    assert endpoints.sizes(NAME, "v2") == (3, 3)
    assert "Nothing to do" in project.mlops("deploy", "--on", "gcp").out
