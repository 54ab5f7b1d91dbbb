# The template's: `copier update` renews this file.
# The data of this environment, in a lake with folders: data/, dvc/, pipeline/, bundles/, logs/.
module "storage" {
  source         = "../modules/storage"
  name           = "${local.short}da${local.unique}"
  resource_group = local.resource_group
  location       = var.location
  tags           = local.tags
  folders        = true
  containers     = ["mlops"]
  replication    = var.replication
  deleted_days   = local.deleted_days
  expire_days    = { "mlops/pipeline/" = var.run_days, "mlops/logs/" = local.log_days }
  keep_data      = var.keep_data
}

# A lake has no versions, so what must not be lost is copied every day to where nobody changes it, nor deletes it before its time.
resource "azurerm_data_protection_backup_vault" "this" {
  count                        = local.backup_days > 0 ? 1 : 0
  name                         = local.name
  resource_group_name          = local.resource_group
  location                     = var.location
  datastore_type               = "VaultStore"
  redundancy                   = "GeoRedundant"
  cross_region_restore_enabled = true
  immutability                 = var.keep_data ? "Unlocked" : "Disabled"
  soft_delete                  = var.keep_data ? "On" : "Off"
  retention_duration_in_days   = 14
  tags                         = local.tags
  identity {
    type = "SystemAssigned"
  }
}

resource "azurerm_data_protection_backup_policy_data_lake_storage" "this" {
  count                           = length(azurerm_data_protection_backup_vault.this)
  name                            = "daily"
  data_protection_backup_vault_id = azurerm_data_protection_backup_vault.this[0].id
  backup_schedule                 = ["R/2026-01-01T03:00:00+00:00/P1D"]
  default_retention_duration      = "P${local.backup_days}D"
}

resource "azurerm_role_assignment" "backup" {
  count                = length(azurerm_data_protection_backup_vault.this)
  scope                = module.storage.id
  role_definition_name = "Storage Account Backup Contributor"
  principal_id         = azurerm_data_protection_backup_vault.this[0].identity[0].principal_id
  principal_type       = "ServicePrincipal"
}

resource "azurerm_data_protection_backup_instance_data_lake_storage" "this" {
  count                              = length(azurerm_data_protection_backup_vault.this)
  name                               = module.storage.name
  data_protection_backup_vault_id    = azurerm_data_protection_backup_vault.this[0].id
  backup_policy_data_lake_storage_id = azurerm_data_protection_backup_policy_data_lake_storage.this[0].id
  location                           = var.location
  storage_account_id                 = module.storage.id
  storage_container_names            = keys(module.storage.container_ids)
  depends_on                         = [azurerm_role_assignment.backup]
}

# The lake of the recovery location, when the model is served there: bundles, and the log of that endpoint.
module "recovery_storage" {
  count          = var.recovery_endpoint ? 1 : 0
  source         = "../modules/storage"
  name           = "${local.short}rd${local.unique}"
  resource_group = local.recovery_group
  location       = var.recovery_location
  tags           = local.tags
  folders        = true
  containers     = ["mlops"]
  replication    = "LRS" # a copy itself
  deleted_days   = local.deleted_days
  expire_days    = { "mlops/logs/" = local.log_days }
  keep_data      = var.keep_data
}

resource "terraform_data" "locations" {
  lifecycle {
    precondition {
      condition     = var.location != var.recovery_location
      error_message = "The recovery location is the location itself (${var.location}): a copy there is lost with it."
    }
  }
}
