# The template's: `copier update` renews this file.
# What stands beside an endpoint in one region: its log, its alarms and whom they tell. `mlops deploy` makes the endpoint itself.
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
  # `mlops deploy` gives every endpoint this one variant.
  variant = { EndpointName = var.name, VariantName = "AllTraffic" }
}

resource "aws_sns_topic" "owner" {
  name              = "${var.name}-owner"
  kms_master_key_id = var.kms_key_arn
}

# The owner confirms it once, in the mail that AWS sends.
resource "aws_sns_topic_subscription" "owner" {
  topic_arn = aws_sns_topic.owner.arn
  protocol  = "email"
  endpoint  = var.owner_email
}

resource "aws_cloudwatch_log_group" "endpoint" {
  name              = "/aws/sagemaker/Endpoints/${var.name}"
  retention_in_days = var.log_days
  kms_key_id        = var.kms_key_arn
}

# Both turn a deployment back while a new version has its share of the requests.
resource "aws_cloudwatch_metric_alarm" "errors" {
  alarm_name          = "${var.name}-errors"
  alarm_description   = "More than ${var.error_percent} % of the requests to ${var.name} fail on the server"
  comparison_operator = "GreaterThanThreshold"
  threshold           = var.error_percent
  evaluation_periods  = 1
  treat_missing_data  = "notBreaching"
  alarm_actions       = [aws_sns_topic.owner.arn]
  ok_actions          = [aws_sns_topic.owner.arn]

  metric_query {
    id          = "rate"
    expression  = "100 * FILL(failed, 0) / requests"
    label       = "failed requests, in %"
    return_data = true
  }
  metric_query {
    id = "failed"
    metric {
      namespace   = "AWS/SageMaker"
      metric_name = "Invocation5XXErrors"
      dimensions  = local.variant
      period      = 60
      stat        = "Sum"
    }
  }
  metric_query {
    id = "requests"
    metric {
      namespace   = "AWS/SageMaker"
      metric_name = "Invocations"
      dimensions  = local.variant
      period      = 60
      stat        = "Sum"
    }
  }
}

resource "aws_cloudwatch_metric_alarm" "latency" {
  alarm_name          = "${var.name}-latency"
  alarm_description   = "One in a hundred requests to ${var.name} takes longer than ${var.latency_ms} ms"
  namespace           = "AWS/SageMaker"
  metric_name         = "ModelLatency"
  dimensions          = local.variant
  extended_statistic  = "p99"
  period              = 60
  evaluation_periods  = 2
  comparison_operator = "GreaterThanThreshold"
  threshold           = var.latency_ms * 1000 # the metric is in microseconds
  treat_missing_data  = "notBreaching"
  alarm_actions       = [aws_sns_topic.owner.arn]
  ok_actions          = [aws_sns_topic.owner.arn]
}
