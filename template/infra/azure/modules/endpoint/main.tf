# The template's: `copier update` renews this file.
# What watches an endpoint in one location. `mlops deploy` makes the endpoint itself, and an alert needs one that is there.
terraform {
  required_version = ">= 1.10.0"
  required_providers {
    azurerm = {
      source  = "hashicorp/azurerm"
      version = "~> 5.0"
    }
  }
}

locals {
  namespace = "Microsoft.MachineLearningServices/workspaces/onlineEndpoints"
}

resource "azurerm_monitor_metric_alert" "errors" {
  name                = "${var.name}-errors"
  description         = "More than ${var.errors_per_minute} requests a minute to ${var.name} fail on the server"
  resource_group_name = var.resource_group
  scopes              = ["${var.workspace_id}/onlineEndpoints/${var.endpoint}"]
  severity            = 1
  frequency           = "PT1M"
  window_size         = "PT5M"
  tags                = var.tags
  criteria {
    metric_namespace       = local.namespace
    metric_name            = "RequestsPerMinute"
    aggregation            = "Average"
    operator               = "GreaterThan"
    threshold              = var.errors_per_minute
    skip_metric_validation = true
    dimension {
      name     = "statusCodeClass"
      operator = "Include"
      values   = ["5xx"]
    }
  }
  action {
    action_group_id = var.action_group_id
  }
}

resource "azurerm_monitor_metric_alert" "latency" {
  name                = "${var.name}-latency"
  description         = "One in a hundred requests to ${var.name} takes longer than ${var.latency_ms} ms"
  resource_group_name = var.resource_group
  scopes              = ["${var.workspace_id}/onlineEndpoints/${var.endpoint}"]
  severity            = 2
  frequency           = "PT1M"
  window_size         = "PT5M"
  tags                = var.tags
  criteria {
    metric_namespace       = local.namespace
    metric_name            = "RequestLatency_P99"
    aggregation            = "Average"
    operator               = "GreaterThan"
    threshold              = var.latency_ms
    skip_metric_validation = true
  }
  action {
    action_group_id = var.action_group_id
  }
}

# Each request with its status, and what the container says.
resource "azurerm_monitor_diagnostic_setting" "endpoint" {
  name                           = var.name
  target_resource_id             = "${var.workspace_id}/onlineEndpoints/${var.endpoint}"
  log_analytics_workspace_id     = var.logs_id
  log_analytics_destination_type = "Dedicated"
  enabled_log {
    category = "AmlOnlineEndpointTrafficLog"
  }
  enabled_log {
    category = "AmlOnlineEndpointConsoleLog"
  }
}
