# The template's: `copier update` renews this file.
terraform {
  required_version = ">= 1.10.0"
  required_providers {
    aws = {
      source  = "hashicorp/aws"
      version = "~> 6.0"
    }
  }
  # terraform init -backend-config=../backend.hcl -backend-config=key=project/dev.tfstate
  backend "s3" {}
}

provider "aws" {
  region = var.region
  default_tags {
    tags = local.tags
  }
}

provider "aws" {
  alias  = "recovery"
  region = var.recovery_region
  default_tags {
    tags = local.tags
  }
}

data "aws_caller_identity" "current" {}

data "aws_partition" "current" {}

locals {
  name      = "${var.project}-${var.environment}"
  account   = data.aws_caller_identity.current.account_id
  partition = data.aws_partition.current.partition
  arn       = "arn:${local.partition}"
  # What the bill is split by. AWS refuses other characters in a tag.
  tags = merge(var.tags, {
    project     = var.project
    environment = var.environment
    owner       = replace(var.owner_email, "/[^\\p{L}\\p{N} _.:\\/=+@-]/", "_")
    managed-by  = "infra/aws/project"
  })

  # What a setting is where it is not said.
  old_versions_days = coalesce(var.old_versions_days, { dev = 7, staging = 30, prod = 90 }[var.environment])
  log_days          = coalesce(var.log_days, { dev = 14, staging = 30, prod = 90 }[var.environment])
  retrain           = coalesce(var.retrain_on_drift, var.environment != "dev")
}
