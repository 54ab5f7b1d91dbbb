# The template's: `copier update` renews this file.
output "backend" {
  description = "What platform/ and project/ keep their states in: terraform output -raw backend > ../backend.hcl"
  value       = "bucket = \"${module.state.name}\"\n"
}

# Variables of the repository, and of each environment, by their names in lower case.
output "mlops_gcp_workload_identity_provider" {
  value = google_iam_workload_identity_pool_provider.github.name
}

output "mlops_gcp_plan_service_account" {
  value = module.plan.email
}

output "mlops_gcp_apply_service_account" {
  description = "By environment"
  value       = { for name in var.environments : name => module.apply[name].email }
}

output "mlops_gcp_train_service_account" {
  description = "By environment"
  value       = { for name in var.environments : name => module.train[name].email }
}

output "mlops_gcp_deploy_service_account" {
  description = "By environment"
  value       = { for name in var.environments : name => module.deploy[name].email }
}
