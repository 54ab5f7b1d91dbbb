# The template's: `copier update` renews this file.
# The data of this environment, and its copy in the recovery region, each under a key of the region.
locals {
  bucket = "${local.name}-${local.account}"
  # Two letters, for a name can have no more than 63.
  recovery_bucket = "${local.bucket}-r"

  key_policy = jsonencode({
    Version = "2012-10-17"
    Statement = [
      {
        Sid       = "RolesOfThisAccount"
        Effect    = "Allow"
        Principal = { AWS = "${local.arn}:iam::${local.account}:root" }
        Action    = "kms:*"
        Resource  = "*" # of a key's policy: this key
      },
      {
        Sid       = "AlarmsEventsAndLogs"
        Effect    = "Allow"
        Principal = { Service = ["cloudwatch.amazonaws.com", "events.amazonaws.com", "logs.amazonaws.com"] }
        Action    = ["kms:Decrypt", "kms:Encrypt", "kms:ReEncryptFrom", "kms:ReEncryptTo", "kms:GenerateDataKey", "kms:DescribeKey"]
        Resource  = "*"
        Condition = { StringEqualsIfExists = { "aws:SourceAccount" = local.account } }
      },
    ]
  })
}

resource "aws_kms_key" "main" {
  description             = "Data of ${local.name}"
  enable_key_rotation     = true
  multi_region            = true
  deletion_window_in_days = var.keep_data ? 30 : 7
  policy                  = local.key_policy
}

resource "aws_kms_alias" "main" {
  name          = "alias/${local.name}"
  target_key_id = aws_kms_key.main.key_id
}

resource "aws_kms_replica_key" "recovery" {
  provider                = aws.recovery
  description             = "Data of ${local.name}, in the recovery region"
  primary_key_arn         = aws_kms_key.main.arn
  deletion_window_in_days = var.keep_data ? 30 : 7
  policy                  = local.key_policy
}

resource "aws_kms_alias" "recovery" {
  provider      = aws.recovery
  name          = "alias/${local.name}"
  target_key_id = aws_kms_replica_key.recovery.key_id
}

module "bucket" {
  source            = "../modules/bucket"
  name              = local.bucket
  kms_key_arn       = aws_kms_key.main.arn
  keep_data         = var.keep_data
  old_versions_days = local.old_versions_days
  expire_days       = { "pipeline/" = var.run_days, "logs/" = local.log_days }
  copy = {
    bucket_arn  = module.recovery_bucket.arn
    kms_key_arn = aws_kms_replica_key.recovery.arn
    role_arn    = module.copying.arn
  }
}

module "recovery_bucket" {
  source            = "../modules/bucket"
  providers         = { aws = aws.recovery }
  name              = local.recovery_bucket
  kms_key_arn       = aws_kms_replica_key.recovery.arn
  keep_data         = var.keep_data
  old_versions_days = local.old_versions_days
  expire_days       = { "pipeline/" = var.run_days, "logs/" = local.log_days }
}

module "copying" {
  source       = "../modules/copying"
  name         = "${local.name}-copying"
  boundary_arn = local.boundary_arn
  from         = { bucket_arn = "${local.arn}:s3:::${local.bucket}", key_arn = aws_kms_key.main.arn }
  to           = { bucket_arn = "${local.arn}:s3:::${local.recovery_bucket}", key_arn = aws_kms_replica_key.recovery.arn }
}

resource "terraform_data" "regions" {
  lifecycle {
    precondition {
      condition     = var.region != var.recovery_region
      error_message = "The recovery region is the region itself (${var.region}): a copy there is lost with it."
    }
  }
}
