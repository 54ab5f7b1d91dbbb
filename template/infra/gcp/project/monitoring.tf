# The template's: `copier update` renews this file.
# Who is told of what: drift, a monitor that is silent, a run that failed, a retraining that did not start.
resource "google_monitoring_notification_channel" "owner" {
  project      = var.project_id
  display_name = "${local.name} owner"
  type         = "email"
  labels       = { email_address = var.owner_email }
  user_labels  = local.labels
}

resource "google_monitoring_notification_channel" "retrain" {
  project      = var.project_id
  display_name = "${local.name} retrain"
  type         = "pubsub"
  labels       = { topic = google_pubsub_topic.retrain.id }
  user_labels  = local.labels
}

locals {
  channels = concat([google_monitoring_notification_channel.owner.id], tolist(var.channels))
  about    = "resource.type = \"global\" AND metric.labels.project = \"${var.project}\" AND metric.labels.environment = \"${var.environment}\""
  monitor  = "metric.type = \"custom.googleapis.com/mlops/Act\" AND ${local.about}"
  endpoint = "resource.type = \"aiplatform.googleapis.com/Endpoint\" AND resource.labels.endpoint_id = \"${local.name}\""
  runs     = "resource.type = \"aiplatform.googleapis.com/PipelineJob\" AND resource.labels.pipeline_job_id =~ \"^${local.name}\""
}

# bootstrap/ made the metric: an alert needs one that is there.
resource "google_monitoring_alert_policy" "drift" {
  project               = var.project_id
  display_name          = "${local.name} drift"
  combiner              = "OR"
  severity              = "WARNING"
  notification_channels = concat(local.channels, [google_monitoring_notification_channel.retrain.id])
  user_labels           = local.labels
  conditions {
    display_name = "What is scored is no longer what it was trained on, or the model has become worse"
    condition_threshold {
      filter          = local.monitor
      comparison      = "COMPARISON_GT"
      threshold_value = 0
      duration        = "0s"
      aggregations {
        alignment_period     = "3600s"
        per_series_aligner   = "ALIGN_MAX"
        cross_series_reducer = "REDUCE_MAX"
      }
    }
  }
  alert_strategy {
    auto_close = "3600s" # so that the next report of drift is an incident of its own
  }
}

resource "google_monitoring_alert_policy" "silence" {
  count                 = var.monitor_hours > 0 ? 1 : 0
  project               = var.project_id
  display_name          = "${local.name} monitor silent"
  combiner              = "OR"
  severity              = "WARNING"
  notification_channels = local.channels
  user_labels           = local.labels
  conditions {
    display_name = "The monitor has said nothing for ${var.monitor_hours} hours"
    condition_absent {
      filter   = local.monitor
      duration = "${var.monitor_hours * 3600}s"
      aggregations {
        alignment_period   = "3600s"
        per_series_aligner = "ALIGN_COUNT"
      }
    }
  }
}

# A run that fails tells the owner, whoever started it.
resource "google_monitoring_alert_policy" "failed" {
  project               = var.project_id
  display_name          = "${local.name} failed"
  combiner              = "OR"
  severity              = "ERROR"
  notification_channels = local.channels
  user_labels           = local.labels
  conditions {
    display_name = "A run of the pipeline failed"
    condition_matched_log {
      filter           = "log_id(\"aiplatform.googleapis.com/pipeline_job_events\") AND ${local.runs} AND jsonPayload.state = \"PIPELINE_STATE_FAILED\""
      label_extractors = { run = "EXTRACT(resource.labels.pipeline_job_id)" }
    }
  }
  alert_strategy {
    auto_close = "1800s"
    notification_rate_limit {
      period = "300s"
    }
  }
}

resource "google_monitoring_alert_policy" "not_started" {
  project               = var.project_id
  display_name          = "${local.name} retraining not started"
  combiner              = "OR"
  severity              = "ERROR"
  notification_channels = local.channels
  user_labels           = local.labels
  conditions {
    display_name = "The monitor asked for retraining, and the pipeline could not be started"
    condition_threshold {
      filter = join(" AND ", [
        "metric.type = \"workflows.googleapis.com/finished_execution_count\"", "metric.labels.status = \"FAILED\"",
        "resource.type = \"workflows.googleapis.com/Workflow\"", "resource.labels.workflow_id = \"${google_workflows_workflow.retrain.name}\"",
      ])
      comparison      = "COMPARISON_GT"
      threshold_value = 0
      duration        = "0s"
      aggregations {
        alignment_period     = "300s"
        per_series_aligner   = "ALIGN_DELTA"
        cross_series_reducer = "REDUCE_SUM"
      }
    }
  }
  alert_strategy {
    auto_close = "1800s"
  }
}

locals {
  online = {
    "Requests a second"                     = { metric = "prediction_count", aligner = "ALIGN_RATE", reducer = "REDUCE_SUM" }
    "Errors a second"                       = { metric = "error_count", aligner = "ALIGN_RATE", reducer = "REDUCE_SUM" }
    "Latency of the slowest hundredth (ms)" = { metric = "prediction_latencies", aligner = "ALIGN_PERCENTILE_99", reducer = "REDUCE_MAX" }
    "Replicas"                              = { metric = "replicas", aligner = "ALIGN_MAX", reducer = "REDUCE_SUM" }
  }
  charts = concat(
    [for title, each in local.online : merge(each, {
      title  = title
      filter = "metric.type = \"aiplatform.googleapis.com/prediction/online/${each.metric}\" AND ${local.endpoint}"
      every  = "60s"
      by     = ["resource.label.location", "metric.label.deployed_model_id"]
    })],
    [for name in ["Performance", "PredictionDrift", "LabelDrift", "Quality"] : {
      title   = "What the monitor found: ${name}"
      filter  = "metric.type = \"custom.googleapis.com/mlops/${name}\" AND ${local.about}"
      aligner = "ALIGN_MAX"
      reducer = "REDUCE_MAX"
      every   = "3600s"
      by      = []
    }],
  )
}

resource "google_monitoring_dashboard" "this" {
  project = var.project_id
  dashboard_json = jsonencode({
    displayName = local.name
    labels      = { for label in ["project", "environment"] : local.labels[label] => "" }
    mosaicLayout = {
      columns = 12
      tiles = [for at, chart in local.charts : {
        xPos   = 6 * (at % 2)
        yPos   = 4 * floor(at / 2)
        width  = 6
        height = 4
        widget = {
          title = chart.title
          xyChart = {
            dataSets = [{
              plotType = "LINE"
              timeSeriesQuery = { timeSeriesFilter = {
                filter      = chart.filter
                aggregation = { alignmentPeriod = chart.every, perSeriesAligner = chart.aligner, crossSeriesReducer = chart.reducer, groupByFields = chart.by }
              } }
            }]
          }
        }
      }]
    }
  })
}
