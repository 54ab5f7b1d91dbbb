# The template's: `copier update` renews this file.
# Who does what: jobs, the endpoint, workflows that train and deploy. Each may do what it needs here, on the resource that it needs.
data "azurerm_user_assigned_identity" "this" {
  for_each            = { jobs = local.resource_group, endpoint = local.resource_group, train = "${var.project}-ci", deploy = "${var.project}-ci" }
  name                = "${local.name}-${each.key}"
  resource_group_name = each.value
}

locals {
  # An endpoint writes its log, and nothing else.
  change_blobs = [for verb in ["write", "delete", "add/action", "move/action"] : "!(ActionMatches{'Microsoft.Storage/storageAccounts/blobServices/containers/blobs/${verb}'})"]
  only_its_log = "((${join(" AND ", local.change_blobs)}) OR (@Resource[Microsoft.Storage/storageAccounts/blobServices/containers/blobs:path] StringLike 'logs/predictions*'))"

  scopes = merge({
    container = module.storage.container_ids["mlops"]
    artifacts = module.workspace.storage_id
    workspace = module.workspace.id
    vault     = module.workspace.vault_id
    insights  = module.workspace.insights_id
    logs      = module.workspace.logs_id
    group     = "/subscriptions/${local.subscription_id}/resourceGroups/${local.resource_group}"
    identity  = data.azurerm_user_assigned_identity.this["endpoint"].id
    }, var.recovery_endpoint ? {
    recovery-container = module.recovery_storage[0].container_ids["mlops"]
    recovery-artifacts = module.recovery_workspace[0].storage_id
    recovery-workspace = module.recovery_workspace[0].id
    recovery-insights  = module.recovery_workspace[0].insights_id
    recovery-group     = "/subscriptions/${local.subscription_id}/resourceGroups/${local.recovery_group}"
  } : {})
  # Whatever `mlops deploy` and the endpoint do here, they do in the recovery location as well.
  twice = ["container", "artifacts", "workspace", "insights", "group"]

  given = {
    jobs = {
      container = "Storage Blob Data Contributor"
      artifacts = "Storage Blob Data Contributor"
      workspace = "AzureML Data Scientist"
      vault     = "Key Vault Secrets User"
      insights  = "Monitoring Metrics Publisher"
    }
    endpoint = {
      container = "Storage Blob Data Contributor"
      artifacts = "Storage Blob Data Reader"
      vault     = "Key Vault Secrets User"
      insights  = "Monitoring Metrics Publisher"
    }
    train = {
      container = "Storage Blob Data Contributor"
      artifacts = "Storage Blob Data Contributor"
      workspace = "AzureML Data Scientist"
      insights  = "Monitoring Metrics Publisher"
      group     = "Reader"
    }
    deploy = {
      container = "Storage Blob Data Contributor"
      artifacts = "Storage Blob Data Contributor"
      workspace = "AzureML Data Scientist"
      identity  = "Managed Identity Operator"
      group     = "Monitoring Contributor" # rules of autoscale, and the metrics that a new version is judged by
    }
  }
  roles = merge([
    for who, given in local.given : merge([
      for where, role in given : {
        for at in contains(["endpoint", "deploy"], who) && contains(local.twice, where) && var.recovery_endpoint ? [where, "recovery-${where}"] : [where] :
        "${who}-${at}" => {
          who       = who
          at        = at
          role      = role
          condition = who == "endpoint" && where == "container" ? local.only_its_log : null
        }
      }
    ]...)
  ]...)
}

resource "azurerm_role_assignment" "this" {
  for_each             = local.roles
  scope                = local.scopes[each.value.at]
  role_definition_name = each.value.role
  principal_id         = data.azurerm_user_assigned_identity.this[each.value.who].principal_id
  principal_type       = "ServicePrincipal"
  condition            = each.value.condition
  condition_version    = each.value.condition == null ? null : "2.0"
}

# What the workspaces show of the lake, and take bundles from.
resource "azurerm_role_assignment" "workspace" {
  for_each = merge(
    { workspace = { scope = local.scopes["container"], principal_id = module.workspace.principal_id } },
    var.recovery_endpoint ? { recovery = { scope = local.scopes["recovery-container"], principal_id = module.recovery_workspace[0].principal_id } } : {},
  )
  scope                = each.value.scope
  role_definition_name = "Storage Blob Data Reader"
  principal_id         = each.value.principal_id
  principal_type       = "ServicePrincipal"
}

# Accounts of others that `data.source` is read from.
resource "azurerm_role_assignment" "source" {
  for_each             = var.source_container_ids
  scope                = each.key
  role_definition_name = "Storage Blob Data Reader"
  principal_id         = data.azurerm_user_assigned_identity.this["jobs"].principal_id
  principal_type       = "ServicePrincipal"
}
