# The template's: `copier update` renews this file.
mock_provider "azurerm" {
  mock_data "azurerm_client_config" {
    defaults = {
      tenant_id       = "99999999-2222-3333-4444-555555555555"
      subscription_id = "11111111-2222-3333-4444-555555555555"
      object_id       = "88888888-2222-3333-4444-555555555555"
    }
  }
  mock_resource "azurerm_storage_account" {
    defaults = { id = "/subscriptions/11111111-2222-3333-4444-555555555555/resourceGroups/g/providers/Microsoft.Storage/storageAccounts/account" }
  }
  mock_resource "azurerm_user_assigned_identity" {
    defaults = { id = "/subscriptions/11111111-2222-3333-4444-555555555555/resourceGroups/g/providers/Microsoft.ManagedIdentity/userAssignedIdentities/name", principal_id = "77777777-2222-3333-4444-555555555555" }
  }
}

variables {
  github_repository = "owner/name"
  environments      = ["dev", "staging", "prod"]
  keep_data         = false
}

run "trusts_one_job_of_one_repository" {
  assert {
    condition = alltrue([
      for name in ["dev", "staging", "prod"] : alltrue([
        for who, said in { apply = module.apply[name].subjects, train = module.train[name].subjects, deploy = module.deploy[name].subjects } :
        toset([for each in said : each.subject]) == toset([
          for place in who == "train" && name == "prod" ? [name, "train"] : [name] : "repo:owner/name:environment:${place}"
        ])
      ])
    ])
    error_message = "An identity trusts more than the jobs of its environment."
  }
  assert {
    condition = toset([for each in module.plan.subjects : each.subject]) == toset([
      "repo:owner/name:pull_request", "repo:owner/name:ref:refs/heads/main",
      "repo:owner/name:environment:dev", "repo:owner/name:environment:staging", "repo:owner/name:environment:prod",
    ])
    error_message = "Others than pull requests, the main branch and the environments can plan."
  }
  assert {
    condition = alltrue([
      for each in flatten([module.plan.subjects, [for name in ["dev", "staging", "prod"] : [module.apply[name].subjects, module.train[name].subjects, module.deploy[name].subjects]]]) :
      each.issuer == "https://token.actions.githubusercontent.com" && each.audience == tolist(["api://AzureADTokenExchange"])
    ])
    error_message = "Tokens of another issuer, or for another audience, are taken."
  }
  assert {
    condition     = alltrue([for name in ["dev", "staging", "prod"] : module.jobs[name].subjects == [] && module.endpoint[name].subjects == []])
    error_message = "A workflow can become the identity of jobs or endpoint."
  }
}

run "names_a_repository" {
  command = plan
  variables {
    github_repository = "owner/*"
  }
  expect_failures = [var.github_repository]
}

run "plans_without_changing" {
  command = plan # of what is there already
  assert {
    condition     = alltrue([for each in module.plan.roles : contains(["Reader", "Storage Blob Data Reader"], each.role)])
    error_message = "Who plans can change something."
  }
}

run "keeps_to_its_environment" {
  command = plan # of what is there already
  assert {
    condition = alltrue([
      for name in ["dev", "staging", "prod"] : alltrue([
        for each in module.apply[name].roles : anytrue([
          for group in ["${var.project}-${name}", "${var.project}-${name}-recovery"] : each.scope == "/subscriptions/11111111-2222-3333-4444-555555555555/resourceGroups/${group}"
        ]) if each.role == "Contributor"
      ])
    ])
    error_message = "The identity that applies an environment can change another."
  }
  assert {
    condition = alltrue([
      for name in ["dev", "staging", "prod"] : alltrue([
        for each in module.apply[name].roles : strcontains(each.condition, "StringEquals 'project/${name}.tfstate'") && strcontains(each.condition, "blobs/write'")
        if each.role == "Storage Blob Data Contributor"
      ])
    ])
    error_message = "The identity that applies an environment can write the state of another."
  }
}

run "gives_no_role_that_gives_roles" {
  command = plan # of what is there already
  assert {
    condition = alltrue(flatten([
      for name in ["dev", "staging", "prod"] : [
        for each in module.apply[name].roles : [
          # Owner, Contributor, User Access Administrator, Role Based Access Control Administrator
          for id in ["8e3af657-a8ff-443c-a75c-2fe8c4bcb635", "b24988ac-6180-42a0-ab88-20f7382dd24c", "18d7d88d-d35e-4fb5-a5c3-7773c20a72d9", "f58310d9-a9f6-439a-9e8d-f62e7b41a168"] :
          !strcontains(each.condition, id) && strcontains(each.condition, "roleAssignments/write'") && strcontains(each.condition, "roleAssignments/delete'") &&
          strcontains(each.condition, "{'ServicePrincipal'}")
        ] if each.role == "Role Based Access Control Administrator"
      ]
    ]))
    error_message = "The identity that applies can give somebody everything."
  }
  assert {
    condition = alltrue([
      for name in ["dev", "staging", "prod"] : regexall("[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}", module.apply[name].roles["give-shared"].condition) == tolist([
        "b556d68e-0be0-4f35-a333-ad7ee1ce17ea", "b556d68e-0be0-4f35-a333-ad7ee1ce17ea",
      ])
    ])
    error_message = "An environment can give roles on what all share, beyond its workspace's own connection."
  }
}

run "warns_of_money" {
  command = plan # of what is there already
  assert {
    condition     = azurerm_consumption_budget_subscription.monthly.amount == var.monthly_budget && azurerm_consumption_budget_subscription.monthly.time_grain == "Monthly"
    error_message = "There is no monthly budget."
  }
  assert {
    condition = toset([
      for notice in azurerm_consumption_budget_subscription.monthly.notification : "${notice.threshold_type} ${notice.threshold}" if contains(notice.contact_emails, var.owner_email)
    ]) == toset(["Actual 80", "Actual 100", "Forecasted 100"])
    error_message = "The owner is not warned before the money is spent."
  }
}

run "has_a_budget" {
  command = plan
  variables {
    monthly_budget = 0
  }
  expect_failures = [var.monthly_budget]
}

run "keeps_states" {
  command = plan # of what is there already
  assert {
    condition = output.backend == join("\n", [
      "subscription_id      = \"11111111-2222-3333-4444-555555555555\"",
      "tenant_id            = \"99999999-2222-3333-4444-555555555555\"",
      "resource_group_name  = \"${var.project}-ci\"",
      "storage_account_name = \"${module.state.name}\"",
      "container_name       = \"states\"",
      "use_azuread_auth     = true",
      "",
    ])
    error_message = "The settings of the backend are not what platform/ and project/ need."
  }
  assert {
    condition     = module.state.copied && module.state.deleted_days == 365
    error_message = "States have no copy in another location, or what was overwritten is lost."
  }
}

run "copies_states" {
  command = plan
  variables {
    replication = "LRS"
  }
  expect_failures = [var.replication]
}

run "tags_everything" {
  command = plan # of what is there already
  assert {
    condition     = local.tags["project"] == var.project && local.tags["environment"] == "shared" && local.tags["owner"] == var.owner_email && local.tags["managed-by"] != ""
    error_message = "The bill cannot be split by project, environment and owner."
  }
  assert {
    condition = alltrue([
      for key, group in azurerm_resource_group.this : group.tags["environment"] == (contains(["ci", "shared"], key) ? "shared" : trimsuffix(key, "-recovery"))
    ])
    error_message = "A resource group is billed to another environment."
  }
}
