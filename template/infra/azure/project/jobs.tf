# The template's: `copier update` renews this file.
# The workspace of this environment: its jobs and its endpoint, as identities that bootstrap/ made.
module "workspace" {
  source         = "../modules/workspace"
  name           = local.workspace
  storage_name   = "${local.short}ws${local.unique}"
  vault_name     = "${local.short}ws${local.unique}"
  resource_group = local.resource_group
  location       = var.location
  tags           = local.tags
  replication    = var.replication
  deleted_days   = local.deleted_days
  log_days       = local.log_days
  isolation      = var.network.private ? "AllowOnlyApprovedOutbound" : "Disabled"
  reaches = {
    data     = { id = module.storage.id, targets = ["blob", "dfs"] }
    tracking = { id = var.tracking_storage_id, targets = ["blob"] }
    images   = { id = var.container_registry_id, targets = ["registry"] }
  }
  keep_data = var.keep_data
}

resource "azurerm_machine_learning_datastore_blobstorage" "mlops" {
  name                       = "mlops"
  description                = "Data, bundles and logs of ${local.name}; each job reads and writes by its own identity"
  workspace_id               = module.workspace.id
  storage_container_id       = module.storage.container_ids["mlops"]
  service_data_auth_identity = "WorkspaceSystemAssignedIdentity"
  tags                       = local.tags
}

# Without a job they have no machine and cost nothing.
resource "azurerm_machine_learning_compute_cluster" "this" {
  for_each                      = var.clusters
  name                          = each.key
  location                      = var.location
  machine_learning_workspace_id = module.workspace.id
  vm_size                       = each.value.size
  vm_priority                   = each.value.low_priority ? "LowPriority" : "Dedicated"
  local_auth_enabled            = false
  ssh_public_access_enabled     = false
  node_public_ip_enabled        = !(var.network.private || var.network.subnet_id != null)
  subnet_resource_id            = var.network.subnet_id
  tags                          = local.tags
  scale_settings {
    min_node_count                       = 0
    max_node_count                       = each.value.max_nodes
    scale_down_nodes_after_idle_duration = "PT${each.value.idle_minutes}M"
  }
  identity {
    type         = "UserAssigned"
    identity_ids = [data.azurerm_user_assigned_identity.this["jobs"].id]
  }
}

# The workspace of the recovery location serves, and runs nothing.
module "recovery_workspace" {
  count          = var.recovery_endpoint ? 1 : 0
  source         = "../modules/workspace"
  name           = local.workspace
  storage_name   = "${local.short}rw${local.unique}"
  vault_name     = "${local.short}rw${local.unique}"
  resource_group = local.recovery_group
  location       = var.recovery_location
  tags           = local.tags
  replication    = "LRS" # a copy itself
  deleted_days   = local.deleted_days
  log_days       = local.log_days
  isolation      = var.network.private ? "AllowOnlyApprovedOutbound" : "Disabled"
  reaches = {
    data   = { id = one(module.recovery_storage[*].id), targets = ["blob", "dfs"] }
    images = { id = var.container_registry_id, targets = ["registry"] }
  }
  keep_data = var.keep_data
}

resource "azurerm_machine_learning_datastore_blobstorage" "recovery" {
  count                      = var.recovery_endpoint ? 1 : 0
  name                       = "mlops"
  description                = "Bundles and logs of ${local.name} in the recovery location"
  workspace_id               = module.recovery_workspace[0].id
  storage_container_id       = module.recovery_storage[0].container_ids["mlops"]
  service_data_auth_identity = "WorkspaceSystemAssignedIdentity"
  tags                       = local.tags
}
