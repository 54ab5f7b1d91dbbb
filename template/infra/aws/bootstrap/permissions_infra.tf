# The template's: `copier update` renews this file.
# What plan and apply may do. Plan reads settings, no data. Apply makes what project/ describes, by the names it has there.
locals {
  plan = concat([
    { Action = ["s3:ListBucket"], Resource = [local.state] },
    { Action = ["s3:GetObject"], Resource = ["${local.state}/*"] },
    { Action = ["kms:Decrypt", "kms:Encrypt", "kms:GenerateDataKey"], Resource = [aws_kms_key.state.arn] },
    # A plan holds the lock while it looks.
    { Action = ["s3:PutObject", "s3:DeleteObject"], Resource = ["${local.state}/project/*.tfstate.tflock"] },
    {
      Action   = ["s3:GetBucket*", "s3:Get*Configuration", "s3:ListBucket"]
      Resource = flatten([for name in var.environments : local.buckets[name]])
    },
    {
      Action   = ["iam:GetRole", "iam:GetRolePolicy", "iam:ListRolePolicies", "iam:ListAttachedRolePolicies", "iam:ListRoleTags"]
      Resource = ["${local.arn}:iam::${local.account}:role/mlops/${var.project}-*"]
    },
    {
      Action   = ["kms:DescribeKey", "kms:GetKeyPolicy", "kms:GetKeyRotationStatus", "kms:ListResourceTags"]
      Resource = ["${local.arn}:kms:*:${local.account}:key/*"]
    },
    {
      Action = [
        "sagemaker:Describe*", "sagemaker:ListTags", "scheduler:Get*", "scheduler:ListTagsForResource", "events:Describe*",
        "events:List*", "sns:Get*", "sns:List*", "cloudwatch:Get*", "cloudwatch:DescribeAlarms", "cloudwatch:ListTagsForResource",
        "logs:ListTagsForResource", "logs:ListTagsLogGroup",
      ]
      Resource = flatten([for name in values(local.names) : local.made[name]])
    },
    # Actions that know no resource.
    {
      Action   = ["kms:ListAliases", "logs:DescribeLogGroups", "sns:GetSubscriptionAttributes", "cloudwatch:GetDashboard"]
      Resource = ["*"]
    },
    ], [for id in var.zone_id[*] : {
      Action   = ["apigateway:GET", "acm:DescribeCertificate", "acm:ListTagsForCertificate", "route53:Get*", "route53:List*"]
      Resource = local.front
  }])

  made = {
    for name in values(local.names) : name => [
      "${local.arn}:sagemaker:*:${local.account}:model-package-group/${name}",
      "${local.arn}:scheduler:*:${local.account}:schedule-group/${name}",
      "${local.arn}:events:*:${local.account}:rule/${name}-*",
      "${local.arn}:sns:*:${local.account}:${name}-*",
      "${local.arn}:cloudwatch:*:${local.account}:alarm:${name}-*",
      "${local.arn}:cloudwatch::${local.account}:dashboard/${name}",
      "${local.arn}:logs:*:${local.account}:log-group:/aws/sagemaker/Endpoints/${name}*",
    ]
  }
  front = concat([
    "${local.arn}:apigateway:*::/*",
    "${local.arn}:acm:*:${local.account}:certificate/*",
    "${local.arn}:route53:::healthcheck/*",
    "${local.arn}:route53:::change/*",
  ], [for id in var.zone_id[*] : "${local.arn}:route53:::hostedzone/${id}"])

  apply = {
    for environment, name in local.names : environment => concat([
      {
        Action   = ["s3:PutObject", "s3:DeleteObject"]
        Resource = ["${local.state}/project/${environment}.tfstate"]
      },
      # Of the buckets, all but what lies in them; that can be taken away, for `destroy` when told, and not be read.
      { Action = ["s3:*"], Resource = local.buckets[environment] },
      {
        Action   = ["s3:DeleteObject", "s3:DeleteObjectVersion"]
        Resource = [for bucket in local.buckets[environment] : "${bucket}/*"]
      },
      # A role without the boundary cannot be made, nor one given more than it.
      {
        Action    = ["iam:CreateRole", "iam:PutRolePolicy", "iam:PutRolePermissionsBoundary"]
        Resource  = ["${local.arn}:iam::${local.account}:role/mlops/${name}-*"]
        Condition = { StringEquals = { "iam:PermissionsBoundary" = [aws_iam_policy.boundary.arn] } }
      },
      {
        Action = [
          "iam:DeleteRole", "iam:DeleteRolePolicy", "iam:ListInstanceProfilesForRole", "iam:TagRole", "iam:UntagRole",
          "iam:UpdateAssumeRolePolicy", "iam:UpdateRole",
        ]
        Resource = ["${local.arn}:iam::${local.account}:role/mlops/${name}-*"]
      },
      {
        Action    = ["iam:PassRole"]
        Resource  = ["${local.arn}:iam::${local.account}:role/mlops/${name}-*"]
        Condition = { StringEquals = { "iam:PassedToService" = ["apigateway.amazonaws.com", "events.amazonaws.com", "s3.amazonaws.com", "scheduler.amazonaws.com"] } }
      },
      {
        Action    = ["kms:CreateKey"]
        Resource  = ["*"]
        Condition = { StringEquals = { "aws:RequestTag/project" = [var.project], "aws:RequestTag/environment" = [environment] } }
      },
      {
        Action = [
          "kms:CreateAlias", "kms:CreateGrant", "kms:Decrypt", "kms:DeleteAlias", "kms:EnableKeyRotation", "kms:Encrypt", "kms:GenerateDataKey",
          "kms:PutKeyPolicy", "kms:ReplicateKey", "kms:ScheduleKeyDeletion", "kms:TagResource", "kms:UntagResource", "kms:UpdateAlias",
          "kms:UpdateKeyDescription",
        ]
        Resource  = ["${local.arn}:kms:*:${local.account}:key/*"]
        Condition = { StringEquals = { "aws:ResourceTag/project" = [var.project], "aws:ResourceTag/environment" = [environment] } }
      },
      {
        Action   = ["kms:CreateAlias", "kms:DeleteAlias", "kms:UpdateAlias"]
        Resource = ["${local.arn}:kms:*:${local.account}:alias/${name}"]
      },
      {
        Action   = ["sagemaker:*", "scheduler:*", "events:*", "sns:*", "cloudwatch:*", "logs:*"]
        Resource = local.made[name]
      },
      { Action = ["sns:Unsubscribe"], Resource = ["*"] },
      ], [for id in var.zone_id[*] : {
        Action   = ["apigateway:*", "acm:*", "route53:*"]
        Resource = local.front
        }], [for id in var.zone_id[*] : {
        Action   = ["acm:RequestCertificate", "route53:CreateHealthCheck"]
        Resource = ["*"]
    }])
  }
}
