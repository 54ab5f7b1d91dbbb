# The template's: `copier update` renews this file.
# Images: pulled and pushed by identity alone, and the recovery location has them too.
resource "azurerm_container_registry" "this" {
  # checkov:skip=CKV_AZURE_164:content trust is no longer offered; image.yml signs
  # checkov:skip=CKV_AZURE_166:image.yml scans before it pushes
  # checkov:skip=CKV_AZURE_233:images.zones, where the location has some
  count                         = var.images.use == "create" ? 1 : 0
  name                          = "${local.short}im${local.unique}"
  resource_group_name           = local.resource_group
  location                      = var.location
  sku                           = "Premium" # the only one that is copied
  admin_enabled                 = false
  anonymous_pull_enabled        = false
  export_policy_enabled         = true
  data_endpoint_enabled         = true
  zone_redundancy_enabled       = var.images.zones
  retention_policy_in_days      = 14 # of what has no tag, left by a push that broke off
  public_network_access_enabled = true
  tags                          = local.tags

  georeplications {
    location                        = var.recovery_location
    global_endpoint_routing_enabled = true
    zone_redundancy_enabled         = var.images.zones
    tags                            = local.tags
  }
}

locals {
  images = var.images.use == "create" ? {
    id     = azurerm_container_registry.this[0].id
    server = azurerm_container_registry.this[0].login_server
    } : {
    id     = var.images.id
    server = var.images.server
  }
}

resource "terraform_data" "locations" {
  lifecycle {
    precondition {
      condition     = var.location != var.recovery_location
      error_message = "The recovery location is the location itself (${var.location}): a copy there is lost with it."
    }
  }
}
