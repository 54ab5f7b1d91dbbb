"""`mlops deploy --on azure`: the first endpoint, copies and a canary, what turns it back, and doing it again."""

import pytest
from clouds.azure.deploy.conftest import NAME, REPOSITORY
from support.azure import ACCOUNT, CONTAINER
from support.azure_endpoints import CLIENT
from support.azure_ml import PLACE


def answering(endpoints, row):
    """The versions that answer ten requests."""
    return sorted(endpoints.invoke(NAME, [row])[0]["model_version"] for _ in range(10))


@pytest.fixture
def project(project):
    """The project, which waits no minutes at each step."""
    project.serving(canary_minutes=0)
    return project


def test_the_first_deployment_makes_an_endpoint_that_answers(project, endpoints, azure, row):
    said = project.mlops("deploy", "--on", "azure").out
    assert f"{NAME} serves version 2 of flight-delays." in said
    assert f"{azure.url}/score{PLACE}/onlineEndpoints/{NAME}" in said
    assert answering(endpoints, row) == ["2"] * 10
    blue = endpoints.serving(NAME)
    assert (blue["properties"]["instanceType"], blue["sku"]["capacity"]) == ("Standard_D2as_v4", 2)
    assert blue["properties"]["environmentVariables"] == {
        "AZURE_CLIENT_ID": CLIENT,
        "AZURE_STORAGE_ACCOUNT_NAME": ACCOUNT,
        "MLOPS_ENVIRONMENT": "dev",
        "MLOPS_LOG_URI": f"abfs://{CONTAINER}@{ACCOUNT}.dfs.core.windows.net/logs/predictions",
        "MLOPS_MODEL_NAME": "flight-delays",
        "MLOPS_MODEL_VERSION": "2",
    }
    (environment,) = azure.of("environments/versions").values()
    assert environment["properties"]["image"].startswith(f"{azure.host}/{REPOSITORY}@sha256:")
    assert azure.of("onlineEndpoints")[NAME]["properties"]["authMode"] == "AADToken"
    assert project.deployed == {"mlops.deployed.dev": "2"}

    endpoints.changes()
    assert f"Nothing to do: {NAME} serves version 2" in project.mlops("deploy", "--on", "azure").out
    assert endpoints.changes() == []
    # The same model with other settings of the server is another deployment.
    assert "serves version 2" in project.mlops("deploy", "--on", "azure", MLOPS_LOG_REDACT="dest,flight").out
    assert endpoints.serving(NAME)["name"] == "green"


def test_the_bundle_is_a_model_asset_that_is_never_replaced(project, azure, storage):
    project.mlops("deploy", "--on", "azure")
    stored = {name.partition("bundles/flight-delays/2/")[2] for name in storage.stored("bundles/")}
    assert {"bundle.json", "estimator.joblib", "code/flight_delays/features.py"} <= stored
    name = f"{PLACE}/models/flight-delays-bundle/versions/2".lower()
    told = azure.resources[name]["properties"]
    assert told["modelUri"].endswith("/datastores/mlops/paths/bundles/flight-delays/2")
    assert {"mlops.run", "mlops.commit", "mlops.metric brier"} <= set(told["tags"])
    assert told["tags"]["mlops.standing"] == "champion"
    told["tags"]["mlops.sha256"] = "another"
    assert "is another bundle than version 2" in project.refuses("deploy", "--on", "azure", code=1)


def test_a_later_version_gets_copies_then_a_tenth_then_all(project, endpoints, row):
    project.mlops("deploy", "--on", "azure", "--model", "1")
    seen = []
    endpoints.turned = lambda traffic, copies: seen.append((traffic, copies, answering(endpoints, row)))
    said = project.mlops("deploy", "--on", "azure").out
    assert seen[:3] == [
        ({"blue": 100}, {"green": 10}, ["1"] * 10),
        ({"blue": 90, "green": 10}, {}, ["1"] * 9 + ["2"]),
        ({"green": 100}, {}, ["2"] * 10),
    ]
    assert "green gets copies of 10 % of the requests, and answers nobody" in said
    assert "serves version 2 of flight-delays; version 1 served before." in said
    # It waits for a rollback at the least price.
    assert endpoints.deployment(NAME, "blue")["sku"]["capacity"] == 1


@pytest.mark.parametrize("step", [0, 1, 2])
def test_requests_that_fail_turn_it_back(project, endpoints, row, step):
    project.mlops("deploy", "--on", "azure", "--model", "1")
    steps = iter(range(9))
    endpoints.turned = lambda traffic, copies: endpoints.failing.update({"2": 5} if next(steps) == step else {})
    told = project.refuses("deploy", "--on", "azure", code=1)
    assert "version 2 failed 5 % of its requests" in told
    assert "version 1 serves again" in told
    assert answering(endpoints, row) == ["1"] * 10
    assert endpoints.deployment(NAME, "green") is None
    assert project.deployed == {"mlops.deployed.dev": "1"}


def test_what_else_the_metrics_say(project, endpoints, row):
    project.mlops("deploy", "--on", "azure", "--model", "1")
    endpoints.slow = {"2": 900}
    assert "took up to 900 ms for nine of ten requests, and the one before 20 ms" in project.refuses(
        "deploy", "--on", "azure", code=1
    )
    endpoints.slow, endpoints.blind = {}, True
    assert "version 2 cannot be watched" in project.refuses("deploy", "--on", "azure", code=1)
    assert answering(endpoints, row) == ["1"] * 10
    # What the version before fails at as well is no reason to go back to it.
    endpoints.blind, endpoints.failing = False, {"1": 5, "2": 5}
    assert "serves version 2" in project.mlops("deploy", "--on", "azure").out


def test_a_version_that_does_not_start_changes_nothing(project, endpoints, row):
    endpoints.dead = {"2"}
    told = project.refuses("deploy", "--on", "azure", code=1)
    assert "User container has crashed or terminated" in told
    assert "nothing served before" in told
    project.mlops("deploy", "--on", "azure", "--model", "1")
    assert "version 1 serves again" in project.refuses("deploy", "--on", "azure", code=1)
    assert answering(endpoints, row) == ["1"] * 10
    assert endpoints.deployment(NAME, "green") is None


def test_a_version_that_does_not_answer_a_row_gets_no_request(project, endpoints, row):
    project.mlops("deploy", "--on", "azure", "--model", "1")
    endpoints.sick = {"2"}
    turned = []
    endpoints.turned = lambda *shares: turned.append(shares)
    told = project.refuses("deploy", "--on", "azure", code=1)
    assert "version 2 does not answer a row of its own, but says 424" in told
    assert "version 1 serves again" in told
    assert all(shares == ({"blue": 100}, {}) for shares in turned)
    assert endpoints.deployment(NAME, "green") is None


def test_a_deployment_that_cannot_be_asked_is_left_alone(project, endpoints, row):
    """Whoever deploys may lack the right to ask, which says nothing of the version."""
    project.mlops("deploy", "--on", "azure", "--model", "1")
    endpoints.denied = True
    told = project.refuses("deploy", "--on", "azure", code=1)
    assert "version 2 is deployed, but cannot be asked" in told
    assert answering(endpoints, row) == ["1"] * 10
    endpoints.denied = False
    endpoints.changes()
    assert "serves version 2" in project.mlops("deploy", "--on", "azure").out
    assert [each for each in endpoints.changes() if each.endswith("deployments/green")] == []


def test_it_goes_on_after_a_kill_at_any_step(project, endpoints, row):
    project.mlops("deploy", "--on", "azure", "--model", "1")
    project.serving(max_instances=5)
    turned = f"PUT {PLACE}/onlineEndpoints/{NAME}"
    steps = ["models/flight-delays-bundle/versions/2", "deployments/green", "POST /score", turned, "Insights/metrics"]
    for step in [*steps, turned, turned, turned, "autoscaleSettings", "deployments/blue"]:
        endpoints.after = {step: project.kill}
        done = project.mlops("deploy", "--on", "azure", code=None)
        assert done.code == -9, (step, done)
    endpoints.after = {}
    project.mlops("deploy", "--on", "azure")
    assert answering(endpoints, row) == ["2"] * 10
    assert project.deployed == {"mlops.deployed.dev": "2"}
    assert "Nothing to do" in project.mlops("deploy", "--on", "azure").out


def test_rules_for_the_number_of_instances(project, endpoints, azure):
    project.serving(max_instances=5, requests_per_minute=600)
    project.mlops("deploy", "--on", "azure")
    (setting,) = endpoints.scaling.values()
    (profile,) = setting["properties"]["profiles"]
    assert profile["capacity"] == {"minimum": "2", "maximum": "5", "default": "2"}
    up = profile["rules"][0]["metricTrigger"]
    assert (up["metricName"], up["threshold"], up["dividePerInstance"]) == ("RequestsPerMinute", 600.0, True)
    assert up["dimensions"] == [{"DimensionName": "deployment", "Operator": "Equals", "Values": ["blue"]}]
    project.serving(max_instances=2)
    project.mlops("deploy", "--on", "azure")
    assert not endpoints.scaling
    project.serving(min_instances=3, max_instances=3)
    project.mlops("deploy", "--on", "azure")
    assert endpoints.serving(NAME)["sku"]["capacity"] == 3


def test_what_azure_cannot_do_is_refused_before_it_is_asked(project, azure):
    for values, why in (
        ({"serverless": True}, "set serverless: false"),
        ({"serverless": False, "cpu": 500}, "no machine of an endpoint has cpu 500"),
    ):
        project.serving(**values)
        assert why in project.refuses("deploy", "--on", "azure", code=2)
    assert not [asked for asked in azure.asked if asked.method == "PUT"]
