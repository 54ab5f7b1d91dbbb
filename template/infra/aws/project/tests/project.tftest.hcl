# The template's: `copier update` renews this file.
mock_provider "aws" {
  mock_data "aws_caller_identity" {
    defaults = { account_id = "123456789012" }
  }
  mock_data "aws_partition" {
    defaults = { partition = "aws" }
  }
  mock_data "aws_region" {
    defaults = { region = "us-east-1" }
  }
  mock_resource "aws_iam_role" {
    defaults = { arn = "arn:aws:iam::123456789012:role/mlops/name" }
  }
  mock_resource "aws_kms_key" {
    defaults = { arn = "arn:aws:kms:us-east-1:123456789012:key/11111111-2222-3333-4444-555555555555" }
  }
  mock_resource "aws_sns_topic" {
    defaults = { arn = "arn:aws:sns:us-east-1:123456789012:name-owner" }
  }
  mock_resource "aws_cloudwatch_metric_alarm" {
    defaults = { arn = "arn:aws:cloudwatch:us-east-1:123456789012:alarm:name" }
  }
  mock_resource "aws_cloudwatch_event_rule" {
    defaults = { arn = "arn:aws:events:us-east-1:123456789012:rule/name" }
  }
  mock_resource "aws_cloudwatch_log_group" {
    defaults = { arn = "arn:aws:logs:us-east-1:123456789012:log-group:name" }
  }
  mock_resource "aws_acm_certificate" {
    defaults = {
      arn                       = "arn:aws:acm:us-east-1:123456789012:certificate/1"
      domain_validation_options = [{ domain_name = "a", resource_record_name = "_1.a", resource_record_type = "CNAME", resource_record_value = "_2.b" }]
    }
  }
  mock_resource "aws_acm_certificate_validation" {
    defaults = { certificate_arn = "arn:aws:acm:us-east-1:123456789012:certificate/1" }
  }
}

mock_provider "aws" {
  alias = "recovery"
  mock_data "aws_partition" {
    defaults = { partition = "aws" }
  }
  mock_data "aws_region" {
    defaults = { region = "us-west-2" }
  }
  mock_resource "aws_kms_replica_key" {
    defaults = { arn = "arn:aws:kms:us-west-2:123456789012:key/11111111-2222-3333-4444-555555555555" }
  }
  mock_resource "aws_sns_topic" {
    defaults = { arn = "arn:aws:sns:us-west-2:123456789012:name-owner" }
  }
  mock_resource "aws_cloudwatch_log_group" {
    defaults = { arn = "arn:aws:logs:us-west-2:123456789012:log-group:name" }
  }
  mock_resource "aws_acm_certificate" {
    defaults = {
      arn                       = "arn:aws:acm:us-west-2:123456789012:certificate/1"
      domain_validation_options = [{ domain_name = "a", resource_record_name = "_1.a", resource_record_type = "CNAME", resource_record_value = "_2.b" }]
    }
  }
  mock_resource "aws_acm_certificate_validation" {
    defaults = { certificate_arn = "arn:aws:acm:us-west-2:123456789012:certificate/1" }
  }
}

variables {
  environment         = "prod"
  pipeline_repository = "210987654321.dkr.ecr.us-east-1.amazonaws.com/flight-delays/pipeline"
  serving_repository  = "210987654321.dkr.ecr.us-east-1.amazonaws.com/flight-delays/serving"
  tracking_arn        = "arn:aws:sagemaker:us-east-1:210987654321:mlflow-tracking-server/name"
  shared_bucket_arn   = "arn:aws:s3:::shared"
  shared_key_arn      = "arn:aws:kms:us-east-1:210987654321:key/1"
}

run "keeps_data_in_two_regions" {
  assert {
    condition     = output.mlops_aws_bucket == "${var.project}-prod-123456789012"
    error_message = "The bucket has another name than the roles of bootstrap/ may use."
  }
  assert {
    condition     = module.bucket.copied_to == module.recovery_bucket.arn && output.mlops_aws_recovery_bucket == "${var.project}-prod-123456789012-r"
    error_message = "The data has no copy in the recovery region."
  }
  assert {
    condition     = aws_kms_key.main.enable_key_rotation && aws_kms_replica_key.recovery.primary_key_arn == aws_kms_key.main.arn
    error_message = "The keys of the two regions do not belong together."
  }
}

run "refuses_a_copy_in_the_same_region" {
  command = plan
  variables {
    recovery_region = "eu-central-1"
    region          = "eu-central-1"
  }
  expect_failures = [terraform_data.regions]
}

run "bounds_each_role" {
  assert {
    condition = alltrue([
      for arn in [module.pipeline_role.boundary_arn, module.endpoint_role.boundary_arn, module.scheduler_role.boundary_arn] :
      arn == "arn:aws:iam::123456789012:policy/${var.project}-boundary"
    ])
    error_message = "A role has no boundary."
  }
  assert {
    condition = alltrue([
      for trust in [module.pipeline_role.trust, module.endpoint_role.trust, module.scheduler_role.trust] : alltrue([
        for statement in jsondecode(trust).Statement : statement.Condition.StringEquals["aws:SourceAccount"] == ["123456789012"]
      ])
    ])
    error_message = "A service can use a role for another account."
  }
}

run "does_nothing_on_everything" {
  variables {
    network = { subnets = ["subnet-1"], security_groups = ["sg-1"] }
  }
  assert {
    condition = alltrue([
      for statement in flatten([
        for policy in [module.pipeline_role.policy, module.endpoint_role.policy, module.scheduler_role.policy, module.copying.policy] : jsondecode(policy).Statement
      ]) : !(contains(statement.Resource, "*") && anytrue([for action in statement.Action : strcontains(action, "*")]))
    ])
    error_message = "A policy allows a wildcard of actions on everything."
  }
  assert {
    condition = alltrue([
      for action in flatten([for statement in jsondecode(module.endpoint_role.policy).Statement : statement.Action if anytrue([for arn in statement.Resource : startswith(arn, "arn:aws:s3")])]) :
      contains(["s3:GetObject", "s3:PutObject", "s3:ListBucket"], action)
    ])
    error_message = "The endpoint does more to data than read bundles and write its log."
  }
  assert {
    condition     = contains(flatten([for statement in jsondecode(module.pipeline_role.policy).Statement : statement.Resource]), "arn:aws:ecr:*:210987654321:repository/flight-delays/pipeline")
    error_message = "Jobs cannot pull their image."
  }
}

run "turns_deployments_back" {
  assert {
    condition     = output.mlops_aws_alarms == "${var.project}-prod-errors,${var.project}-prod-latency"
    error_message = "mlops deploy gets no alarms."
  }
}

run "retrains_on_drift" {
  assert {
    condition = (
      aws_cloudwatch_metric_alarm.drift.namespace == "mlops/${var.project}" && aws_cloudwatch_metric_alarm.drift.metric_name == "Act" &&
      aws_cloudwatch_metric_alarm.drift.dimensions == tomap({ Environment = "prod" }) && aws_cloudwatch_metric_alarm.drift.threshold == 1 &&
      aws_cloudwatch_metric_alarm.drift.comparison_operator == "GreaterThanOrEqualToThreshold"
    )
    error_message = "The alarm does not hear what mlops monitor says."
  }
  assert {
    condition = jsondecode(aws_cloudwatch_event_rule.retrain.event_pattern) == {
      source        = ["aws.cloudwatch"]
      "detail-type" = ["CloudWatch Alarm State Change"]
      resources     = [aws_cloudwatch_metric_alarm.drift.arn]
      detail        = { state = { value = ["ALARM"] } }
    } && aws_cloudwatch_event_rule.retrain.state == "ENABLED"
    error_message = "The alarm leads to nothing."
  }
  assert {
    condition = (
      aws_cloudwatch_event_target.retrain.arn == "arn:aws:sagemaker:${var.region}:123456789012:pipeline/${var.project}-prod" &&
      aws_cloudwatch_event_target.retrain.role_arn == module.scheduler_role.arn
    )
    error_message = "The alarm does not start the pipeline."
  }
  assert {
    condition     = contains(flatten([for statement in jsondecode(module.scheduler_role.policy).Statement : statement.Resource]), "${aws_cloudwatch_event_target.retrain.arn}*")
    error_message = "The pipeline may not be started."
  }
  assert {
    condition     = aws_cloudwatch_metric_alarm.drift.alarm_actions == toset([module.endpoint.topic_arn])
    error_message = "The owner is not told."
  }
}

run "does_not_retrain_when_told" {
  variables {
    retrain_on_drift = false
    monitor_days     = 2
  }
  assert {
    condition     = aws_cloudwatch_event_rule.retrain.state == "DISABLED"
    error_message = "retrain_on_drift = false does not keep the pipeline from starting."
  }
  assert {
    condition     = aws_cloudwatch_metric_alarm.silence[0].evaluation_periods == 2 && aws_cloudwatch_metric_alarm.silence[0].treat_missing_data == "breaching"
    error_message = "Nobody hears that the monitor is silent."
  }
}

run "leaves_dev_alone" {
  variables {
    environment = "dev"
  }
  assert {
    condition     = aws_cloudwatch_event_rule.retrain.state == "DISABLED" && local.log_days == 14 && local.old_versions_days == 7
    error_message = "In dev, things are kept for long or start by themselves."
  }
}

run "needs_no_model" {
  assert {
    condition     = output.mlops_aws_model_package_group == "${var.project}-prod" && output.mlops_aws_recovery_endpoint == "false" && output.mlops_aws_recovery_alarms == ""
    error_message = "The first apply makes what only a deployment needs."
  }
}

run "shows_champions_in_the_shared_group" {
  variables {
    model_package_group = "theirs"
  }
  assert {
    condition     = output.mlops_aws_model_package_group == "theirs" && length(aws_sagemaker_model_package_group.this) == 0
    error_message = "There are two registries."
  }
}

run "serves_in_two_regions_behind_one_name" {
  variables {
    recovery_endpoint = true
    api               = { domain = "flights.example.com", zone_id = "Z1" }
  }
  assert {
    condition     = output.mlops_aws_recovery_alarms == output.mlops_aws_alarms
    error_message = "The recovery region has no alarms of its own."
  }
  assert {
    condition     = [module.endpoint.failover.role, module.recovery_endpoint[0].failover.role] == ["PRIMARY", "SECONDARY"]
    error_message = "The name does not lead to the second region when the first is gone."
  }
  assert {
    condition = alltrue([
      for failover in [module.endpoint.failover, module.recovery_endpoint[0].failover] :
      failover.domain == "flights.example.com" && failover.health == failover.combined && failover.needed == length(failover.checks)
    ])
    error_message = "A region that is gone, or fails, still counts as healthy."
  }
}

run "needs_two_endpoints_for_a_name" {
  command = plan
  variables {
    api = { domain = "flights.example.com", zone_id = "Z1" }
  }
  expect_failures = [terraform_data.failover]
}

run "knows_its_environments" {
  command = plan
  variables {
    environment = "test"
  }
  expect_failures = [var.environment]
}

run "tags_everything" {
  variables {
    tags = { cost-center = "42", project = "another" }
  }
  assert {
    condition     = local.tags["project"] == var.project && local.tags["environment"] == "prod" && local.tags["owner"] != "" && local.tags["cost-center"] == "42"
    error_message = "The bill cannot be split by project, environment and owner."
  }
}
