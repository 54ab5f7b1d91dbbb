# The template's: `copier update` renews this file.
# Who does what: jobs, the endpoint, what starts pipelines. Each may do what it needs here, and nothing elsewhere.
locals {
  boundary_arn = coalesce(var.permissions_boundary_arn, "${local.arn}:iam::${local.account}:policy/${var.project}-boundary")

  # A service acts for this account alone, whoever asks it to.
  trust = {
    for service in ["apigateway", "events", "sagemaker", "scheduler"] : service => {
      Principal = { Service = "${service}.amazonaws.com" }
      Action    = "sts:AssumeRole"
      Condition = { StringEquals = { "aws:SourceAccount" = [local.account] } }
    }
  }

  key_arns = [aws_kms_key.main.arn, aws_kms_replica_key.recovery.arn]
  repositories = [
    for address in [var.pipeline_repository, var.serving_repository] :
    # The registry copies images into the recovery region under the same name.
    "${local.arn}:ecr:*:${split(".", address)[0]}:repository/${join("/", slice(split("/", address), 1, length(split("/", address))))}"
  ]

  read_images = [
    { Action = ["ecr:GetAuthorizationToken"], Resource = ["*"] },
    {
      Action   = ["ecr:BatchCheckLayerAvailability", "ecr:BatchGetImage", "ecr:GetDownloadUrlForLayer"]
      Resource = local.repositories
    },
  ]
  say_how_it_goes = [
    {
      Action   = ["logs:CreateLogGroup", "logs:CreateLogStream", "logs:DescribeLogStreams", "logs:PutLogEvents"]
      Resource = ["${local.arn}:logs:*:${local.account}:log-group:/aws/sagemaker/*"]
    },
    {
      Action    = ["cloudwatch:PutMetricData"]
      Resource  = ["*"]
      Condition = { StringEquals = { "cloudwatch:namespace" = ["mlops/${var.project}", "/aws/sagemaker/TrainingJobs", "/aws/sagemaker/ProcessingJobs", "/aws/sagemaker/Endpoints"] } }
    },
  ]
  use_keys = [{
    Action   = ["kms:Decrypt", "kms:Encrypt", "kms:GenerateDataKey", "kms:DescribeKey", "kms:CreateGrant"]
    Resource = local.key_arns
  }]
  track = [
    { Action = ["sagemaker-mlflow:*"], Resource = [var.tracking_arn] },
    { Action = ["s3:GetObject", "s3:PutObject"], Resource = ["${var.shared_bucket_arn}/mlflow/*"] },
    { Action = ["s3:ListBucket"], Resource = [var.shared_bucket_arn] },
    { Action = ["kms:Decrypt", "kms:GenerateDataKey"], Resource = [var.shared_key_arn] },
  ]
  # What the environment names as a reference is fetched in the container, by its identity.
  read_secrets = [
    {
      Action   = ["secretsmanager:GetSecretValue"]
      Resource = ["${local.arn}:secretsmanager:*:${local.account}:secret:mlops/${var.project}/${var.environment}/*"]
    },
    {
      Action   = ["ssm:GetParameter", "ssm:GetParameters"]
      Resource = ["${local.arn}:ssm:*:${local.account}:parameter/mlops/${var.project}/${var.environment}/*"]
    },
  ]
  join_network = length(var.network.subnets) == 0 ? [] : [{
    Action = [
      "ec2:CreateNetworkInterface", "ec2:CreateNetworkInterfacePermission", "ec2:DeleteNetworkInterface",
      "ec2:DeleteNetworkInterfacePermission", "ec2:DescribeDhcpOptions", "ec2:DescribeNetworkInterfaces",
      "ec2:DescribeSecurityGroups", "ec2:DescribeSubnets", "ec2:DescribeVpcs",
    ]
    Resource = ["*"]
  }]
}

module "pipeline_role" {
  source       = "../modules/role"
  name         = "${local.name}-pipeline"
  boundary_arn = local.boundary_arn
  trust        = [local.trust["sagemaker"]]
  statements = concat(local.read_images, local.say_how_it_goes, local.use_keys, local.track, local.read_secrets, local.join_network, [
    { Action = ["s3:GetBucketLocation", "s3:ListBucket"], Resource = [module.bucket.arn] },
    {
      Action   = ["s3:GetObject", "s3:PutObject", "s3:AbortMultipartUpload"]
      Resource = [for prefix in ["data", "dvc", "pipeline", "bundles", "logs"] : "${module.bucket.arn}/${prefix}/*"]
    },
    { Action = ["s3:DeleteObject"], Resource = ["${module.bucket.arn}/pipeline/*"] },
    {
      Action = [
        "sagemaker:CreateProcessingJob", "sagemaker:CreateTrainingJob", "sagemaker:DescribeProcessingJob",
        "sagemaker:DescribeTrainingJob", "sagemaker:StopProcessingJob", "sagemaker:StopTrainingJob", "sagemaker:AddTags",
      ]
      Resource = [for job in ["processing-job", "training-job"] : "${local.arn}:sagemaker:${var.region}:${local.account}:${job}/*"]
    },
    {
      Action    = ["iam:PassRole"]
      Resource  = ["${local.arn}:iam::${local.account}:role/mlops/${local.name}-pipeline"]
      Condition = { StringEquals = { "iam:PassedToService" = ["sagemaker.amazonaws.com"] } }
    },
    ], length(var.source_bucket_arns) == 0 ? [] : [{
      Action   = ["s3:GetObject", "s3:ListBucket"]
      Resource = flatten([for arn in var.source_bucket_arns : [arn, "${arn}/*"]])
  }])
}

module "endpoint_role" {
  source       = "../modules/role"
  name         = "${local.name}-endpoint"
  boundary_arn = local.boundary_arn
  trust        = [local.trust["sagemaker"]]
  statements = concat(local.read_images, local.say_how_it_goes, local.use_keys, local.read_secrets, local.join_network, [
    {
      Action   = ["s3:GetObject"]
      Resource = [for bucket in [module.bucket.arn, module.recovery_bucket.arn] : "${bucket}/bundles/*"]
    },
    {
      Action   = ["s3:PutObject"]
      Resource = [for bucket in [module.bucket.arn, module.recovery_bucket.arn] : "${bucket}/logs/predictions/*"]
    },
    {
      Action   = ["s3:ListBucket"]
      Resource = [module.bucket.arn, module.recovery_bucket.arn]
    },
    # SageMaker asks, as this role, whether a deployment has to be turned back.
    {
      Action   = ["cloudwatch:DescribeAlarms"]
      Resource = ["${local.arn}:cloudwatch:*:${local.account}:alarm:${local.name}-*"]
    },
  ])
}

module "scheduler_role" {
  source       = "../modules/role"
  name         = "${local.name}-scheduler"
  boundary_arn = local.boundary_arn
  trust        = [local.trust["scheduler"], local.trust["events"]]
  statements = [{
    Action   = ["sagemaker:StartPipelineExecution"]
    Resource = ["${local.arn}:sagemaker:${var.region}:${local.account}:pipeline/${local.name}*"]
  }]
}
