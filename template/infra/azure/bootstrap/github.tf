# The template's: `copier update` renews this file.
# Workflows become identities by GitHub's tokens, an hour at a time: no secret of Azure is kept in GitHub. Which job of which
# environment may is written out, and modules/identity refuses anything less exact.
locals {
  subjects = merge(
    { plan = concat(
      [for subject in var.plan_from : "repo:${var.github_repository}:${subject}"],
      [for name in var.environments : "repo:${var.github_repository}:environment:${name}"],
    ) },
    { for name in var.environments : name => ["repo:${var.github_repository}:environment:${name}"] },
    { for name in var.environments : "train-${name}" => [
      for place in name == var.train_for ? [name, "train"] : [name] : "repo:${var.github_repository}:environment:${place}"
    ] },
  )
}

module "plan" {
  source         = "../modules/identity"
  name           = "${var.project}-plan"
  resource_group = azurerm_resource_group.this["ci"].name
  location       = var.location
  tags           = local.tags
  subjects       = local.subjects["plan"]
  roles          = local.plan
  depends_on     = [azurerm_resource_group.this]
}

module "apply" {
  for_each       = var.environments
  source         = "../modules/identity"
  name           = "${var.project}-${each.key}-apply"
  resource_group = azurerm_resource_group.this["ci"].name
  location       = var.location
  tags           = merge(local.tags, { environment = each.key })
  subjects       = local.subjects[each.key]
  roles          = merge(local.plan, local.apply[each.key])
  depends_on     = [azurerm_resource_group.this]
}

# What these may do, platform/ and project/ say, where there is something to do it with.
module "train" {
  for_each       = var.environments
  source         = "../modules/identity"
  name           = "${var.project}-${each.key}-train"
  resource_group = azurerm_resource_group.this["ci"].name
  location       = var.location
  tags           = merge(local.tags, { environment = each.key })
  subjects       = local.subjects["train-${each.key}"]
}

module "deploy" {
  for_each       = var.environments
  source         = "../modules/identity"
  name           = "${var.project}-${each.key}-deploy"
  resource_group = azurerm_resource_group.this["ci"].name
  location       = var.location
  tags           = merge(local.tags, { environment = each.key })
  subjects       = local.subjects[each.key]
}

# Jobs and endpoint run as these; no token of GitHub becomes them.
module "jobs" {
  for_each       = var.environments
  source         = "../modules/identity"
  name           = "${var.project}-${each.key}-jobs"
  resource_group = azurerm_resource_group.this[each.key].name
  location       = var.location
  tags           = merge(local.tags, { environment = each.key })
}

module "endpoint" {
  for_each       = var.environments
  source         = "../modules/identity"
  name           = "${var.project}-${each.key}-endpoint"
  resource_group = azurerm_resource_group.this[each.key].name
  location       = var.location
  tags           = merge(local.tags, { environment = each.key })
}
