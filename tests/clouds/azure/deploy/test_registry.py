"""Champions in an Azure Machine Learning registry, and how each version stands among the workspace's models."""

import pytest
from support.azure_ml import SUBSCRIPTION, Said, refused


@pytest.fixture
def shared(azure):
    """What was brought into the registry `org`: the asset that it was made from, by name and version."""
    found = {}
    base = "/mferp/managementfrontend/subscriptions/[^/]+/resourceGroups/org/providers/.*/registries/org"

    def discovery(asked, match):
        region = {"subscriptionId": SUBSCRIPTION, "resourceGroup": "org", "registryName": "org", "registryFqdns": {}}
        return Said(body={**region, "primaryRegionResourceProviderUri": f"{azure.url}/"})

    def bring(asked, match):
        told = asked.body["properties"]
        found[told["destinationName"], told["destinationVersion"]] = told["sourceAssetId"]
        return Said(200, b"")

    def look(asked, match):
        if (match[1], match[2]) not in found:
            return refused(404, "ResourceNotFound", "no such model")
        name = f"azureml://registries/org/models/{match[1]}/versions/{match[2]}"
        about = {"modelUri": name, "modelType": "custom_model", "flavors": {}, "properties": {}, "tags": {}}
        return Said(body={"id": name, "name": match[2], "properties": about})

    azure.route("GET", r"/registrymanagement/v1\.0/registries/org/discovery", discovery)
    azure.route("POST", f"{base}/import", bring)
    azure.route("GET", f"{base}/models/([^/]+)/versions", lambda asked, match: Said(body={"value": []}))
    azure.route("GET", f"{base}/models/([^/]+)/versions/([^/]+)", look)
    return found


def test_a_deployment_shares_the_version_once(project, azure, shared):
    project.serving(canary_minutes=0)
    env = {"MLOPS_AZURE_REGISTRY": "org", "REGISTRY_DISCOVERY_ENDPOINT_URL": f"{azure.url}/"}
    project.mlops("deploy", "--on", "azure", **env)
    assert list(shared) == [("flight-delays", "2")]
    assert shared["flight-delays", "2"].endswith("/models/flight-delays-bundle/versions/2")
    project.mlops("deploy", "--on", "azure", **env)
    assert len(azure.requests("POST", "/import")) == 1


def test_tags_follow_the_registry(project, azure):
    project.serving(canary_minutes=0)
    project.mlops("deploy", "--on", "azure", "--model", "1")
    project.mlops("deploy", "--on", "azure")

    def standing():
        return {
            name: each["properties"]["tags"]["mlops.standing"] for name, each in azure.of("models/versions").items()
        }

    assert standing() == {"1": "former", "2": "champion"}
    project.mlops("rollback", "--on", "azure", "--reason", "It is wrong.")
    assert standing() == {"1": "champion", "2": "former"}
