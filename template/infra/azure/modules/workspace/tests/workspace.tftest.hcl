# The template's: `copier update` renews this file.
# Every workspace of this project comes from this module.
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
}

variables {
  name           = "flight-delays-dev"
  storage_name   = "flightdelaws12345678"
  vault_name     = "flightdelaws12345678"
  resource_group = "flight-delays-dev"
  location       = "eastus"
  tags           = { project = "flight-delays" }
  replication    = "RAGRS"
  deleted_days   = 7
  log_days       = 14
  keep_data      = false
  reaches        = { data = { id = "/subscriptions/11111111-2222-3333-4444-555555555555/resourceGroups/g/providers/Microsoft.Storage/storageAccounts/data", targets = ["blob", "dfs"] } }
}

run "knows_no_keys" {
  assert {
    condition = (
      azurerm_machine_learning_workspace.this.storage_account_access_type == "Identity" && azurerm_key_vault.this.rbac_authorization_enabled &&
      !azurerm_log_analytics_workspace.this.local_authentication_enabled
    )
    error_message = "Something is reached by key."
  }
}

run "keeps_logs_as_long_as_azure_wants" {
  assert {
    condition     = azurerm_log_analytics_workspace.this.retention_in_days == 30
    error_message = "Azure keeps logs for 30 days at least, and refuses less."
  }
  assert {
    condition     = output.copied
    error_message = "Artifacts have no copy in another location."
  }
}

run "has_no_network_of_its_own" {
  assert {
    condition     = output.private == null && length(azurerm_role_assignment.approver) == 0
    error_message = "A network is made, and paid for, that nobody asked for."
  }
}

run "lets_nothing_out_of_its_network" {
  variables {
    isolation = "AllowOnlyApprovedOutbound"
  }
  assert {
    condition     = azurerm_machine_learning_workspace.this.managed_network[0].isolation_mode == "AllowOnlyApprovedOutbound" && output.private == ["data-blob", "data-dfs"]
    error_message = "Jobs reach the internet, or not their data."
  }
  assert {
    condition     = [for role in azurerm_role_assignment.approver : role.scope] == ["/subscriptions/11111111-2222-3333-4444-555555555555/resourceGroups/g/providers/Microsoft.Storage/storageAccounts/data"]
    error_message = "It cannot connect itself to its data."
  }
}

run "says_where_its_mlflow_is" {
  assert {
    condition     = output.tracking_uri == "azureml://eastus.api.azureml.ms/mlflow/v1.0/subscriptions/11111111-2222-3333-4444-555555555555/resourceGroups/g/providers/Microsoft.MachineLearningServices/workspaces/name"
    error_message = "Its MLflow is somewhere else."
  }
}

run "keeps_secrets" {
  assert {
    condition     = azurerm_key_vault.this.purge_protection_enabled
    error_message = "Secrets can be taken away for good."
  }
}
