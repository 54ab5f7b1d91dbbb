# The template's: `copier update` renews this file.
# SageMaker's managed MLflow, and the bucket in which it keeps artifacts.
locals {
  tracking = var.tracking.use == "create" ? 1 : 0
  bucket   = "${local.name}-${local.account}"
  keys     = var.tracking.use == "create" || var.images.use == "create" ? 1 : 0

  key_policy = jsonencode({
    Version = "2012-10-17"
    Statement = concat([{
      Sid       = "RolesOfThisAccount"
      Effect    = "Allow"
      Principal = { AWS = "${local.arn}:iam::${local.account}:root" }
      Action    = ["kms:*"]
      Resource  = "*" # of a key's policy: this key
      }], length(local.others) == 0 ? [] : [{
      Sid       = "RolesOfOtherAccounts"
      Effect    = "Allow"
      Principal = { AWS = local.others }
      Action    = ["kms:Decrypt", "kms:DescribeKey", "kms:GenerateDataKey"]
      Resource  = "*"
    }])
  })
}

resource "aws_kms_key" "main" {
  count                   = local.keys
  description             = "Images and artifacts of ${var.project}"
  enable_key_rotation     = true
  multi_region            = true
  deletion_window_in_days = var.keep_data ? 30 : 7
  policy                  = local.key_policy
}

resource "aws_kms_alias" "main" {
  count         = local.keys
  name          = "alias/${local.name}"
  target_key_id = aws_kms_key.main[0].key_id
}

resource "aws_kms_replica_key" "recovery" {
  provider                = aws.recovery
  count                   = local.keys
  description             = "Artifacts of ${var.project}, in the recovery region"
  primary_key_arn         = aws_kms_key.main[0].arn
  deletion_window_in_days = var.keep_data ? 30 : 7
  policy                  = local.key_policy
}

module "bucket" {
  count       = local.tracking
  source      = "../modules/bucket"
  name        = local.bucket
  kms_key_arn = aws_kms_key.main[0].arn
  keep_data   = var.keep_data
  users       = local.others
  copy = {
    bucket_arn  = module.recovery_bucket[0].arn
    kms_key_arn = aws_kms_replica_key.recovery[0].arn
    role_arn    = module.copying[0].arn
  }
}

module "recovery_bucket" {
  count       = local.tracking
  source      = "../modules/bucket"
  providers   = { aws = aws.recovery }
  name        = "${local.bucket}-r"
  kms_key_arn = aws_kms_replica_key.recovery[0].arn
  keep_data   = var.keep_data
}

module "copying" {
  count        = local.tracking
  source       = "../modules/copying"
  name         = "${local.name}-copying"
  boundary_arn = local.boundary_arn
  from         = { bucket_arn = "${local.arn}:s3:::${local.bucket}", key_arn = aws_kms_key.main[0].arn }
  to           = { bucket_arn = "${local.arn}:s3:::${local.bucket}-r", key_arn = aws_kms_replica_key.recovery[0].arn }
}

locals {
  boundary_arn = coalesce(var.permissions_boundary_arn, "${local.arn}:iam::${local.account}:policy/${var.project}-boundary")
}

module "tracking_role" {
  count        = local.tracking
  source       = "../modules/role"
  name         = "${local.name}-tracking"
  boundary_arn = local.boundary_arn
  trust = [{
    Principal = { Service = "sagemaker.amazonaws.com" }
    Action    = "sts:AssumeRole"
    Condition = { StringEquals = { "aws:SourceAccount" = [local.account] } }
  }]
  statements = [
    { Action = ["s3:ListBucket"], Resource = [module.bucket[0].arn] },
    { Action = ["s3:GetObject", "s3:PutObject"], Resource = ["${module.bucket[0].arn}/mlflow/*"] },
    { Action = ["kms:Decrypt", "kms:GenerateDataKey"], Resource = [aws_kms_key.main[0].arn] },
  ]
}

resource "aws_sagemaker_mlflow_tracking_server" "this" {
  count                        = local.tracking
  tracking_server_name         = var.project
  tracking_server_size         = var.tracking.size
  artifact_store_uri           = "s3://${module.bucket[0].name}/mlflow"
  role_arn                     = module.tracking_role[0].arn
  automatic_model_registration = false # `mlops deploy` writes the registry
}
