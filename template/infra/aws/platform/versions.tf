# The template's: `copier update` renews this file.
# Once an organisation: what its projects share. Each part is made here, or is what there is already.
terraform {
  required_version = ">= 1.10.0"
  required_providers {
    aws = {
      source  = "hashicorp/aws"
      version = "~> 6.0"
    }
  }
  # terraform init -backend-config=../backend.hcl -backend-config=key=platform.tfstate
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
  name      = "${var.project}-shared"
  account   = data.aws_caller_identity.current.account_id
  partition = data.aws_partition.current.partition
  arn       = "arn:${local.partition}"
  others    = [for id in var.accounts : "${local.arn}:iam::${id}:root" if id != local.account]
  # What the bill is split by. AWS refuses other characters in a tag.
  tags = merge(var.tags, {
    project     = var.project
    environment = "shared"
    owner       = replace(var.owner_email, "/[^\\p{L}\\p{N} _.:\\/=+@-]/", "_")
    managed-by  = "infra/aws/platform"
  })
}
