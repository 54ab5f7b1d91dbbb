"""`mlops rollback --on azure`: the version before serves again, at once."""

from clouds.azure.deploy.conftest import NAME

WHY = ("--reason", "The figures look wrong.")


def test_it_goes_back_at_once_and_needs_no_new_deployment(project, endpoints, row):
    project.serving(canary_minutes=0, max_instances=4)
    project.mlops("deploy", "--on", "azure", "--model", "1")
    project.mlops("deploy", "--on", "azure")
    endpoints.changes()
    counts = []
    endpoints.turned = lambda *_: counts.append(endpoints.deployment(NAME, "blue")["sku"]["capacity"])
    said = project.mlops("rollback", "--on", "azure", *WHY).out
    assert f"{NAME} serves version 1 of flight-delays again." in said
    assert endpoints.invoke(NAME, [row])[0]["model_version"] == "1"
    assert counts[0] == 2, "it has its instances before requests go there"
    assert endpoints.deployment(NAME, "green") is None
    assert [name.rpartition("/")[2] for name in endpoints.scaling] == [f"{NAME}-blue"]
    assert project.champion == "1"
    assert project.deployed == {"mlops.deployed.dev": "1"}
    # Once more, and there is nothing before it.
    assert project.mlops("rollback", "--on", "azure", *WHY, code=None).code == 1
    assert endpoints.invoke(NAME, [row])[0]["model_version"] == "1"


def test_it_goes_on_after_a_kill(project, endpoints, row):
    project.serving(canary_minutes=0)
    project.mlops("deploy", "--on", "azure", "--model", "1")
    project.mlops("deploy", "--on", "azure")
    endpoints.after = {"PUT /subscriptions": project.kill}
    assert project.mlops("rollback", "--on", "azure", *WHY, code=None).code == -9
    endpoints.after = {f"onlineEndpoints/{NAME}": project.kill}
    endpoints.after = {}
    project.mlops("rollback", "--on", "azure", *WHY)
    assert endpoints.invoke(NAME, [row])[0]["model_version"] == "1"
    assert project.champion == "1"
