# The template's: `copier update` renews this file.
# Variables of the environment, by their names in lower case. `mlops doctor --on azure` has the commands that set them.
output "mlops_azure_subscription" {
  value = local.subscription_id
}

output "mlops_azure_resource_group" {
  value = local.resource_group
}

output "mlops_azure_workspace" {
  value = module.workspace.name
}

output "mlops_azure_storage_account" {
  value = module.storage.name
}

output "mlops_azure_container" {
  value = one(keys(module.storage.container_ids))
}

output "mlops_azure_pipeline_repository" {
  value = var.pipeline_repository
}

output "mlops_azure_serving_repository" {
  value = var.serving_repository
}

output "mlops_azure_clusters" {
  value = join(",", [for name, each in var.clusters : "${name}=${each.size}${each.low_priority ? ":low_priority" : ""}"])
}

output "mlops_azure_job_identity" {
  value = data.azurerm_user_assigned_identity.this["jobs"].client_id
}

output "mlops_azure_endpoint_identity" {
  value = data.azurerm_user_assigned_identity.this["endpoint"].id
}

output "mlops_azure_registry" {
  value = coalesce(var.registry, "")
}

output "mlops_azure_application_insights" {
  description = "It lets one write, and nothing else"
  value       = module.workspace.insights
  sensitive   = true
}

output "mlops_azure_recovery_workspace" {
  value = join("", module.recovery_workspace[*].name)
}

output "mlops_azure_recovery_resource_group" {
  value = var.recovery_endpoint ? local.recovery_group : ""
}

output "mlops_azure_recovery_storage_account" {
  value = join("", module.recovery_storage[*].name)
}

output "mlops_azure_recovery_endpoint_identity" {
  value = var.recovery_endpoint ? data.azurerm_user_assigned_identity.this["endpoint"].id : ""
}

output "mlops_tracking_uri" {
  value = var.tracking_uri
}

output "mlops_log_uri" {
  value = "abfs://mlops@${module.storage.name}.dfs.core.windows.net/logs/predictions"
}

output "mlops_data_remote" {
  value = "azure://mlops/dvc?account_name=${module.storage.name}"
}

output "workbook" {
  description = "Where to look"
  value       = "https://portal.azure.com/#resource${azurerm_application_insights_workbook.this.id}/workbook"
}

output "front_door" {
  description = "The one name before both endpoints; null without it"
  value       = one(azurerm_cdn_frontdoor_endpoint.this[*].host_name)
}
