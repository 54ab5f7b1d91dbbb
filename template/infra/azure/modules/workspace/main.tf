# The template's: `copier update` renews this file.
# An Azure Machine Learning workspace with what it cannot be without: vault, logs, and a storage account of its own, for its default
# one can have no folders. Everything is reached by identity, nothing by key.
terraform {
  required_version = ">= 1.10.0"
  required_providers {
    azurerm = {
      source  = "hashicorp/azurerm"
      version = "~> 5.0"
    }
  }
}

data "azurerm_client_config" "current" {}

module "storage" {
  source         = "../storage"
  name           = var.storage_name
  resource_group = var.resource_group
  location       = var.location
  tags           = var.tags
  replication    = var.replication
  deleted_days   = var.deleted_days
  keep_data      = var.keep_data
}

resource "azurerm_key_vault" "this" {
  name                          = var.vault_name
  resource_group_name           = var.resource_group
  location                      = var.location
  tenant_id                     = data.azurerm_client_config.current.tenant_id
  sku_name                      = "standard"
  rbac_authorization_enabled    = true
  purge_protection_enabled      = true
  soft_delete_retention_days    = 90
  public_network_access_enabled = true # for jobs and people, who come with an identity
  tags                          = var.tags
}

resource "azurerm_log_analytics_workspace" "this" {
  name                         = var.name
  resource_group_name          = var.resource_group
  location                     = var.location
  sku                          = "PerGB2018"
  retention_in_days            = max(30, var.log_days) # less, Azure does not offer
  daily_quota_gb               = var.log_gigabytes
  local_authentication_enabled = false
  tags                         = var.tags
}

resource "azurerm_application_insights" "this" {
  name                = var.name
  resource_group_name = var.resource_group
  location            = var.location
  workspace_id        = azurerm_log_analytics_workspace.this.id
  application_type    = "other"
  tags                = var.tags
}

resource "azurerm_machine_learning_workspace" "this" {
  name                          = var.name
  resource_group_name           = var.resource_group
  location                      = var.location
  friendly_name                 = var.name
  application_insights_id       = azurerm_application_insights.this.id
  key_vault_id                  = azurerm_key_vault.this.id
  storage_account_id            = module.storage.id
  storage_account_access_type   = "Identity"
  public_network_access_enabled = true # for workflows and people, who come with an identity
  v1_legacy_mode_enabled        = false
  tags                          = var.tags

  identity {
    type = "SystemAssigned"
  }
  managed_network {
    isolation_mode                = var.isolation
    provision_on_creation_enabled = var.isolation != "Disabled" # clusters want it there
  }
}

locals {
  reaches = var.isolation == "AllowOnlyApprovedOutbound" ? var.reaches : {}
  rules = merge([
    for name, to in local.reaches : { for target in to.targets : "${name}-${target}" => { id = to.id, target = target } }
  ]...)
}

# From the network of its own, jobs and endpoint reach what is listed, by private endpoints, and nothing else.
resource "azurerm_role_assignment" "approver" {
  for_each             = local.reaches
  scope                = each.value.id
  role_definition_name = "Azure AI Enterprise Network Connection Approver"
  principal_id         = azurerm_machine_learning_workspace.this.identity[0].principal_id
  principal_type       = "ServicePrincipal"
}

resource "azurerm_machine_learning_workspace_network_outbound_rule_private_endpoint" "this" {
  for_each            = local.rules
  name                = each.key
  workspace_id        = azurerm_machine_learning_workspace.this.id
  service_resource_id = each.value.id
  sub_resource_target = each.value.target
  spark_enabled       = false
  depends_on          = [azurerm_role_assignment.approver]
}
