# The template's: `copier update` renews this file.
# What may be planned and applied. Who applies an environment may give these roles there, to identities alone, and no other.
locals {
  roles_to_give = {
    "AzureML Data Scientist"                          = "f6c7c914-8db3-469d-8ca1-694a8f32e121"
    "Key Vault Secrets User"                          = "4633458b-17de-408a-b874-0445c86b69e6"
    "Managed Identity Operator"                       = "f1a07417-d97a-45cb-824c-7a7467783830"
    "Monitoring Contributor"                          = "749f88d5-cbae-40b8-bcfc-e573ddc772fa"
    "Monitoring Metrics Publisher"                    = "3913510d-42f4-4e42-8a64-420c390055eb"
    "Reader"                                          = "acdd72a7-3385-48ef-bd42-f606fba81ae7"
    "Storage Account Backup Contributor"              = "e5e2a7ff-d759-4cd2-bb51-3152d37e2eb1"
    "Storage Blob Data Contributor"                   = "ba92f5b4-2d11-453d-a403-e96b0029c9fe"
    "Storage Blob Data Reader"                        = "2a2b9908-6ea1-4ae2-8e65-a410df84e7d1"
    "Azure AI Enterprise Network Connection Approver" = "b556d68e-0be0-4f35-a333-ad7ee1ce17ea"
  }
  roles_and_identities = {
    for kind, verb in { Request = "write", Resource = "delete" } : kind => join("", [
      "((!(ActionMatches{'Microsoft.Authorization/roleAssignments/${verb}'})) OR ",
      "(@${kind}[Microsoft.Authorization/roleAssignments:RoleDefinitionId] ForAnyOfAnyValues:GuidEquals {${join(", ", sort(values(local.roles_to_give)))}} ",
      "AND @${kind}[Microsoft.Authorization/roleAssignments:PrincipalType] ForAnyOfAnyValues:StringEqualsIgnoreCase {'ServicePrincipal'}))",
    ])
  }
  only_connections = replace(local.only_these_roles, join(", ", sort(values(local.roles_to_give))), local.roles_to_give["Azure AI Enterprise Network Connection Approver"])
  only_these_roles = "${local.roles_and_identities["Request"]} AND ${local.roles_and_identities["Resource"]}"

  change_blobs = [for verb in ["write", "delete", "add/action", "move/action"] : "!(ActionMatches{'Microsoft.Storage/storageAccounts/blobServices/containers/blobs/${verb}'})"]

  plan = merge(
    { for key, scope in local.scopes : "read-${key}" => { role = "Reader", scope = scope, condition = null } },
    { state = { role = "Storage Blob Data Reader", scope = module.state.container_ids["states"], condition = null } },
  )
  apply = {
    for name in var.environments : name => merge(
      { for key in [name, "${name}-recovery"] : "change-${key}" => { role = "Contributor", scope = local.scopes[key], condition = null } },
      { for key in [name, "${name}-recovery"] : "give-${key}" => {
        role      = "Role Based Access Control Administrator"
        scope     = local.scopes[key]
        condition = local.only_these_roles
      } },
      # A workspace within a network of its own connects itself to what is shared.
      { give-shared = { role = "Role Based Access Control Administrator", scope = local.scopes["shared"], condition = local.only_connections } },
      # It reads each state, and writes its own.
      { own-state = {
        role  = "Storage Blob Data Contributor"
        scope = module.state.container_ids["states"]
        condition = join("", [
          "((${join(" AND ", local.change_blobs)}) OR ",
          "(@Resource[Microsoft.Storage/storageAccounts/blobServices/containers/blobs:path] StringEquals 'project/${name}.tfstate'))",
        ])
      } },
    )
  }
}
