# The template's: `copier update` renews this file.
# A role with what it may do written out. It refuses what no role here should have: trust in everybody, and everything on everything.
terraform {
  required_version = ">= 1.10.0"
  required_providers {
    aws = {
      source  = "hashicorp/aws"
      version = "~> 6.0"
    }
  }
}

locals {
  statements = [for statement in var.statements : { for key, value in statement : key => value if value != null }]
}

resource "aws_iam_role" "this" {
  name                 = var.name
  path                 = var.path
  permissions_boundary = var.boundary_arn
  max_session_duration = var.hours * 3600
  assume_role_policy = jsonencode({
    Version   = "2012-10-17"
    Statement = [for statement in var.trust : merge({ Effect = "Allow" }, statement)]
  })
}

resource "aws_iam_role_policy" "this" {
  name   = "what-it-does"
  role   = aws_iam_role.this.name
  policy = jsonencode({ Version = "2012-10-17", Statement = local.statements })
}
