# The template's: `copier update` renews this file.
# What train and deploy may do. Train pushes images and runs the pipeline on the data of its environment; deploy changes the endpoint.
locals {
  train = {
    for environment, name in local.names : environment => concat(local.read_images, local.track, [
      local.use_keys[environment],
      {
        Action   = ["ecr:CompleteLayerUpload", "ecr:DescribeImageScanFindings", "ecr:InitiateLayerUpload", "ecr:PutImage", "ecr:UploadLayerPart"]
        Resource = ["${local.arn}:ecr:*:*:repository/${var.project}/*"]
      },
      { Action = ["s3:GetBucketLocation", "s3:ListBucket"], Resource = local.buckets[environment] },
      {
        Action   = ["s3:AbortMultipartUpload", "s3:GetObject", "s3:PutObject"]
        Resource = [for prefix in ["data", "dvc", "pipeline"] : "${local.buckets[environment][0]}/${prefix}/*"]
      },
      { Action = ["s3:GetObject"], Resource = ["${local.buckets[environment][0]}/bundles/*", "${local.buckets[environment][0]}/logs/*"] },
      {
        Action = [
          "sagemaker:AddTags", "sagemaker:CreatePipeline", "sagemaker:DeletePipeline", "sagemaker:DescribePipeline",
          "sagemaker:DescribePipelineDefinitionForExecution", "sagemaker:DescribePipelineExecution",
          "sagemaker:ListPipelineExecutionSteps", "sagemaker:ListPipelineExecutions", "sagemaker:ListTags",
          "sagemaker:RetryPipelineExecution", "sagemaker:StartPipelineExecution", "sagemaker:StopPipelineExecution", "sagemaker:UpdatePipeline",
        ]
        Resource = ["${local.arn}:sagemaker:*:${local.account}:pipeline/${name}*"]
      },
      {
        Action   = ["sagemaker:DescribeProcessingJob", "sagemaker:DescribeTrainingJob"]
        Resource = ["${local.arn}:sagemaker:*:${local.account}:processing-job/*", "${local.arn}:sagemaker:*:${local.account}:training-job/*"]
      },
      {
        Action   = ["logs:FilterLogEvents", "logs:GetLogEvents", "logs:DescribeLogStreams"]
        Resource = ["${local.arn}:logs:*:${local.account}:log-group:/aws/sagemaker/*"]
      },
      {
        Action   = ["scheduler:CreateSchedule", "scheduler:DeleteSchedule", "scheduler:GetSchedule", "scheduler:UpdateSchedule"]
        Resource = ["${local.arn}:scheduler:*:${local.account}:schedule/${name}/*"]
      },
      { Action = ["sagemaker:ListPipelines", "scheduler:ListSchedules"], Resource = ["*"] },
      {
        Action    = ["iam:PassRole"]
        Resource  = [for role in ["pipeline", "scheduler"] : "${local.arn}:iam::${local.account}:role/mlops/${name}-${role}"]
        Condition = { StringEquals = { "iam:PassedToService" = ["sagemaker.amazonaws.com", "scheduler.amazonaws.com"] } }
      },
      { Action = ["iam:GetRole"], Resource = ["${local.arn}:iam::${local.account}:role/mlops/${name}-*"] },
      {
        Action    = ["cloudwatch:PutMetricData"]
        Resource  = ["*"]
        Condition = { StringEquals = { "cloudwatch:namespace" = ["mlops/${var.project}"] } }
      },
    ])
  }

  deploy = {
    for environment, name in local.names : environment => concat(local.read_images, local.track, [
      local.use_keys[environment],
      { Action = ["s3:GetBucketLocation", "s3:ListBucket"], Resource = local.buckets[environment] },
      {
        Action   = ["s3:AbortMultipartUpload", "s3:GetObject", "s3:PutObject"]
        Resource = [for bucket in local.buckets[environment] : "${bucket}/bundles/*"]
      },
      {
        Action = [
          "sagemaker:AddTags", "sagemaker:CreateEndpoint", "sagemaker:CreateEndpointConfig", "sagemaker:CreateModel",
          "sagemaker:DeleteEndpoint", "sagemaker:DeleteEndpointConfig", "sagemaker:DeleteModel", "sagemaker:DescribeEndpoint",
          "sagemaker:DescribeEndpointConfig", "sagemaker:DescribeModel", "sagemaker:InvokeEndpoint", "sagemaker:ListTags",
          "sagemaker:UpdateEndpoint", "sagemaker:UpdateEndpointWeightsAndCapacities",
        ]
        # `mlops deploy` shortens the names of models and configurations where the environment's is long.
        Resource = [
          "${local.arn}:sagemaker:*:${local.account}:endpoint/${name}",
          "${local.arn}:sagemaker:*:${local.account}:endpoint-config/${trim(substr(name, 0, 27), "-")}*",
          "${local.arn}:sagemaker:*:${local.account}:model/${trim(substr(name, 0, 27), "-")}*",
        ]
      },
      {
        Action = [
          "sagemaker:AddTags", "sagemaker:CreateModelPackage", "sagemaker:CreateModelPackageGroup", "sagemaker:DescribeModelPackage",
          "sagemaker:DescribeModelPackageGroup", "sagemaker:ListModelPackages", "sagemaker:ListTags", "sagemaker:UpdateModelPackage",
        ]
        Resource = flatten([
          for group in [name, var.project] : [
            "${local.arn}:sagemaker:*:*:model-package-group/${group}", "${local.arn}:sagemaker:*:*:model-package/${group}/*"
          ]
        ])
      },
      { Action = ["sagemaker:ListEndpointConfigs", "sagemaker:ListEndpoints", "sagemaker:ListModels"], Resource = ["*"] },
      {
        Action    = ["iam:PassRole"]
        Resource  = ["${local.arn}:iam::${local.account}:role/mlops/${name}-endpoint"]
        Condition = { StringEquals = { "iam:PassedToService" = ["sagemaker.amazonaws.com"] } }
      },
      { Action = ["iam:GetRole"], Resource = ["${local.arn}:iam::${local.account}:role/mlops/${name}-*"] },
      { Action = ["cloudwatch:DescribeAlarms"], Resource = ["${local.arn}:cloudwatch:*:${local.account}:alarm:${name}-*"] },
      {
        Action = [
          "application-autoscaling:DeleteScalingPolicy", "application-autoscaling:DeregisterScalableTarget", "application-autoscaling:PutScalingPolicy",
          "application-autoscaling:RegisterScalableTarget", "application-autoscaling:TagResource",
        ]
        Resource = ["${local.arn}:application-autoscaling:*:${local.account}:scalable-target/*"]
      },
      # Autoscaling makes its own alarms.
      {
        Action   = ["cloudwatch:DeleteAlarms", "cloudwatch:PutMetricAlarm"]
        Resource = ["${local.arn}:cloudwatch:*:${local.account}:alarm:TargetTracking-endpoint/${name}/*"]
      },
      {
        Action   = ["application-autoscaling:DescribeScalableTargets", "application-autoscaling:DescribeScalingPolicies"]
        Resource = ["*"]
      },
      {
        Action   = ["iam:CreateServiceLinkedRole"]
        Resource = ["${local.arn}:iam::${local.account}:role/aws-service-role/sagemaker.application-autoscaling.amazonaws.com/*"]
      },
    ])
  }
}
