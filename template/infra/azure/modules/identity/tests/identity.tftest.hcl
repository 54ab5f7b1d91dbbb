# The template's: `copier update` renews this file.
# Every identity of this project comes from this module.
mock_provider "azurerm" {
  mock_resource "azurerm_user_assigned_identity" {
    defaults = { id = "/subscriptions/11111111-2222-3333-4444-555555555555/resourceGroups/g/providers/Microsoft.ManagedIdentity/userAssignedIdentities/name", principal_id = "77777777-2222-3333-4444-555555555555" }
  }
}

variables {
  name           = "flight-delays-dev-apply"
  resource_group = "flight-delays-ci"
  location       = "eastus"
  tags           = { project = "flight-delays" }
  subjects       = ["repo:owner/name:environment:dev"]
  roles          = { read = { role = "Reader", scope = "/subscriptions/11111111-2222-3333-4444-555555555555/resourceGroups/flight-delays-dev" } }
}

run "trusts_what_is_written_out" {
  assert {
    condition = output.subjects == [{
      issuer   = "https://token.actions.githubusercontent.com"
      audience = tolist(["api://AzureADTokenExchange"])
      subject  = "repo:owner/name:environment:dev"
    }]
    error_message = "Others than that job become this identity."
  }
  assert {
    condition     = output.roles["read"].role == "Reader" && azurerm_role_assignment.this["read"].principal_id == azurerm_user_assigned_identity.this.principal_id
    error_message = "It does not get its role."
  }
}

run "trusts_no_wildcard" {
  command = plan
  variables {
    subjects = ["repo:owner/*:environment:dev"]
  }
  expect_failures = [var.subjects]
}

run "trusts_no_whole_repository" {
  command = plan
  variables {
    subjects = ["repo:owner/name"]
  }
  expect_failures = [var.subjects]
}

run "trusts_no_other_issuer_s_subject" {
  command = plan
  variables {
    subjects = ["system:serviceaccount:default:default"]
  }
  expect_failures = [var.subjects]
}

run "owns_nothing" {
  command = plan
  variables {
    roles = { all = { role = "Owner", scope = "/subscriptions/11111111-2222-3333-4444-555555555555/resourceGroups/flight-delays-dev" } }
  }
  expect_failures = [var.roles]
}

run "gives_no_role_without_a_condition" {
  command = plan
  variables {
    roles = { give = { role = "Role Based Access Control Administrator", scope = "/subscriptions/11111111-2222-3333-4444-555555555555/resourceGroups/flight-delays-dev" } }
  }
  expect_failures = [var.roles]
}

run "reaches_no_whole_subscription" {
  command = plan
  variables {
    roles = { read = { role = "Reader", scope = "/subscriptions/11111111-2222-3333-4444-555555555555" } }
  }
  expect_failures = [var.roles]
}
