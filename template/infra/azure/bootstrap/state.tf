# The template's: `copier update` renews this file.
# Where the states of platform/ and project/ lie, and this one's once it has moved.
module "state" {
  source         = "../modules/storage"
  name           = "${local.short}st${local.unique}"
  resource_group = azurerm_resource_group.this["ci"].name
  location       = var.location
  tags           = local.tags
  containers     = ["states"]
  replication    = var.replication
  deleted_days   = 365
  keep_data      = var.keep_data
}

# No account has keys, so who administers gets a role as well.
resource "azurerm_role_assignment" "administrator" {
  scope                = module.state.container_ids["states"]
  role_definition_name = "Storage Blob Data Contributor"
  principal_id         = coalesce(var.administrators, data.azurerm_client_config.current.object_id)
}
