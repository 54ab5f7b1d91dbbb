# The template's: `copier update` renews this file.
output "id" {
  value = azurerm_user_assigned_identity.this.id
}

output "client_id" {
  value = azurerm_user_assigned_identity.this.client_id
}

output "principal_id" {
  value = azurerm_user_assigned_identity.this.principal_id
}

output "subjects" {
  description = "Which tokens become it: issuer, audience and subject of each"
  value       = [for each in azurerm_federated_identity_credential.this : { issuer = each.issuer, audience = each.audience, subject = each.subject }]
}

output "roles" {
  description = "What it may do, where"
  value       = { for name, each in azurerm_role_assignment.this : name => { role = each.role_definition_name, scope = each.scope, condition = each.condition } }
}
