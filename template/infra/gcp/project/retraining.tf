# The template's: `copier update` renews this file.
# The monitor's word becomes a run of the pipeline: metric, alert, message, workflow, start. `mlops monitor` writes Act = 1 for drift, and
# `mlops submit` leaves what is to be started in pipelines/.
locals {
  retrain    = coalesce(var.retrain_on_drift, var.environment != "dev")
  vertex     = "https://${var.region}-aiplatform.googleapis.com/v1/projects/${var.project_id}/locations/${var.region}"
  definition = "https://storage.googleapis.com/storage/v1/b/${module.bucket.name}/o/${urlencode("pipelines/${local.name}.json")}?alt=media"
}

resource "google_pubsub_topic" "retrain" {
  project                    = var.project_id
  name                       = "${local.name}-retrain"
  kms_key_name               = local.keys.main
  message_retention_duration = "86400s"
  labels                     = local.labels
}

# An alert writes as a service agent of Cloud Monitoring, which is there once a channel is.
resource "google_pubsub_topic_iam_member" "alerts" {
  project    = var.project_id
  topic      = google_pubsub_topic.retrain.name
  role       = "roles/pubsub.publisher"
  member     = "serviceAccount:service-${local.number}@gcp-sa-monitoring-notification.iam.gserviceaccount.com"
  depends_on = [google_monitoring_notification_channel.retrain]
}

resource "google_workflows_workflow" "retrain" {
  project             = var.project_id
  name                = "${local.name}-retrain"
  region              = var.region
  description         = "Starts the pipeline when the monitor of ${local.name} says so"
  service_account     = local.accounts["retrain"]
  crypto_key_name     = local.keys.main
  call_log_level      = "LOG_ERRORS_ONLY"
  deletion_protection = false
  labels              = local.labels
  source_contents     = templatefile("${path.module}/retraining.yaml", { definition = local.definition, jobs = "${local.vertex}/pipelineJobs", name = local.name })
}

resource "google_eventarc_trigger" "retrain" {
  count           = local.retrain ? 1 : 0
  project         = var.project_id
  name            = "${local.name}-retrain"
  location        = var.region
  service_account = local.accounts["retrain"]
  labels          = local.labels
  matching_criteria {
    attribute = "type"
    value     = "google.cloud.pubsub.topic.v1.messagePublished"
  }
  transport {
    pubsub {
      topic = google_pubsub_topic.retrain.id
    }
  }
  destination {
    workflow = google_workflows_workflow.retrain.id
  }
}
