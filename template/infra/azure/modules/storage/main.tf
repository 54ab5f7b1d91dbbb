# The template's: `copier update` renews this file.
# A storage account as every one here has to be: no anonymous reader, no key, TLS alone, encrypted twice, with a copy elsewhere.
terraform {
  required_version = ">= 1.10.0"
  required_providers {
    azurerm = {
      source  = "hashicorp/azurerm"
      version = "~> 5.0"
    }
  }
}

resource "azurerm_storage_account" "this" {
  # checkov:skip=CKV_AZURE_43:variables.tf checks the name
  # checkov:skip=CKV_AZURE_33:nothing here uses queues
  # checkov:skip=CKV_AZURE_206:bootstrap/, platform/ and project/ refuse data without a copy; those that are copies need none
  name                              = var.name
  resource_group_name               = var.resource_group
  location                          = var.location
  account_tier                      = "Standard"
  account_kind                      = "StorageV2"
  account_replication_type          = var.replication
  is_hns_enabled                    = var.folders
  allow_nested_items_to_be_public   = false
  shared_access_key_enabled         = false
  default_to_oauth_authentication   = true
  local_user_enabled                = false
  sftp_enabled                      = false
  cross_tenant_replication_enabled  = false
  https_traffic_only_enabled        = true
  min_tls_version                   = "TLS1_2"
  infrastructure_encryption_enabled = true
  tags                              = var.tags

  # With folders an account has no versions: what is deleted or overwritten is kept, and the backup below is immutable.
  blob_properties {
    versioning_enabled = !var.folders
    delete_retention_policy {
      days = var.deleted_days
    }
    container_delete_retention_policy {
      days = var.deleted_days
    }
  }
}

resource "azurerm_storage_container" "this" {
  for_each              = var.containers
  name                  = each.key
  storage_account_id    = azurerm_storage_account.this.id
  container_access_type = "private"
}

resource "azurerm_storage_management_policy" "this" {
  count              = var.folders && length(var.expire_days) == 0 ? 0 : 1
  storage_account_id = azurerm_storage_account.this.id

  dynamic "rule" {
    for_each = var.expire_days
    content {
      name    = "expire-${trim(replace(rule.key, "/", "-"), "-")}"
      enabled = true
      filters {
        blob_types   = ["blockBlob", "appendBlob"]
        prefix_match = [rule.key]
      }
      actions {
        base_blob {
          delete_after_days_since_modification_greater_than = rule.value
        }
      }
    }
  }

  dynamic "rule" {
    for_each = var.folders ? [] : [var.deleted_days]
    content {
      name    = "old-versions"
      enabled = true
      filters {
        blob_types = ["blockBlob"]
      }
      actions {
        version {
          delete_after_days_since_creation = rule.value
        }
      }
    }
  }
}

# `destroy` takes this away before the account, and cannot while data is to be kept.
resource "terraform_data" "keep" {
  input            = { keep = var.keep_data, name = azurerm_storage_account.this.name }
  triggers_replace = azurerm_storage_account.this.id
  provisioner "local-exec" {
    when    = destroy
    command = self.input.keep ? "echo 'Data is in the way: apply with keep_data = false before you destroy ${self.input.name}.' >&2; exit 1" : "true"
  }
  depends_on = [azurerm_storage_container.this]
}
