# The template's: `copier update` renews this file.
output "backend" {
  description = "What platform/ and project/ keep their states in: terraform output -raw backend > ../backend.hcl"
  value       = <<-EOT
    subscription_id      = "${data.azurerm_client_config.current.subscription_id}"
    tenant_id            = "${data.azurerm_client_config.current.tenant_id}"
    resource_group_name  = "${azurerm_resource_group.this["ci"].name}"
    storage_account_name = "${module.state.name}"
    container_name       = "states"
    use_azuread_auth     = true
  EOT
}

# Variables of the repository, and of each environment, by their names in lower case.
output "mlops_azure_tenant" {
  value = data.azurerm_client_config.current.tenant_id
}

output "mlops_azure_plan_client_id" {
  value = module.plan.client_id
}

output "mlops_azure_apply_client_id" {
  description = "By environment"
  value       = { for name in var.environments : name => module.apply[name].client_id }
}

output "mlops_azure_train_client_id" {
  description = "By environment"
  value       = { for name in var.environments : name => module.train[name].client_id }
}

output "mlops_azure_deploy_client_id" {
  description = "By environment"
  value       = { for name in var.environments : name => module.deploy[name].client_id }
}
