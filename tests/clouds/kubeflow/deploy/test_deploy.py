"""`mlops deploy --on kubeflow`: the first endpoint, a canary, what turns it back, doing it again, and going back."""

import pytest
from clouds.kubeflow.deploy.conftest import NAME, REPOSITORY
from clouds.kubeflow.pipelines import say
from support.deployed import serving_tag

DEPLOY = ("deploy", "--on", "kubeflow")
WHY = ("--reason", "The figures look wrong.")


def test_the_first_deployment_makes_an_endpoint_that_answers(project, services, registry, row):
    said = project.mlops(*DEPLOY).out
    assert f"{NAME} serves version 2 of flight-delays." in said
    assert f"http://{NAME}.{NAME}.example.com/invocations" in said
    assert services.answering(row) == {"2": 100}
    predictor = services.service["spec"]["predictor"]
    assert (predictor["minReplicas"], predictor["maxReplicas"]) == (2, 4)
    assert (predictor["scaleMetric"], predictor["scaleTarget"]) == ("rps", 17)
    assert predictor["serviceAccountName"] == "endpoint"
    assert "canaryTrafficPercent" not in predictor
    (container,) = predictor["containers"]
    assert container["image"].startswith(f"{registry.host}/{REPOSITORY}@sha256:")
    variables = {each["name"]: each.get("value", each.get("valueFrom")) for each in container["env"]}
    assert variables["STORAGE_URI"] == f"s3://{NAME}/bundles/flight-delays/2/"
    assert variables["MLOPS_LOG_URI"] == f"s3://{NAME}/logs/predictions"
    assert variables["AWS_SECRET_ACCESS_KEY"] == {
        "secretKeyRef": {"name": "object-store", "key": "AWS_SECRET_ACCESS_KEY"}
    }
    assert services.service["metadata"]["annotations"] == {"serving.kserve.io/deploymentMode": "Serverless"}
    assert project.deployed == {"mlops.deployed.dev": "2"}

    services.changes()
    assert f"Nothing to do: {NAME} serves version 2" in project.mlops(*DEPLOY).out
    assert services.changes() == []
    # The same model with other settings of the server is another revision.
    assert "serves version 2" in project.mlops(*DEPLOY, MLOPS_LOG_REDACT="dest,flight").out
    assert len(services.revisions) == 2


def test_the_bundle_is_never_replaced(project, bucket):
    project.mlops(*DEPLOY)
    s3 = bucket.client("s3")
    key = "bundles/flight-delays/2/bundle.json"
    keys = {each["Key"] for each in s3.list_objects_v2(Bucket=NAME, Prefix="bundles/")["Contents"]}
    assert {key, "bundles/flight-delays/2/code/flight_delays/features.py"} <= keys
    s3.put_object(Bucket=NAME, Key=key, Body=b"{}", Metadata={"sha256": "another"})
    assert "holds another bundle than version 2" in project.refuses(*DEPLOY, code=1)
    # One that was cut short has no such file yet, and is brought again.
    s3.delete_object(Bucket=NAME, Key=key)
    assert "Nothing to do" in project.mlops(*DEPLOY).out
    s3.close()


def test_a_later_version_gets_a_tenth_then_all(project, services, row):
    project.mlops(*DEPLOY, "--model", "1")
    seen = []
    services.turned = lambda shares: seen.append((dict(shares), services.answering(row)))
    said = project.mlops(*DEPLOY).out
    assert seen == [
        ({"1": 90, "2": 10}, {"1": 90, "2": 10}),
        ({"2": 100}, {"2": 100}),
    ]
    assert "version 2 answers" in said
    assert "serves version 2 of flight-delays; version 1 served before." in said


@pytest.mark.parametrize("step", [0, 1])
def test_requests_that_fail_turn_it_back(project, services, row, step):
    project.mlops(*DEPLOY, "--model", "1")
    steps = iter(range(9))
    services.turned = lambda shares: services.failing.update({"2": 50} if next(steps) == step else {})
    told = project.refuses(*DEPLOY, code=1)
    assert "version 2 failed 50 % of its requests" in told
    assert "version 1 serves again" in told
    assert services.answering(row) == {"1": 100}
    assert project.deployed == {"mlops.deployed.dev": "1"}
    # Once it is mended it is served: another image or other settings are another revision.
    services.turned, services.failing = lambda shares: None, {}
    assert "serves version 2" in project.mlops(*DEPLOY, MLOPS_LOG_SECONDS="30").out
    assert services.answering(row) == {"2": 100}


def test_what_else_the_metrics_say(project, services, cluster, row):
    project.mlops(*DEPLOY, "--model", "1")
    services.slow = {"2": 900}
    assert "took 900 ms for a request, and the one before 20 ms" in project.refuses(*DEPLOY, code=1)
    services.slow, cluster.forbidden = {}, ("/proxy/metrics",)
    told = project.refuses(*DEPLOY, code=1, MLOPS_LOG_SECONDS="30")
    assert "version 2 cannot be watched" in told
    assert "the cluster says 403" in told
    assert services.answering(row) == {"1": 100}
    # What the version before fails at as well is no reason to go back to it.
    cluster.forbidden, services.failing = (), {"1": 50, "2": 50}
    assert "serves version 2" in project.mlops(*DEPLOY, MLOPS_LOG_SECONDS="31").out


def test_a_version_that_does_not_start_changes_nothing(project, services, row):
    services.dead = {"2"}
    told = project.refuses(*DEPLOY, code=1)
    assert "version 2 does not start: Container failed with: no such model; nothing served before" in told
    assert services.service is None
    project.mlops(*DEPLOY, "--model", "1")
    assert "version 1 serves again" in project.refuses(*DEPLOY, code=1)
    assert services.answering(row) == {"1": 100}
    assert f"Nothing to do: {NAME} serves version 1" in project.mlops(*DEPLOY, "--model", "1").out


def test_a_version_that_does_not_answer_a_row_gets_no_request(project, services, cluster, row):
    project.mlops(*DEPLOY, "--model", "1")
    services.sick, seen = {"2"}, []
    services.turned = lambda shares: seen.append(dict(shares))
    told = project.refuses(*DEPLOY, code=1)
    assert "version 2 does not answer a row of its own, but says 500" in told
    assert "version 1 serves again" in told
    assert seen == []
    # One who may not ask learns nothing of the version, which is left as it is.
    services.sick, cluster.forbidden = set(), ("/proxy/invocations",)
    told = project.refuses(*DEPLOY, code=1, MLOPS_LOG_SECONDS="30")
    assert "version 2 is deployed, but cannot be asked" in told
    assert services.answering(row) == {"1": 100}
    cluster.forbidden = ()
    services.changes()
    project.mlops(*DEPLOY, MLOPS_LOG_SECONDS="30")
    assert [each for each in services.changes() if each.startswith("PUT")] == []
    assert services.answering(row) == {"2": 100}


def test_it_goes_on_after_a_kill_at_any_step(project, services, cluster, row):
    project.mlops(*DEPLOY, "--model", "1")
    its = f"inferenceservices/{NAME}"
    for step in (f"PUT /apis/serving.kserve.io/v1beta1/namespaces/{NAME}/{its}", "proxy/invocations", "proxy/metrics"):
        cluster.after = {step: project.kill}
        assert project.mlops(*DEPLOY, code=None).code == -9, step
    for shares in ({"1": 90, "2": 10}, {"2": 100}):
        cluster.after = {}
        services.turned = lambda found, at=shares: project.kill() if found == at else None
        assert project.mlops(*DEPLOY, code=None).code == -9, shares
    services.turned = lambda shares: None
    project.mlops(*DEPLOY)
    assert services.answering(row) == {"2": 100}
    assert project.deployed == {"mlops.deployed.dev": "2"}
    assert len(services.revisions) == 2


def test_two_deployments_at_once_do_not_undo_each_other(project, services, cluster, row):
    project.mlops(*DEPLOY, "--model", "1")

    def change():
        cluster.after = {}
        services.service["metadata"]["resourceVersion"] = "999"

    cluster.after = {"GET /apis/serving.knative.dev/v1/namespaces": change}
    assert "the cluster says 409 the object has been modified" in project.refuses(*DEPLOY, code=1)
    assert services.answering(row) == {"1": 100}


def test_it_goes_back_at_once_and_needs_no_new_revision(project, services, cluster, row):
    project.mlops(*DEPLOY, "--model", "1")
    project.mlops(*DEPLOY)
    services.changes()
    cluster.after = {"PATCH": project.kill}
    assert project.mlops("rollback", "--on", "kubeflow", *WHY, code=None).code == -9
    cluster.after = {}
    # The requests were turned already, so it is told once more, and nothing is rolled back twice.
    said = project.mlops("rollback", "--on", "kubeflow", *WHY).out
    assert "Version 2 of flight-delays was rolled back before; the endpoint follows." in said
    assert f"{NAME} serves version 1" in said
    assert services.answering(row) == {"1": 100}
    assert len(services.revisions) == 2
    assert project.champion == "1"
    assert project.deployed == {"mlops.deployed.dev": "1"}
    # Once more, and there is nothing before it.
    assert project.mlops("rollback", "--on", "kubeflow", *WHY, code=None).code == 1
    assert services.answering(row) == {"1": 100}


def test_from_none_to_more_instances_and_what_pods_get(project, services, registry):
    project.serving(serverless=True, max_instances=3, gpu=1, requests_per_minute=600)
    say(project, '[tool.mlops.kubeflow.gpu]\ntolerations = [{ key = "gpu", operator = "Exists" }]\n')
    registry.push(REPOSITORY, serving_tag(project))  # it is made of that file, too
    project.mlops(*DEPLOY)
    predictor = services.service["spec"]["predictor"]
    assert (predictor["minReplicas"], predictor["maxReplicas"], predictor["scaleTarget"]) == (0, 3, 10)
    assert predictor["tolerations"] == [{"key": "gpu", "operator": "Exists"}]
    assert predictor["containers"][0]["resources"]["limits"]["nvidia.com/gpu"] == "1"


def test_without_knative_it_is_refused_before_anything_is_changed(project, cluster):
    cluster.groups.discard("serving.knative.dev")
    told = project.refuses(*DEPLOY, code=2)
    assert "the cluster has no Knative Serving" in told
    assert not [asked for asked in cluster.asked if asked.method != "GET"]
    cluster.file.write_text("an old token", encoding="utf-8")
    assert "MLOPS_KUBEFLOW_NAMESPACE" in project.refuses(*DEPLOY, code=2, MLOPS_KUBEFLOW_NAMESPACE=None)
