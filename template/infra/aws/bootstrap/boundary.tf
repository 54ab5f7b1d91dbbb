# The template's: `copier update` renews this file.
# The most that any role of this project can ever do, whatever its own policy says; the role that applies project/ cannot change it.
resource "aws_iam_policy" "boundary" {
  name        = "${var.project}-boundary"
  description = "The most that roles of ${var.project} can do"
  policy = jsonencode({
    Version = "2012-10-17"
    Statement = concat([
      {
        Sid      = "OwnBuckets"
        Effect   = "Allow"
        Action   = "s3:*"
        Resource = "${local.arn}:s3:::${var.project}-*"
      },
      {
        Sid      = "Keys"
        Effect   = "Allow"
        Action   = ["kms:CreateGrant", "kms:Decrypt", "kms:DescribeKey", "kms:Encrypt", "kms:GenerateDataKey"]
        Resource = "${local.arn}:kms:*:*:key/*"
      },
      {
        Sid      = "JobsAndEndpoints"
        Effect   = "Allow"
        Action   = "sagemaker:*"
        Resource = "${local.arn}:sagemaker:*:${local.account}:*"
      },
      {
        Sid      = "Tracking"
        Effect   = "Allow"
        Action   = "sagemaker-mlflow:*"
        Resource = "${local.arn}:sagemaker:*:*:mlflow-*/*"
      },
      {
        Sid      = "Images"
        Effect   = "Allow"
        Action   = ["ecr:BatchCheckLayerAvailability", "ecr:BatchGetImage", "ecr:GetDownloadUrlForLayer"]
        Resource = "${local.arn}:ecr:*:*:repository/*"
      },
      {
        Sid      = "LogsAndAlarms"
        Effect   = "Allow"
        Action   = ["cloudwatch:DescribeAlarms", "logs:*"]
        Resource = ["${local.arn}:cloudwatch:*:${local.account}:alarm:${var.project}-*", "${local.arn}:logs:*:${local.account}:log-group:/aws/*"]
      },
      {
        Sid    = "Secrets"
        Effect = "Allow"
        Action = ["secretsmanager:GetSecretValue", "ssm:GetParameter", "ssm:GetParameters"]
        Resource = [
          "${local.arn}:secretsmanager:*:${local.account}:secret:mlops/${var.project}/*",
          "${local.arn}:ssm:*:${local.account}:parameter/mlops/${var.project}/*",
        ]
      },
      {
        Sid       = "PassOn"
        Effect    = "Allow"
        Action    = "iam:PassRole"
        Resource  = "${local.arn}:iam::${local.account}:role/mlops/${var.project}-*"
        Condition = { StringEquals = { "iam:PassedToService" = "sagemaker.amazonaws.com" } }
      },
      {
        # Actions that know no resource.
        Sid    = "NoResource"
        Effect = "Allow"
        Action = [
          "cloudwatch:PutMetricData", "ecr:GetAuthorizationToken",
          "ec2:CreateNetworkInterface", "ec2:CreateNetworkInterfacePermission", "ec2:DeleteNetworkInterface",
          "ec2:DeleteNetworkInterfacePermission", "ec2:DescribeDhcpOptions", "ec2:DescribeNetworkInterfaces",
          "ec2:DescribeSecurityGroups", "ec2:DescribeSubnets", "ec2:DescribeVpcs",
        ]
        Resource = "*"
      },
      ], [for arns in [var.source_bucket_arns] : {
        Sid      = "SourceData"
        Effect   = "Allow"
        Action   = ["s3:GetObject", "s3:ListBucket"]
        Resource = flatten([for arn in arns : [arn, "${arn}/*"]])
    } if length(arns) > 0])
  })
}
