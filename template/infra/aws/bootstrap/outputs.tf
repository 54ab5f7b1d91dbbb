# The template's: `copier update` renews this file.
output "backend" {
  description = "What platform/ and project/ keep their states in: terraform output -raw backend > ../backend.hcl"
  value       = <<-EOT
    bucket       = "${module.state.name}"
    region       = "${var.region}"
    kms_key_id   = "${aws_kms_key.state.arn}"
    encrypt      = true
    use_lockfile = true
  EOT
}

output "permissions_boundary_arn" {
  value = aws_iam_policy.boundary.arn
}

# Variables of the repository, and of each environment, by their names in lower case.
output "mlops_aws_plan_role_arn" {
  value = module.plan.arn
}

output "mlops_aws_apply_role_arn" {
  description = "By environment"
  value       = { for name in var.environments : name => module.apply[name].arn }
}

output "mlops_aws_train_role_arn" {
  description = "By environment"
  value       = { for name in var.environments : name => module.train[name].arn }
}

output "mlops_aws_deploy_role_arn" {
  description = "By environment"
  value       = { for name in var.environments : name => module.deploy[name].arn }
}
