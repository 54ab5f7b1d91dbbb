# The template's: `copier update` renews this file.
# What each environment's identities, of infra/azure/bootstrap, may do with what is shared.
locals {
  who = merge([
    for name in var.environments : { for role in ["jobs", "endpoint", "train", "deploy"] : "${name}-${role}" => { name = name, role = role } }
  ]...)

  on_images   = { jobs = "AcrPull", endpoint = "AcrPull", train = "AcrPush", deploy = "AcrPull" }
  on_settings = { train = "Reader", deploy = "Reader" } # of the container registry, to log in and to be checked
  on_tracking = { jobs = "AzureML Data Scientist", train = "AzureML Data Scientist", deploy = "AzureML Data Scientist" }
  on_storage  = { jobs = "Storage Blob Data Contributor", train = "Storage Blob Data Contributor", deploy = "Storage Blob Data Reader" }
  on_registry = var.registry.use == "none" ? {} : { jobs = "AzureML Registry User", endpoint = "AzureML Registry User", train = "AzureML Registry User", deploy = "AzureML Registry User" }

  roles = merge([
    for what, given in { images = local.on_images, settings = local.on_settings, tracking = local.on_tracking, artifacts = local.on_storage, registry = local.on_registry } : {
      for key, who in local.who : "${key}-${what}" => {
        who  = key
        role = given[who.role]
        what = what
      } if contains(keys(given), who.role)
    }
  ]...)
  scopes = {
    images    = local.images.id
    settings  = local.images.id
    tracking  = local.tracking.workspace_id
    artifacts = local.tracking.storage_id
    registry  = local.registry.id
  }
}

data "azurerm_user_assigned_identity" "this" {
  for_each            = local.who
  name                = "${var.project}-${each.key}"
  resource_group_name = contains(["train", "deploy"], each.value.role) ? "${var.project}-ci" : "${var.project}-${each.value.name}"
}

resource "azurerm_role_assignment" "this" {
  for_each             = local.roles
  scope                = local.scopes[each.value.what]
  role_definition_name = each.value.role
  principal_id         = data.azurerm_user_assigned_identity.this[each.value.who].principal_id
  principal_type       = "ServicePrincipal"
}
