# The template's: `copier update` renews this file.
# Once an account, by a person who administers it. The state lies beside these files until there is a bucket for it: README.md.
terraform {
  required_version = ">= 1.10.0"
  required_providers {
    aws = {
      source  = "hashicorp/aws"
      version = "~> 6.0"
    }
  }
}

provider "aws" {
  region = var.region
  default_tags {
    tags = local.tags
  }
}

data "aws_caller_identity" "current" {}

data "aws_partition" "current" {}

locals {
  account = data.aws_caller_identity.current.account_id
  arn     = "arn:${data.aws_partition.current.partition}"
  # What the bill is split by. AWS refuses other characters in a tag.
  tags = merge(var.tags, {
    project     = var.project
    environment = "shared"
    owner       = replace(var.owner_email, "/[^\\p{L}\\p{N} _.:\\/=+@-]/", "_")
    managed-by  = "infra/aws/bootstrap"
  })
}
