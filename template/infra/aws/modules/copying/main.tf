# The template's: `copier update` renews this file.
# The role with which S3 copies a bucket into the recovery region.
data "aws_caller_identity" "current" {}

terraform {
  required_version = ">= 1.10.0"
  required_providers {
    aws = {
      source  = "hashicorp/aws"
      version = "~> 6.0"
    }
  }
}

module "role" {
  source       = "../role"
  name         = var.name
  boundary_arn = var.boundary_arn
  trust = [{
    Principal = { Service = "s3.amazonaws.com" }
    Action    = "sts:AssumeRole"
    Condition = { StringEquals = { "aws:SourceAccount" = [data.aws_caller_identity.current.account_id] } }
  }]
  statements = [
    { Action = ["s3:GetReplicationConfiguration", "s3:ListBucket"], Resource = [var.from.bucket_arn] },
    {
      Action   = ["s3:GetObjectVersionForReplication", "s3:GetObjectVersionAcl", "s3:GetObjectVersionTagging"]
      Resource = ["${var.from.bucket_arn}/*"]
    },
    {
      Action   = ["s3:ReplicateObject", "s3:ReplicateDelete", "s3:ReplicateTags"]
      Resource = ["${var.to.bucket_arn}/*"]
    },
    { Action = ["kms:Decrypt"], Resource = [var.from.key_arn] },
    { Action = ["kms:Encrypt", "kms:GenerateDataKey"], Resource = [var.to.key_arn] },
  ]
}
