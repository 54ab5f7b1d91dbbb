"""What the tests have to know of each cloud: answers that try what a name can be, every switch, what names may be."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Cloud:
    name: str
    modules: tuple
    """Beside the layers."""
    awkward: dict
    """Answers of the project whose names try what a name can be."""
    settings: dict
    """What a person writes into settings.auto.tfvars, by layer."""
    everything: tuple
    """Options that turn every switch of project/ on."""
    logins: dict
    """Outputs of bootstrap/ for workflows, and whether there is one an environment."""
    tags: str
    """The attribute with all tags of a resource."""
    tag: str
    """What a tag may hold."""
    lengths: dict
    """By resource, the attribute that is its name, and the pattern of what it may be."""
    tagged: int = 50
    """So many resources have tags, at least."""


AWS = Cloud(
    name="aws",
    modules=("modules/bucket", "modules/copying", "modules/endpoint", "modules/role"),
    awkward={"aws_region": "ap-southeast-2", "aws_recovery_region": "eu-central-1"},
    settings={
        "bootstrap": 'github_repository = "owner/name"\nzone_id = "Z1"\n',
        "platform": 'network = { use = "create" }\naccounts = ["210987654321"]\n',
    },
    everything=(
        "-var-file=../environments/prod.tfvars",
        "-var=recovery_endpoint=true",
        "-var=monitor_days=2",
        '-var=api={domain="a.example.com",zone_id="Z1"}',
        '-var=source_bucket_arns=["arn:aws:s3:::theirs"]',
    ),
    logins={"plan_role_arn": False, "apply_role_arn": True, "train_role_arn": True, "deploy_role_arn": True},
    tags="tags_all",
    tag=r"[\w .:/=+@-]{1,256}",
    lengths={
        "aws_s3_bucket": ("bucket", r"[a-z0-9-]{3,63}"),
        "aws_iam_role": ("name", r"[\w-]{1,64}"),
        "aws_sagemaker_model_package_group": ("model_package_group_name", r"[a-zA-Z0-9-]{1,63}"),
    },
)
AZURE = Cloud(
    name="azure",
    modules=("modules/endpoint", "modules/identity", "modules/storage", "modules/workspace"),
    awkward={"azure_location": "australiasoutheast", "azure_recovery_location": "germanywestcentral"},
    settings={
        "bootstrap": 'github_repository = "owner/name"\n',
        "platform": 'network = { use = "create" }\n',
    },
    everything=(
        "-var-file=../environments/prod.tfvars",
        "-var=recovery_endpoint=true",
        "-var=endpoint_alerts=true",
        "-var=front_door={}",
        "-var=monitor_days=2",
        "-var=webhook=https://example.com/alerts",
    ),
    logins={
        "tenant": False,
        "plan_client_id": False,
        "apply_client_id": True,
        "train_client_id": True,
        "deploy_client_id": True,
    },
    tags="tags",
    tag=r"[^\x00-\x1f]{1,256}",
    lengths={
        "azurerm_storage_account": ("name", r"[a-z0-9]{3,24}"),
        "azurerm_key_vault": ("name", r"(?=.{3,24}$)[a-zA-Z](-?[a-zA-Z0-9])*"),
        "azurerm_container_registry": ("name", r"[a-zA-Z0-9]{5,50}"),
        "azurerm_machine_learning_workspace": ("name", r"[a-zA-Z0-9][\w-]{2,32}"),
        "azurerm_machine_learning_compute_cluster": ("name", r"[a-zA-Z][a-zA-Z0-9-]{1,14}[a-zA-Z0-9]"),
        "azurerm_log_analytics_workspace": ("name", r"[a-zA-Z0-9][a-zA-Z0-9-]{2,61}[a-zA-Z0-9]"),
        "azurerm_data_protection_backup_vault": ("name", r"[a-zA-Z][a-zA-Z0-9-]{1,49}"),
        "azurerm_monitor_action_group": ("short_name", r".{1,12}"),
        "azurerm_user_assigned_identity": ("name", r"[a-zA-Z0-9][\w-]{2,127}"),
        "azurerm_cdn_frontdoor_endpoint": ("name", r"[a-zA-Z0-9][a-zA-Z0-9-]{0,44}[a-zA-Z0-9]"),
        "azurerm_federated_identity_credential": ("name", r"[a-zA-Z0-9][\w-]{2,119}"),
    },
)
GCP = Cloud(
    name="gcp",
    modules=("modules/account", "modules/bucket", "modules/endpoint", "modules/key"),
    awkward={"gcp_region": "asia-southeast1", "gcp_recovery_region": "asia-northeast1"},
    settings={
        "bootstrap": 'github_repository = "owner/name"\nproject_id = "made-up-project"\n',
        "platform": 'network = { use = "create", jobs = true }\nproject_id = "made-up-project"\n',
    },
    everything=(
        "-var-file=../environments/prod.tfvars",
        "-var=recovery_endpoint=true",
        '-var=keys={use="create"}',
        '-var=load_balancer={domain="model.example.com"}',
        "-var=monitor_hours=23",
        '-var=source_buckets=["theirs"]',
    ),
    logins={
        "workload_identity_provider": False,
        "plan_service_account": False,
        "apply_service_account": True,
        "train_service_account": True,
        "deploy_service_account": True,
    },
    tags="effective_labels",
    tag=r"[a-z0-9_-]{1,63}",
    lengths={
        "google_storage_bucket": ("name", r"(?!goog)[a-z0-9][a-z0-9-]{1,61}[a-z0-9]"),
        "google_service_account": ("account_id", r"[a-z][a-z0-9-]{4,28}[a-z0-9]"),
        "google_project_iam_custom_role": ("role_id", r"[a-zA-Z0-9_.]{3,64}"),
        "google_iam_workload_identity_pool": ("workload_identity_pool_id", r"(?!gcp-)[a-z0-9-]{4,32}"),
        "google_iam_workload_identity_pool_provider": (
            "workload_identity_pool_provider_id",
            r"(?!gcp-)[a-z0-9-]{4,32}",
        ),
        "google_artifact_registry_repository": ("repository_id", r"[a-z][a-z0-9-]{0,61}[a-z0-9]"),
        "google_cloud_run_v2_service": ("name", r"[a-z][a-z0-9-]{0,47}[a-z0-9]"),
        "google_sql_database_instance": ("name", r"[a-z][a-z0-9-]{0,66}[a-z0-9]"),
        "google_kms_key_ring": ("name", r"[\w-]{1,63}"),
        "google_pubsub_topic": ("name", r"(?!goog)[a-zA-Z][\w.~+%-]{2,254}"),
        "google_workflows_workflow": ("name", r"[a-zA-Z][\w-]{0,62}[a-zA-Z0-9]"),
        "google_eventarc_trigger": ("name", r"[a-z][a-z0-9-]{0,61}[a-z0-9]"),
        "google_compute_managed_ssl_certificate": ("name", r"[a-z][a-z0-9-]{0,61}[a-z0-9]"),
        "google_compute_backend_service": ("name", r"[a-z][a-z0-9-]{0,61}[a-z0-9]"),
        "google_compute_network": ("name", r"[a-z][a-z0-9-]{0,61}[a-z0-9]"),
    },
    tagged=15,
)
CLOUDS = {cloud.name: cloud for cloud in (AWS, AZURE, GCP)}
LAYERS = ("bootstrap", "platform", "project")
ENVIRONMENTS = {"dev", "staging", "prod"}
