# The template's: `copier update` renews this file.
# What project/ takes: terraform output -json settings > ../project/platform.auto.tfvars.json
output "settings" {
  value = {
    pipeline_repository = var.images.use == "create" ? aws_ecr_repository.this["pipeline"].repository_url : var.images.pipeline
    serving_repository  = var.images.use == "create" ? aws_ecr_repository.this["serving"].repository_url : var.images.serving
    tracking_arn        = var.tracking.use == "create" ? aws_sagemaker_mlflow_tracking_server.this[0].arn : var.tracking.arn
    shared_bucket_arn   = var.tracking.use == "create" ? module.bucket[0].arn : var.tracking.bucket_arn
    shared_key_arn      = var.tracking.use == "create" ? aws_kms_key.main[0].arn : var.tracking.key_arn
    model_package_group = local.group
    network = {
      subnets                  = local.network == 1 ? aws_subnet.this[*].id : var.network.subnets
      security_groups          = local.network == 1 ? aws_security_group.jobs[*].id : var.network.security_groups
      recovery_subnets         = var.network.recovery_subnets
      recovery_security_groups = var.network.recovery_security_groups
    }
  }
}
