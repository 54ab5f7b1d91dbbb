# The template's: `copier update` renews this file.
# What stands beside the endpoints. They come into being by the first `mlops deploy`; nothing here needs a model.
resource "aws_sagemaker_model_package_group" "this" {
  count                           = var.model_package_group == null ? 1 : 0
  model_package_group_name        = local.name
  model_package_group_description = "Champions of ${local.name}, as MLflow has them"
}

module "endpoint" {
  source        = "../modules/endpoint"
  name          = local.name
  kms_key_arn   = aws_kms_key.main.arn
  owner_email   = var.owner_email
  log_days      = local.log_days
  error_percent = var.error_percent
  latency_ms    = var.latency_ms
  api           = var.api == null ? null : merge(var.api, { role_arn = module.api_role[0].arn, failover = "PRIMARY" })
}

module "recovery_endpoint" {
  count         = var.recovery_endpoint ? 1 : 0
  source        = "../modules/endpoint"
  providers     = { aws = aws.recovery }
  name          = local.name
  kms_key_arn   = aws_kms_replica_key.recovery.arn
  owner_email   = var.owner_email
  log_days      = local.log_days
  error_percent = var.error_percent
  latency_ms    = var.latency_ms
  api           = var.api == null ? null : merge(var.api, { role_arn = module.api_role[0].arn, failover = "SECONDARY" })
}

module "api_role" {
  count        = var.api == null ? 0 : 1
  source       = "../modules/role"
  name         = "${local.name}-api"
  boundary_arn = local.boundary_arn
  trust        = [local.trust["apigateway"]]
  statements = [{
    Action   = ["sagemaker:InvokeEndpoint"]
    Resource = ["${local.arn}:sagemaker:*:${local.account}:endpoint/${local.name}"]
  }]
}

resource "terraform_data" "failover" {
  count = var.api == null ? 0 : 1
  lifecycle {
    precondition {
      condition     = var.recovery_endpoint
      error_message = "api needs recovery_endpoint = true: a name that leads to two regions needs an endpoint in each."
    }
  }
}
