# The template's: `copier update` renews this file.
# One group of model packages for all environments: the champions as SageMaker shows them. MLflow decides which they are.
locals {
  registry = var.registry.use == "create" ? 1 : 0
  group    = { create = var.project, existing = var.registry.name, none = null }[var.registry.use]
}

resource "aws_sagemaker_model_package_group" "this" {
  count                           = local.registry
  model_package_group_name        = var.project
  model_package_group_description = "Champions of ${var.project}, as MLflow has them"
}

resource "aws_sagemaker_model_package_group_policy" "this" {
  count                    = local.registry * min(length(local.others), 1)
  model_package_group_name = aws_sagemaker_model_package_group.this[0].model_package_group_name
  resource_policy = jsonencode({
    Version = "2012-10-17"
    Statement = [{
      Sid       = "OtherAccountsWrite"
      Effect    = "Allow"
      Principal = { AWS = local.others }
      Action    = ["sagemaker:CreateModelPackage", "sagemaker:DescribeModelPackage", "sagemaker:DescribeModelPackageGroup", "sagemaker:ListModelPackages", "sagemaker:UpdateModelPackage"]
      Resource = [
        aws_sagemaker_model_package_group.this[0].arn,
        "${local.arn}:sagemaker:${var.region}:${local.account}:model-package/${var.project}/*",
      ]
    }]
  })
}
