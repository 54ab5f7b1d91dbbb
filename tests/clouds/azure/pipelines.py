"""What the tests of Azure share: settings as infra's outputs set them, and a project ready to be compiled."""

import yaml
from support.azure_ml import GROUP, LOCATION, PLACE, SUBSCRIPTION, WORKSPACE

ACCOUNT = "flightdelaysdev1a2b"
REGISTRY = "flightdelays.azurecr.io"
IDENTITY = "aaaaaaaa-bbbb-cccc-dddd-eeeeeeeeeeee"
TRACKING = f"azureml://{LOCATION}.api.azureml.ms/mlflow/v1.0{PLACE}"
CLUSTERS = "cpu=Standard_E4ds_v4,spot=Standard_E4ds_v4:low_priority,large=Standard_E16ds_v4,gpu=Standard_NC4as_T4_v3"
SETTINGS = {
    "MLOPS_ENVIRONMENT": "dev",
    "MLOPS_TRACKING_URI": TRACKING,
    "MLOPS_AZURE_SUBSCRIPTION": SUBSCRIPTION,
    "MLOPS_AZURE_RESOURCE_GROUP": GROUP,
    "MLOPS_AZURE_WORKSPACE": WORKSPACE,
    "MLOPS_AZURE_STORAGE_ACCOUNT": ACCOUNT,
    "MLOPS_AZURE_PIPELINE_REPOSITORY": f"{REGISTRY}/flight-delays/pipeline",
    "MLOPS_AZURE_SERVING_REPOSITORY": f"{REGISTRY}/flight-delays/serving",
    "MLOPS_AZURE_CLUSTERS": CLUSTERS,
    "MLOPS_AZURE_JOB_IDENTITY": IDENTITY,
}


def computes(azure):
    """Has the clusters of the settings be there."""
    for part in CLUSTERS.split(","):
        name, _, size = part.partition("=")
        scale = {"minNodeCount": 0, "maxNodeCount": 4, "nodeIdleTimeBeforeScaleDown": "PT2M"}
        its = {"vmSize": size.partition(":")[0], "scaleSettings": scale}
        about = {"computeType": "AmlCompute", "provisioningState": "Succeeded", "properties": its}
        azure.put(f"{PLACE}/computes/{name}", {"location": LOCATION, "properties": about})


def compiled(project, *arguments, **env):
    """What `mlops compile` writes, by file name."""
    project.mlops("compile", "--on", "azure", *arguments, **{**SETTINGS, **env})
    folder = project.path / "build/azure"
    return {
        file.relative_to(folder).as_posix(): yaml.safe_load(file.read_text(encoding="utf-8"))
        for file in folder.rglob("*.yml")
    }
