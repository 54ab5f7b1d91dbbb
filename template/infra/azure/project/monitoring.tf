# The template's: `copier update` renews this file.
# Who is told of what: drift, a monitor that is silent, a run that failed. `mlops monitor` publishes Act = 1 for drift; the schedule
# of `mlops retrain` acts on it.
resource "azurerm_monitor_action_group" "owner" {
  name                = "${local.name}-owner"
  resource_group_name = local.resource_group
  short_name          = substr(replace(var.project, "-", ""), 0, 12)
  tags                = local.tags
  email_receiver {
    name                    = "owner"
    email_address           = var.owner_email
    use_common_alert_schema = true
  }
  dynamic "webhook_receiver" {
    for_each = var.webhook == null ? [] : [var.webhook]
    content {
      name                    = "webhook"
      service_uri             = webhook_receiver.value
      use_common_alert_schema = true
    }
  }
}

locals {
  monitor = "AppMetrics | where Name == 'Act'"
}

resource "azurerm_monitor_scheduled_query_rules_alert_v2" "drift" {
  name                  = "${local.name}-drift"
  description           = "What ${local.name} scores is no longer what it was trained on, or it has become worse"
  resource_group_name   = local.resource_group
  location              = var.location
  scopes                = [module.workspace.logs_id]
  severity              = 2
  evaluation_frequency  = "PT1H"
  window_duration       = "PT1H"
  skip_query_validation = true # the table comes with the first report
  tags                  = local.tags
  criteria {
    query                   = "${local.monitor} | where Max >= 1"
    time_aggregation_method = "Count"
    operator                = "GreaterThan"
    threshold               = 0
  }
  action {
    action_groups = [azurerm_monitor_action_group.owner.id]
  }
}

resource "azurerm_monitor_scheduled_query_rules_alert_v2" "silence" {
  count                 = var.monitor_days > 0 ? 1 : 0
  name                  = "${local.name}-monitor-silent"
  description           = "The monitor of ${local.name} has said nothing for ${var.monitor_days} days"
  resource_group_name   = local.resource_group
  location              = var.location
  scopes                = [module.workspace.logs_id]
  severity              = 2
  evaluation_frequency  = "P1D"
  window_duration       = "P${var.monitor_days}D"
  skip_query_validation = true
  tags                  = local.tags
  criteria {
    query                   = local.monitor
    time_aggregation_method = "Count"
    operator                = "LessThan"
    threshold               = 1
  }
  action {
    action_groups = [azurerm_monitor_action_group.owner.id]
  }
}

# A run that fails tells the owner, whoever started it.
resource "azurerm_monitor_metric_alert" "failed" {
  name                = "${local.name}-failed"
  description         = "A run of ${local.name} failed"
  resource_group_name = local.resource_group
  scopes              = [module.workspace.id]
  severity            = 2
  frequency           = "PT5M"
  window_size         = "PT5M"
  tags                = local.tags
  criteria {
    metric_namespace       = "Microsoft.MachineLearningServices/workspaces"
    metric_name            = "Failed Runs"
    aggregation            = "Total"
    operator               = "GreaterThan"
    threshold              = 0
    skip_metric_validation = true
  }
  action {
    action_group_id = azurerm_monitor_action_group.owner.id
  }
}

locals {
  endpoint_type = "microsoft.machinelearningservices/workspaces/onlineendpoints"
  endpoint_id   = "${module.workspace.id}/onlineEndpoints/${local.endpoint}"
  charts = [
    { title = "Requests a minute", metric = "RequestsPerMinute", aggregation = 4 },
    { title = "Latency of the slowest hundredth (ms)", metric = "RequestLatency_P99", aggregation = 4 },
  ]
  queries = [
    { title = "What the monitor found", query = "AppMetrics | summarize max(Max) by Name, bin(TimeGenerated, 1h) | render timechart" },
    { title = "Requests that failed", query = "AmlOnlineEndpointTrafficLog | where toint(ResponseCode) >= 500 | summarize count() by bin(TimeGenerated, 5m), DeploymentName | render timechart" },
  ]
}

resource "azurerm_application_insights_workbook" "this" {
  name                = uuidv5("url", "https://${local.name}/${local.unique}")
  display_name        = local.name
  resource_group_name = local.resource_group
  location            = var.location
  tags                = local.tags
  data_json = jsonencode({
    version = "Notebook/1.0"
    items = concat(
      [{ type = 1, name = "title", content = { json = "# ${local.name}" } }],
      [for chart in local.charts : {
        type = 10
        name = chart.metric
        content = {
          version      = "MetricsItem/2.0"
          chartId      = chart.metric
          title        = chart.title
          size         = 0
          chartType    = 2
          resourceType = local.endpoint_type
          metricScope  = 0
          resourceIds  = [local.endpoint_id]
          timeContext  = { durationMs = 86400000 }
          metrics      = [{ namespace = local.endpoint_type, metric = "${local.endpoint_type}--${chart.metric}", aggregation = chart.aggregation }]
        }
      }],
      [for at, each in local.queries : {
        type = 3
        name = "query-${at}"
        content = {
          version                 = "KqlItem/1.0"
          query                   = each.query
          title                   = each.title
          size                    = 0
          queryType               = 0
          resourceType            = "microsoft.operationalinsights/workspaces"
          crossComponentResources = [module.workspace.logs_id]
          timeContext             = { durationMs = 604800000 }
        }
      }],
    )
    fallbackResourceIds = [module.workspace.logs_id]
  })
}
