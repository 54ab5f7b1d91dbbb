# The template's: `copier update` renews this file.
# Workflows get roles by GitHub's tokens, an hour at a time: no key of AWS is kept in GitHub. Which job of which environment
# may assume a role is written out, and modules/role refuses anything less exact.
resource "aws_iam_openid_connect_provider" "github" {
  count          = var.oidc_provider_arn == null ? 1 : 0
  url            = "https://token.actions.githubusercontent.com"
  client_id_list = ["sts.amazonaws.com"]
}

locals {
  provider_arn = coalesce(var.oidc_provider_arn, one(aws_iam_openid_connect_provider.github[*].arn))

  subjects = merge(
    { plan = [for subject in var.plan_from : "repo:${var.github_repository}:${subject}"] },
    { for name in var.environments : name => ["repo:${var.github_repository}:environment:${name}"] },
    { for name in var.environments : "train-${name}" => [
      for place in name == var.train_for ? [name, "train"] : [name] : "repo:${var.github_repository}:environment:${place}"
    ] },
  )
  trust = {
    for who, subjects in local.subjects : who => [{
      Principal = { Federated = local.provider_arn }
      Action    = "sts:AssumeRoleWithWebIdentity"
      Condition = {
        StringEquals = {
          "token.actions.githubusercontent.com:aud" = ["sts.amazonaws.com"]
          "token.actions.githubusercontent.com:sub" = subjects
        }
      }
    }]
  }

  # What an environment is called and where it is, as project/ has it.
  names = { for name in var.environments : name => "${var.project}-${name}" }
  buckets = {
    for name in var.environments : name => [
      for end in ["", "-r"] : "${local.arn}:s3:::${var.project}-${name}-${local.account}${end}"
    ]
  }
  shared_bucket = "${local.arn}:s3:::${var.project}-shared-*"
  state         = "${local.arn}:s3:::${var.project}-state-${local.account}"

  use_keys = {
    for name in var.environments : name => {
      Action    = ["kms:CreateGrant", "kms:Decrypt", "kms:DescribeKey", "kms:Encrypt", "kms:GenerateDataKey"]
      Resource  = ["${local.arn}:kms:*:*:key/*"]
      Condition = { "ForAnyValue:StringEquals" = { "kms:ResourceAliases" = ["alias/${var.project}-${name}", "alias/${var.project}-shared"] } }
    }
  }
  track = [
    { Action = ["sagemaker-mlflow:*"], Resource = ["${local.arn}:sagemaker:*:*:mlflow-tracking-server/*", "${local.arn}:sagemaker:*:*:mlflow-app/*"] },
    { Action = ["s3:GetObject", "s3:PutObject"], Resource = ["${local.shared_bucket}/mlflow/*"] },
    { Action = ["s3:ListBucket"], Resource = [local.shared_bucket] },
  ]
  read_images = [
    { Action = ["ecr:GetAuthorizationToken"], Resource = ["*"] },
    {
      Action   = ["ecr:BatchCheckLayerAvailability", "ecr:BatchGetImage", "ecr:DescribeImages", "ecr:DescribeRepositories", "ecr:GetDownloadUrlForLayer"]
      Resource = ["${local.arn}:ecr:*:*:repository/${var.project}/*"]
    },
  ]
}

module "plan" {
  source     = "../modules/role"
  name       = "${var.project}-plan"
  path       = "/mlops-ci/"
  trust      = concat(local.trust["plan"], flatten([for name in var.environments : local.trust[name]]))
  statements = local.plan
}

module "apply" {
  for_each   = var.environments
  source     = "../modules/role"
  name       = "${local.names[each.key]}-apply"
  path       = "/mlops-ci/"
  trust      = local.trust[each.key]
  statements = concat(local.plan, local.apply[each.key])
}

module "train" {
  for_each   = var.environments
  source     = "../modules/role"
  name       = "${local.names[each.key]}-train"
  path       = "/mlops-ci/"
  hours      = 4
  trust      = local.trust["train-${each.key}"]
  statements = local.train[each.key]
}

module "deploy" {
  for_each   = var.environments
  source     = "../modules/role"
  name       = "${local.names[each.key]}-deploy"
  path       = "/mlops-ci/"
  hours      = 4
  trust      = local.trust[each.key]
  statements = local.deploy[each.key]
}
