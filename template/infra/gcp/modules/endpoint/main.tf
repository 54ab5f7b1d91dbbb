# The template's: `copier update` renews this file.
# What watches an endpoint in one region. `mlops deploy` makes the endpoint itself; until then there is nothing to tell of.
terraform {
  required_version = ">= 1.10.0"
  required_providers {
    google = {
      source  = "hashicorp/google"
      version = "~> 8.0"
    }
  }
}

locals {
  endpoint = "resource.type = \"aiplatform.googleapis.com/Endpoint\" AND resource.labels.endpoint_id = \"${var.endpoint}\" AND resource.labels.location = \"${var.region}\""
}

resource "google_monitoring_alert_policy" "errors" {
  project               = var.project_id
  display_name          = "${var.endpoint} errors in ${var.region}"
  combiner              = "OR"
  severity              = "CRITICAL"
  notification_channels = var.channels
  user_labels           = var.labels
  conditions {
    display_name = "More than ${var.errors_per_minute} requests a minute fail on the server"
    condition_threshold {
      filter          = "metric.type = \"aiplatform.googleapis.com/prediction/online/error_count\" AND ${local.endpoint}"
      comparison      = "COMPARISON_GT"
      threshold_value = var.errors_per_minute * 5 # in five minutes
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

resource "google_monitoring_alert_policy" "latency" {
  project               = var.project_id
  display_name          = "${var.endpoint} latency in ${var.region}"
  combiner              = "OR"
  severity              = "WARNING"
  notification_channels = var.channels
  user_labels           = var.labels
  conditions {
    display_name = "One in a hundred requests takes longer than ${var.latency_ms} ms"
    condition_threshold {
      filter          = "metric.type = \"aiplatform.googleapis.com/prediction/online/prediction_latencies\" AND metric.labels.latency_type = \"total\" AND ${local.endpoint}"
      comparison      = "COMPARISON_GT"
      threshold_value = var.latency_ms
      duration        = "0s"
      aggregations {
        alignment_period     = "300s"
        per_series_aligner   = "ALIGN_PERCENTILE_99"
        cross_series_reducer = "REDUCE_MAX"
      }
    }
  }
  alert_strategy {
    auto_close = "1800s"
  }
}
