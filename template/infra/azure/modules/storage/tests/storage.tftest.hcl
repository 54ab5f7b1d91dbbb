# The template's: `copier update` renews this file.
# Every storage account of this project comes from this module.
mock_provider "azurerm" {
  mock_resource "azurerm_storage_account" {
    defaults = { id = "/subscriptions/11111111-2222-3333-4444-555555555555/resourceGroups/g/providers/Microsoft.Storage/storageAccounts/account" }
  }
}

variables {
  name           = "flightdelada12345678"
  resource_group = "flight-delays-dev"
  location       = "eastus"
  tags           = { project = "flight-delays" }
  folders        = true
  containers     = ["mlops"]
  expire_days    = { "mlops/logs/" = 30 }
  keep_data      = false
}

run "is_private" {
  assert {
    condition = (
      !azurerm_storage_account.this.allow_nested_items_to_be_public && !azurerm_storage_account.this.cross_tenant_replication_enabled &&
      alltrue([for container in azurerm_storage_container.this : container.container_access_type == "private"])
    )
    error_message = "What lies in it can be made public."
  }
  assert {
    condition     = !azurerm_storage_account.this.shared_access_key_enabled && !azurerm_storage_account.this.local_user_enabled && !azurerm_storage_account.this.sftp_enabled
    error_message = "Somebody gets in with a key or a password."
  }
}

run "is_encrypted" {
  assert {
    condition     = azurerm_storage_account.this.https_traffic_only_enabled && azurerm_storage_account.this.min_tls_version == "TLS1_2"
    error_message = "The account answers without TLS."
  }
  assert {
    condition     = azurerm_storage_account.this.infrastructure_encryption_enabled
    error_message = "What lies in it is not encrypted twice."
  }
}

run "keeps_what_was_there" {
  assert {
    condition = (
      azurerm_storage_account.this.blob_properties[0].delete_retention_policy[0].days == 90 &&
      azurerm_storage_account.this.blob_properties[0].container_delete_retention_policy[0].days == 90
    )
    error_message = "What is overwritten or deleted is lost."
  }
  assert {
    condition     = !azurerm_storage_account.this.blob_properties[0].versioning_enabled
    error_message = "Azure has no versions in an account with folders, and refuses to make it."
  }
  assert {
    condition = [
      for rule in azurerm_storage_management_policy.this[0].rule :
      [rule.filters[0].prefix_match, rule.actions[0].base_blob[0].delete_after_days_since_modification_greater_than]
    ] == [[toset(["mlops/logs/"]), 30]]
    error_message = "Logs do not go."
  }
}

run "is_copied" {
  assert {
    condition     = output.copied
    error_message = "The account has no copy in another location."
  }
}

run "is_no_copy_when_told" {
  variables {
    replication = "LRS"
  }
  assert {
    condition     = !output.copied
    error_message = "An account in one location counts as copied."
  }
}

run "has_versions_without_folders" {
  variables {
    folders     = false
    expire_days = {}
  }
  assert {
    condition     = azurerm_storage_account.this.blob_properties[0].versioning_enabled && azurerm_storage_management_policy.this[0].rule[0].actions[0].version[0].delete_after_days_since_creation == 90
    error_message = "Versions are not kept, or for ever."
  }
}

run "keeps_data_until_told" {
  command = plan
  variables {
    keep_data = true
  }
  assert {
    condition     = terraform_data.keep.input.keep
    error_message = "destroy takes away data without having been told."
  }
}

run "has_a_name_that_azure_takes" {
  command = plan
  variables {
    name = "Flight-Delays"
  }
  expect_failures = [var.name]
}
