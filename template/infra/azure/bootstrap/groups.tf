# The template's: `copier update` renews this file.
# The resource groups are made here, so that roles end at them: the identity that applies an environment owns nothing else.
locals {
  environments = { for name in var.environments : name => "${var.project}-${name}" }
  groups = merge(
    { ci = { name = "${var.project}-ci", environment = "shared", location = var.location } },
    { shared = { name = "${var.project}-shared", environment = "shared", location = var.location } },
    { for name, group in local.environments : name => { name = group, environment = name, location = var.location } },
    { for name, group in local.environments : "${name}-recovery" => { name = "${group}-recovery", environment = name, location = var.recovery_location } },
  )
  # What a group is called, before there is one.
  scopes = { for key, group in local.groups : key => "${local.subscription}/resourceGroups/${group.name}" }
}

resource "azurerm_resource_group" "this" {
  for_each = local.groups
  name     = each.value.name
  location = each.value.location
  tags     = merge(local.tags, { environment = each.value.environment })
}
