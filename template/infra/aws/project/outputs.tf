# The template's: `copier update` renews this file.
# Variables of the environment, by their names in lower case. `mlops doctor --on aws` has the commands that set them.
output "mlops_aws_bucket" {
  value = module.bucket.name
}

output "mlops_aws_pipeline_repository" {
  value = var.pipeline_repository
}

output "mlops_aws_serving_repository" {
  value = var.serving_repository
}

output "mlops_aws_pipeline_role_arn" {
  value = module.pipeline_role.arn
}

output "mlops_aws_endpoint_role_arn" {
  value = module.endpoint_role.arn
}

output "mlops_aws_scheduler_role_arn" {
  value = module.scheduler_role.arn
}

output "mlops_aws_model_package_group" {
  value = coalesce(var.model_package_group, one(aws_sagemaker_model_package_group.this[*].model_package_group_name))
}

output "mlops_aws_kms_key_arn" {
  value = aws_kms_key.main.arn
}

output "mlops_aws_subnets" {
  value = join(",", var.network.subnets)
}

output "mlops_aws_security_groups" {
  value = join(",", var.network.security_groups)
}

output "mlops_aws_alarms" {
  value = join(",", module.endpoint.alarms)
}

output "mlops_aws_recovery_endpoint" {
  value = tostring(var.recovery_endpoint)
}

output "mlops_aws_recovery_bucket" {
  value = module.recovery_bucket.name
}

output "mlops_aws_recovery_kms_key_arn" {
  value = aws_kms_replica_key.recovery.arn
}

output "mlops_aws_recovery_subnets" {
  value = join(",", var.network.recovery_subnets)
}

output "mlops_aws_recovery_security_groups" {
  value = join(",", var.network.recovery_security_groups)
}

output "mlops_aws_recovery_alarms" {
  value = join(",", flatten(module.recovery_endpoint[*].alarms))
}

output "mlops_tracking_uri" {
  value = var.tracking_arn
}

output "mlops_log_uri" {
  value = "s3://${module.bucket.name}/logs/predictions"
}

output "mlops_data_remote" {
  value = "s3://${module.bucket.name}/dvc"
}

output "dashboard" {
  description = "Where to look"
  value       = "https://${var.region}.console.aws.amazon.com/cloudwatch/home?region=${var.region}#dashboards/dashboard/${local.name}"
}
