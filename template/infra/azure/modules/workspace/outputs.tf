# The template's: `copier update` renews this file.
output "name" {
  value = azurerm_machine_learning_workspace.this.name
}

output "id" {
  value = azurerm_machine_learning_workspace.this.id
}

output "principal_id" {
  value = azurerm_machine_learning_workspace.this.identity[0].principal_id
}

output "tracking_uri" {
  description = "Its MLflow"
  value       = "azureml://${azurerm_machine_learning_workspace.this.location}.api.azureml.ms/mlflow/v1.0${azurerm_machine_learning_workspace.this.id}"
}

output "storage_id" {
  value = module.storage.id
}

output "copied" {
  description = "Whether artifacts have a copy in another location"
  value       = module.storage.copied
}

output "vault_id" {
  value = azurerm_key_vault.this.id
}

output "logs_id" {
  value = azurerm_log_analytics_workspace.this.id
}

output "insights_id" {
  value = azurerm_application_insights.this.id
}

output "insights" {
  description = "Connection string of Application Insights: it lets one write, and nothing else"
  value       = azurerm_application_insights.this.connection_string
  sensitive   = true
}

output "private" {
  description = "What is reached from its own network; null without one"
  value       = azurerm_machine_learning_workspace.this.managed_network[0].isolation_mode == "Disabled" ? null : keys(local.rules)
}
