# The template's: `copier update` renews this file.
# One registry for all environments, in both locations: components and champions as Azure Machine Learning shows them. MLflow
# decides which they are.
locals {
  registry_name = "${local.short}-${local.unique}"
}

resource "azapi_resource" "registry" {
  count     = var.registry.use == "create" ? 1 : 0
  type      = "Microsoft.MachineLearningServices/registries@2024-10-01"
  name      = local.registry_name
  parent_id = "${local.subscription}/resourceGroups/${local.resource_group}"
  location  = var.location
  tags      = local.tags
  identity {
    type = "SystemAssigned"
  }
  body = {
    properties = {
      publicNetworkAccess = "Enabled"
      regionDetails = [for location in [var.location, var.recovery_location] : {
        location   = location
        acrDetails = [{ systemCreatedAcrAccount = { acrAccountSku = "Premium" } }]
        storageAccountDetails = [{ systemCreatedStorageAccount = {
          storageAccountType       = "Standard_RAGRS"
          storageAccountHnsEnabled = false
          allowBlobPublicAccess    = false
        } }]
      }]
    }
  }
}

locals {
  registry = {
    create   = { id = one(azapi_resource.registry[*].id), name = local.registry_name }
    existing = { id = var.registry.id, name = try(reverse(split("/", var.registry.id))[0], null) }
    none     = { id = null, name = null }
  }[var.registry.use]
}
