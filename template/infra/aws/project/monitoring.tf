# The template's: `copier update` renews this file.
# The monitor's word becomes a run of the pipeline: metric, alarm, event, start. `mlops monitor` publishes Act = 1 for drift.
locals {
  monitor  = { namespace = "mlops/${var.project}", metric_name = "Act", dimensions = { Environment = var.environment } }
  pipeline = "${local.arn}:sagemaker:${var.region}:${local.account}:pipeline/${local.name}"
}

resource "aws_cloudwatch_metric_alarm" "drift" {
  alarm_name          = "${local.name}-drift"
  alarm_description   = "What ${local.name} scores is no longer what it was trained on, or it has become worse"
  namespace           = local.monitor.namespace
  metric_name         = local.monitor.metric_name
  dimensions          = local.monitor.dimensions
  statistic           = "Maximum"
  comparison_operator = "GreaterThanOrEqualToThreshold"
  threshold           = 1
  period              = 3600
  evaluation_periods  = 1
  treat_missing_data  = "notBreaching" # so that the next report of drift is a change of state again
  alarm_actions       = [module.endpoint.topic_arn]
}

resource "aws_cloudwatch_metric_alarm" "silence" {
  count               = var.monitor_days > 0 ? 1 : 0
  alarm_name          = "${local.name}-monitor-silent"
  alarm_description   = "The monitor of ${local.name} has said nothing for ${var.monitor_days} days"
  namespace           = local.monitor.namespace
  metric_name         = local.monitor.metric_name
  dimensions          = local.monitor.dimensions
  statistic           = "SampleCount"
  comparison_operator = "LessThanThreshold"
  threshold           = 1
  period              = 86400
  evaluation_periods  = var.monitor_days
  treat_missing_data  = "breaching"
  alarm_actions       = [module.endpoint.topic_arn]
}

resource "aws_cloudwatch_event_rule" "retrain" {
  name        = "${local.name}-retrain"
  description = "Starts the pipeline when the monitor of ${local.name} says so"
  state       = local.retrain ? "ENABLED" : "DISABLED"
  event_pattern = jsonencode({
    source        = ["aws.cloudwatch"]
    "detail-type" = ["CloudWatch Alarm State Change"]
    resources     = [aws_cloudwatch_metric_alarm.drift.arn]
    detail        = { state = { value = ["ALARM"] } }
  })
}

resource "aws_cloudwatch_event_target" "retrain" {
  rule     = aws_cloudwatch_event_rule.retrain.name
  arn      = local.pipeline
  role_arn = module.scheduler_role.arn
  retry_policy {
    maximum_event_age_in_seconds = 21600
    maximum_retry_attempts       = 60
  }
}

resource "aws_cloudwatch_metric_alarm" "not_started" {
  alarm_name          = "${local.name}-retrain-not-started"
  alarm_description   = "The monitor asked for retraining, and the pipeline ${local.name} could not be started"
  namespace           = "AWS/Events"
  metric_name         = "FailedInvocations"
  dimensions          = { RuleName = aws_cloudwatch_event_rule.retrain.name }
  statistic           = "Sum"
  comparison_operator = "GreaterThanThreshold"
  threshold           = 0
  period              = 300
  evaluation_periods  = 1
  treat_missing_data  = "notBreaching"
  alarm_actions       = [module.endpoint.topic_arn]
}

# A run that fails tells the owner, whoever started it.
resource "aws_cloudwatch_event_rule" "failed" {
  name        = "${local.name}-failed"
  description = "Tells the owner of runs of ${local.name} that failed"
  event_pattern = jsonencode({
    source        = ["aws.sagemaker"]
    "detail-type" = ["SageMaker Model Building Pipeline Execution Status Change"]
    detail = {
      pipelineArn                    = [{ prefix = local.pipeline }]
      currentPipelineExecutionStatus = ["Failed"]
    }
  })
}

resource "aws_cloudwatch_event_target" "failed" {
  rule = aws_cloudwatch_event_rule.failed.name
  arn  = module.endpoint.topic_arn
  input_transformer {
    input_paths    = { run = "$.detail.pipelineExecutionArn" }
    input_template = "\"A run of ${local.name} failed: <run>\""
  }
}

resource "aws_sns_topic_policy" "owner" {
  arn = module.endpoint.topic_arn
  policy = jsonencode({
    Version = "2012-10-17"
    Statement = [{
      Effect    = "Allow"
      Principal = { Service = ["cloudwatch.amazonaws.com", "events.amazonaws.com"] }
      Action    = "sns:Publish"
      Resource  = module.endpoint.topic_arn
      Condition = { ArnLike = { "aws:SourceArn" = ["${local.arn}:cloudwatch:${var.region}:${local.account}:alarm:${local.name}-*", aws_cloudwatch_event_rule.failed.arn] } }
    }]
  })
}

# `mlops submit` puts what is started regularly into this group: monitoring, scoring, retraining.
resource "aws_scheduler_schedule_group" "this" {
  name = local.name
}

locals {
  endpoint = ["EndpointName", local.name, "VariantName", "AllTraffic"]
  charts = [
    { title = "Requests", stat = "Sum", namespace = "AWS/SageMaker", metrics = ["Invocations", "Invocation4XXErrors", "Invocation5XXErrors"] },
    { title = "Latency of the slowest hundredth (µs)", stat = "p99", namespace = "AWS/SageMaker", metrics = ["ModelLatency", "OverheadLatency"] },
    { title = "Machines (%)", stat = "Average", namespace = "/aws/sagemaker/Endpoints", metrics = ["CPUUtilization", "MemoryUtilization"] },
  ]
}

resource "aws_cloudwatch_dashboard" "this" {
  dashboard_name = local.name
  dashboard_body = jsonencode({
    widgets = concat(
      [{
        type = "alarm", x = 0, y = 0, width = 24, height = 3
        properties = {
          title  = "${local.name}: alarms"
          alarms = concat(module.endpoint.alarm_arns, [aws_cloudwatch_metric_alarm.drift.arn, aws_cloudwatch_metric_alarm.not_started.arn])
        }
      }],
      [for at, chart in local.charts : {
        type = "metric", x = at * 8, y = 3, width = 8, height = 6
        properties = {
          title   = chart.title
          region  = var.region
          stat    = chart.stat
          period  = 60
          metrics = [for metric in chart.metrics : concat([chart.namespace, metric], local.endpoint)]
        }
      }],
      [{
        type = "metric", x = 0, y = 9, width = 24, height = 6
        properties = {
          title   = "What the monitor found"
          region  = var.region
          metrics = [[{ expression = "SEARCH('Namespace=\"${local.monitor.namespace}\" Environment=\"${var.environment}\"', 'Maximum', 3600)" }]]
        }
      }],
    )
  })
}
