# The template's: `copier update` renews this file.
output "name" {
  value = azurerm_storage_account.this.name
}

output "id" {
  value = azurerm_storage_account.this.id
}

output "container_ids" {
  description = "By name; what roles are given on"
  value       = { for name, container in azurerm_storage_container.this : name => "${azurerm_storage_account.this.id}/blobServices/default/containers/${container.name}" }
}

output "copied" {
  description = "Whether there is a copy in another location"
  value       = strcontains(azurerm_storage_account.this.account_replication_type, "G")
}

output "deleted_days" {
  value = azurerm_storage_account.this.blob_properties[0].delete_retention_policy[0].days
}
