# The template's: `copier update` renews this file.
mock_provider "azurerm" {
  mock_data "azurerm_client_config" {
    defaults = {
      tenant_id       = "99999999-2222-3333-4444-555555555555"
      subscription_id = "11111111-2222-3333-4444-555555555555"
      object_id       = "88888888-2222-3333-4444-555555555555"
    }
  }
  mock_resource "azurerm_storage_account" {
    defaults = { id = "/subscriptions/11111111-2222-3333-4444-555555555555/resourceGroups/g/providers/Microsoft.Storage/storageAccounts/account" }
  }
  mock_resource "azurerm_machine_learning_workspace" {
    defaults = { id = "/subscriptions/11111111-2222-3333-4444-555555555555/resourceGroups/g/providers/Microsoft.MachineLearningServices/workspaces/name" }
  }
  mock_resource "azurerm_key_vault" {
    defaults = { id = "/subscriptions/11111111-2222-3333-4444-555555555555/resourceGroups/g/providers/Microsoft.KeyVault/vaults/vault" }
  }
  mock_resource "azurerm_log_analytics_workspace" {
    defaults = { id = "/subscriptions/11111111-2222-3333-4444-555555555555/resourceGroups/g/providers/Microsoft.OperationalInsights/workspaces/name" }
  }
  mock_resource "azurerm_application_insights" {
    defaults = { id = "/subscriptions/11111111-2222-3333-4444-555555555555/resourceGroups/g/providers/Microsoft.Insights/components/name", connection_string = "InstrumentationKey=1" }
  }
  mock_data "azurerm_user_assigned_identity" {
    defaults = { id = "/subscriptions/11111111-2222-3333-4444-555555555555/resourceGroups/g/providers/Microsoft.ManagedIdentity/userAssignedIdentities/name", client_id = "66666666-2222-3333-4444-555555555555", principal_id = "77777777-2222-3333-4444-555555555555" }
  }
  mock_resource "azurerm_monitor_action_group" {
    defaults = { id = "/subscriptions/11111111-2222-3333-4444-555555555555/resourceGroups/g/providers/Microsoft.Insights/actionGroups/owner" }
  }
  mock_resource "azurerm_cdn_frontdoor_profile" {
    defaults = { id = "/subscriptions/11111111-2222-3333-4444-555555555555/resourceGroups/g/providers/Microsoft.Cdn/profiles/p" }
  }
  mock_resource "azurerm_cdn_frontdoor_endpoint" {
    defaults = { id = "/subscriptions/11111111-2222-3333-4444-555555555555/resourceGroups/g/providers/Microsoft.Cdn/profiles/p/afdEndpoints/e" }
  }
  mock_resource "azurerm_cdn_frontdoor_origin_group" {
    defaults = { id = "/subscriptions/11111111-2222-3333-4444-555555555555/resourceGroups/g/providers/Microsoft.Cdn/profiles/p/originGroups/o" }
  }
  mock_resource "azurerm_cdn_frontdoor_origin" {
    defaults = { id = "/subscriptions/11111111-2222-3333-4444-555555555555/resourceGroups/g/providers/Microsoft.Cdn/profiles/p/originGroups/o/origins/o" }
  }
  mock_resource "azurerm_data_protection_backup_vault" {
    defaults = { id = "/subscriptions/11111111-2222-3333-4444-555555555555/resourceGroups/g/providers/Microsoft.DataProtection/backupVaults/v" }
  }
  mock_resource "azurerm_data_protection_backup_policy_data_lake_storage" {
    defaults = { id = "/subscriptions/11111111-2222-3333-4444-555555555555/resourceGroups/g/providers/Microsoft.DataProtection/backupVaults/v/backupPolicies/daily" }
  }
}

variables {
  environment           = "prod"
  pipeline_repository   = "images.azurecr.io/flight-delays/pipeline"
  serving_repository    = "images.azurecr.io/flight-delays/serving"
  container_registry_id = "/subscriptions/11111111-2222-3333-4444-555555555555/resourceGroups/g/providers/Microsoft.ContainerRegistry/registries/images"
  tracking_uri          = "azureml://eastus.api.azureml.ms/mlflow/v1.0/subscriptions/11111111-2222-3333-4444-555555555555/resourceGroups/g/providers/Microsoft.MachineLearningServices/workspaces/tracking"
  tracking_storage_id   = "/subscriptions/11111111-2222-3333-4444-555555555555/resourceGroups/g/providers/Microsoft.Storage/storageAccounts/tracking"
  registry              = "registry"
  keep_data             = false
}

run "keeps_data_in_two_locations" {
  assert {
    condition     = module.storage.copied && module.workspace.copied
    error_message = "The data has no copy in another location."
  }
  assert {
    condition     = module.storage.deleted_days == 90
    error_message = "What is deleted is lost too soon."
  }
}

run "pays_for_no_idle_machine" {
  command = plan # of what is there already
  assert {
    condition = alltrue([
      for cluster in azurerm_machine_learning_compute_cluster.this : cluster.scale_settings[0].min_node_count == 0
    ])
    error_message = "A cluster keeps machines without a job."
  }
  assert {
    condition     = azurerm_machine_learning_compute_cluster.this["medium-spot"].vm_priority == "LowPriority"
    error_message = "Jobs that may be interrupted pay the full price."
  }
  assert {
    condition     = output.mlops_azure_clusters == "large=Standard_D8ds_v4,medium=Standard_D4ds_v4,medium-spot=Standard_D4ds_v4:low_priority,small=Standard_D2ds_v4"
    error_message = "mlops submit does not know the clusters."
  }
  assert {
    condition = alltrue([
      for cluster in azurerm_machine_learning_compute_cluster.this :
      !cluster.ssh_public_access_enabled && !cluster.local_auth_enabled && cluster.identity[0].identity_ids == toset([data.azurerm_user_assigned_identity.this["jobs"].id])
    ])
    error_message = "Somebody logs in to a machine, or jobs have no identity."
  }
}

run "does_little" {
  command = plan # of what is there already
  assert {
    condition = alltrue([
      for role in azurerm_role_assignment.this : !contains(["Owner", "Contributor", "User Access Administrator", "Role Based Access Control Administrator", "Storage Blob Data Owner"], role.role_definition_name)
    ])
    error_message = "Somebody may do everything."
  }
  assert {
    condition = alltrue([
      for key, role in azurerm_role_assignment.this : contains(["Reader", "Monitoring Contributor"], role.role_definition_name) || strcontains(role.scope, "/providers/")
    ])
    error_message = "A role reaches further than one resource."
  }
  assert {
    condition     = strcontains(coalesce(azurerm_role_assignment.this["endpoint-container"].condition, "-"), "StringLike 'logs/predictions*'") && azurerm_role_assignment.this["endpoint-container"].condition_version == "2.0"
    error_message = "The endpoint does more to data than read bundles and write its log."
  }
  assert {
    condition     = azurerm_role_assignment.this["jobs-container"].scope == "/subscriptions/11111111-2222-3333-4444-555555555555/resourceGroups/g/providers/Microsoft.Storage/storageAccounts/account/blobServices/default/containers/mlops"
    error_message = "Jobs reach more than the container of this environment."
  }
}

run "shows_what_happens" {
  command = plan # of what is there already
  assert {
    condition     = [for item in jsondecode(azurerm_application_insights_workbook.this.data_json).items : item.type] == [1, 10, 10, 3, 3]
    error_message = "The workbook shows less."
  }
}

run "needs_no_model" {
  command = plan # of what is there already
  assert {
    condition     = length(module.endpoint) + length(module.recovery_endpoint) == 0 && output.mlops_azure_recovery_workspace == "" && output.mlops_azure_recovery_storage_account == ""
    error_message = "The first apply makes what only a deployment needs."
  }
}

run "refuses_a_copy_in_the_same_location" {
  command = plan
  variables {
    location          = "westeurope"
    recovery_location = "westeurope"
  }
  expect_failures = [terraform_data.locations]
}

run "refuses_data_without_a_copy" {
  command = plan
  variables {
    replication = "ZRS"
  }
  expect_failures = [var.replication]
}

run "keeps_backups_that_nobody_changes" {
  command = plan
  variables {
    keep_data = true
  }
  assert {
    condition = (
      azurerm_data_protection_backup_vault.this[0].immutability == "Unlocked" && azurerm_data_protection_backup_vault.this[0].soft_delete == "On" &&
      azurerm_data_protection_backup_vault.this[0].redundancy == "GeoRedundant" && azurerm_data_protection_backup_vault.this[0].cross_region_restore_enabled
    )
    error_message = "Backups can be changed or deleted, or are lost with the location."
  }
  assert {
    condition = (
      azurerm_data_protection_backup_instance_data_lake_storage.this[0].storage_container_names == toset(["mlops"]) &&
      azurerm_data_protection_backup_policy_data_lake_storage.this[0].default_retention_duration == "P30D"
    )
    error_message = "The data is not backed up."
  }
}

run "leaves_dev_alone" {
  variables {
    environment = "dev"
  }
  assert {
    condition     = length(azurerm_data_protection_backup_vault.this) == 0 && local.log_days == 14 && local.deleted_days == 7
    error_message = "In dev, things are kept for long."
  }
}

run "keeps_jobs_off_the_internet" {
  variables {
    network = { private = true }
  }
  assert {
    condition     = alltrue([for cluster in azurerm_machine_learning_compute_cluster.this : !cluster.node_public_ip_enabled])
    error_message = "Machines have an address on the internet."
  }
  assert {
    condition     = module.workspace.private == ["data-blob", "data-dfs", "images-registry", "tracking-blob"]
    error_message = "Jobs reach the internet, or not what they need."
  }
}

run "tells_the_owner" {
  variables {
    monitor_days    = 2
    endpoint_alerts = true
  }
  assert {
    condition     = [for receiver in azurerm_monitor_action_group.owner.email_receiver : receiver.email_address] == [var.owner_email]
    error_message = "The owner is not told."
  }
  assert {
    condition = (
      strcontains(azurerm_monitor_scheduled_query_rules_alert_v2.drift.criteria[0].query, "Name == 'Act'") &&
      azurerm_monitor_scheduled_query_rules_alert_v2.drift.action[0].action_groups == tolist([azurerm_monitor_action_group.owner.id])
    )
    error_message = "The alert does not hear what mlops monitor says."
  }
  assert {
    condition     = azurerm_monitor_scheduled_query_rules_alert_v2.silence[0].window_duration == "P2D" && azurerm_monitor_scheduled_query_rules_alert_v2.silence[0].criteria[0].operator == "LessThan"
    error_message = "Nobody hears that the monitor is silent."
  }
  assert {
    condition = alltrue([
      for alert in module.endpoint[0].alerts : alert.tells == [azurerm_monitor_action_group.owner.id] && endswith(one(alert.scopes), "/workspaces/name/onlineEndpoints/${local.endpoint}")
    ]) && length(module.endpoint[0].alerts) == 2
    error_message = "The endpoint is not watched."
  }
}

run "serves_in_two_locations_behind_one_name" {
  variables {
    recovery_endpoint = true
    endpoint_alerts   = true
    front_door        = {}
  }
  assert {
    condition     = output.mlops_azure_recovery_workspace == local.workspace && output.mlops_azure_recovery_resource_group == "${var.project}-prod-recovery" && length(module.recovery_endpoint) == 1
    error_message = "mlops deploy does not serve in the recovery location, or nobody watches it."
  }
  assert {
    condition = { for origin in azurerm_cdn_frontdoor_origin.this : origin.host_name => origin.priority } == {
      "${local.endpoint}.${var.location}.inference.ml.azure.com"          = 1
      "${local.endpoint}.${var.recovery_location}.inference.ml.azure.com" = 2
    }
    error_message = "The name does not lead to the second location when the first is gone."
  }
  assert {
    condition     = azurerm_cdn_frontdoor_route.this[0].supported_protocols == toset(["Https"]) && azurerm_cdn_frontdoor_route.this[0].forwarding_protocol == "HttpsOnly"
    error_message = "The name answers without TLS."
  }
  assert {
    condition     = contains(keys(azurerm_role_assignment.this), "deploy-recovery-workspace") && contains(keys(azurerm_role_assignment.this), "endpoint-recovery-container")
    error_message = "In the recovery location nobody may deploy or serve."
  }
}

run "needs_two_endpoints_for_a_name" {
  command = plan
  variables {
    front_door = {}
  }
  expect_failures = [azurerm_cdn_frontdoor_profile.this]
}

run "knows_its_environments" {
  command = plan
  variables {
    environment = "test"
  }
  expect_failures = [var.environment]
}

run "tags_everything" {
  variables {
    tags = { cost-center = "42", project = "another" }
  }
  assert {
    condition     = local.tags["project"] == var.project && local.tags["environment"] == "prod" && local.tags["owner"] == var.owner_email && local.tags["cost-center"] == "42"
    error_message = "The bill cannot be split by project, environment and owner."
  }
}
