# The template's: `copier update` renews this file.
mock_provider "google" {
  mock_data "google_project" {
    defaults = { number = "123456789012" }
  }
  mock_resource "google_monitoring_notification_channel" {
    defaults = { id = "projects/made-up-project/notificationChannels/1" }
  }
  mock_resource "google_pubsub_topic" {
    defaults = { id = "projects/made-up-project/topics/flight-delays-prod-retrain" }
  }
  mock_resource "google_kms_crypto_key" {
    defaults = { id = "projects/made-up-project/locations/us/keyRings/k/cryptoKeys/k" }
  }
  mock_resource "google_kms_key_ring" {
    defaults = { id = "projects/made-up-project/locations/us/keyRings/k" }
  }
  mock_resource "google_workflows_workflow" {
    defaults = { id = "projects/made-up-project/locations/us-central1/workflows/flight-delays-prod-retrain" }
  }
  mock_resource "google_compute_region_network_endpoint_group" {
    defaults = { id = "projects/made-up-project/regions/us-central1/networkEndpointGroups/front" }
  }
  mock_resource "google_compute_backend_service" {
    defaults = { id = "projects/made-up-project/global/backendServices/front" }
  }
}

variables {
  environment         = "prod"
  project_id          = "made-up-project"
  pipeline_repository = "us-docker.pkg.dev/made-up-project/flight-delays/pipeline"
  serving_repository  = "us-docker.pkg.dev/made-up-project/flight-delays/serving"
  tracking_uri        = "https://mlflow.example.com"
  keep_data           = false
}

run "keeps_data_in_two_regions" {
  assert {
    condition     = toset(module.bucket.regions) == toset([var.region, var.recovery_region])
    error_message = "The data has no copy in another region."
  }
  assert {
    condition     = module.bucket.deleted_days == 90
    error_message = "What is deleted is lost too soon."
  }
  assert {
    condition     = output.mlops_gcp_kms_key == "" && module.bucket.kms_key == null && length(module.key) == 0
    error_message = "Keys are made, and paid for, that nobody asked for."
  }
}

run "does_little" {
  command = plan # of what is there already
  assert {
    condition = { for key, each in module.bucket.roles : key => each.role if each.condition == null } == {
      jobs          = "roles/storage.objectUser", train = "roles/storage.objectUser", deploy = "roles/storage.objectViewer"
      jobs-look     = local.look, train-look = local.look, deploy-look = local.look
      endpoint-look = local.look
    }
    error_message = "Somebody may do more, or less, with all of the data."
  }
  assert {
    condition     = endswith(module.bucket.roles["endpoint"].condition, "/objects/bundles/\")") && endswith(module.bucket.roles["endpoint-logs"].condition, "/objects/logs/predictions\")") && module.bucket.roles["endpoint-logs"].role == "roles/storage.objectCreator"
    error_message = "The endpoint does more to data than read bundles and write its log."
  }
  assert {
    condition     = endswith(module.bucket.roles["deploy-write"].condition, "/objects/bundles/\")") && endswith(module.bucket.roles["retrain"].condition, "/objects/pipelines/\")")
    error_message = "Who deploys changes data, or what starts a retraining reads it."
  }
  assert {
    condition     = alltrue([for each in module.bucket.roles : startswith(each.member, "serviceAccount:${local.short}-prod-")])
    error_message = "Another environment reaches this one's data."
  }
}

run "needs_no_model" {
  command = plan # of what is there already
  assert {
    condition     = keys(module.endpoint) == [var.region] && length(google_cloud_run_v2_service.front) == 0 && output.mlops_gcp_recovery_endpoint == "false" && output.load_balancer == null
    error_message = "The first apply makes what only a deployment needs."
  }
}

run "acts_on_drift" {
  command = plan # of what is there already
  assert {
    condition = (
      strcontains(google_monitoring_alert_policy.drift.conditions[0].condition_threshold[0].filter, "metric.type = \"custom.googleapis.com/mlops/Act\"") &&
      strcontains(google_monitoring_alert_policy.drift.conditions[0].condition_threshold[0].filter, "metric.labels.environment = \"prod\"") &&
      google_monitoring_alert_policy.drift.conditions[0].condition_threshold[0].threshold_value == 0
    )
    error_message = "The alert does not hear what mlops monitor says."
  }
  assert {
    condition     = length(google_monitoring_alert_policy.drift.notification_channels) == 2 && google_monitoring_notification_channel.retrain.type == "pubsub" && google_monitoring_notification_channel.retrain.labels["topic"] == google_pubsub_topic.retrain.id
    error_message = "Drift starts nothing."
  }
  assert {
    condition     = google_pubsub_topic_iam_member.alerts.member == "serviceAccount:service-123456789012@gcp-sa-monitoring-notification.iam.gserviceaccount.com" && google_pubsub_topic_iam_member.alerts.role == "roles/pubsub.publisher"
    error_message = "Others than alerts start a retraining, or alerts cannot."
  }
  assert {
    condition = (
      google_eventarc_trigger.retrain[0].transport[0].pubsub[0].topic == google_pubsub_topic.retrain.id && google_eventarc_trigger.retrain[0].destination[0].workflow == google_workflows_workflow.retrain.id &&
      google_eventarc_trigger.retrain[0].service_account == local.accounts["retrain"] && google_workflows_workflow.retrain.service_account == local.accounts["retrain"]
    )
    error_message = "The message starts nothing, or by an account of many rights."
  }
  assert {
    condition = (
      one([for step in yamldecode(google_workflows_workflow.retrain.source_contents).main.steps : step.find.args.url if can(step.find)]) == "https://storage.googleapis.com/storage/v1/b/${module.bucket.name}/o/pipelines%2F${var.project}-prod.json?alt=media" &&
      one([for step in yamldecode(google_workflows_workflow.retrain.source_contents).main.steps : step.start.try.args.url if can(step.start)]) == "https://${var.region}-aiplatform.googleapis.com/v1/projects/made-up-project/locations/${var.region}/pipelineJobs"
    )
    error_message = "The workflow starts something else than what mlops submit left."
  }
}

run "tells_the_owner" {
  command = plan
  variables {
    monitor_hours = 23
  }
  assert {
    condition     = google_monitoring_notification_channel.owner.labels["email_address"] == var.owner_email
    error_message = "The owner is not told."
  }
  assert {
    condition     = google_monitoring_alert_policy.silence[0].conditions[0].condition_absent[0].duration == "82800s"
    error_message = "Nobody hears that the monitor is silent."
  }
  assert {
    condition     = strcontains(google_monitoring_alert_policy.failed.conditions[0].condition_matched_log[0].filter, "jsonPayload.state = \"PIPELINE_STATE_FAILED\"") && strcontains(google_monitoring_alert_policy.failed.conditions[0].condition_matched_log[0].filter, "pipeline_job_id =~ \"^${var.project}-prod\"")
    error_message = "Nobody hears of a run that failed."
  }
  assert {
    condition     = strcontains(google_monitoring_alert_policy.not_started.conditions[0].condition_threshold[0].filter, "workflow_id = \"${var.project}-prod-retrain\"")
    error_message = "Nobody hears of a retraining that did not start."
  }
}

run "watches_the_endpoint" {
  assert {
    condition = alltrue([
      for alert in module.endpoint[var.region].alerts : alert.tells == tolist([google_monitoring_notification_channel.owner.id]) && strcontains(alert.filter, "endpoint_id = \"${var.project}-prod\"")
    ]) && length(module.endpoint[var.region].alerts) == 2
    error_message = "The endpoint is not watched."
  }
}

run "shows_what_happens" {
  command = plan # of what is there already
  assert {
    condition = [for tile in jsondecode(google_monitoring_dashboard.this.dashboard_json).mosaicLayout.tiles : tile.widget.title] == [
      "Errors a second", "Latency of the slowest hundredth (ms)", "Replicas", "Requests a second", "What the monitor found: Performance",
      "What the monitor found: PredictionDrift", "What the monitor found: LabelDrift", "What the monitor found: Quality",
    ]
    error_message = "The dashboard shows less."
  }
}

run "leaves_dev_alone" {
  command = plan
  variables {
    environment = "dev"
  }
  assert {
    condition     = length(google_eventarc_trigger.retrain) == 0 && local.log_days == 14 && local.deleted_days == 7
    error_message = "In dev, drift starts a run, or things are kept for long."
  }
}

run "makes_keys_when_told" {
  variables {
    keys              = { use = "create" }
    recovery_endpoint = true
  }
  assert {
    condition     = local.places == tomap({ main = var.region, data = split("-", var.region)[0], recovery = var.recovery_region }) && alltrue([for key in module.key : key.rotation_days == 90])
    error_message = "A key is not where what it encrypts is, or never renewed."
  }
  assert {
    condition     = output.mlops_gcp_kms_key == module.key["main"].id && output.mlops_gcp_recovery_kms_key == module.key["recovery"].id
    error_message = "mlops does not know the keys."
  }
  assert {
    condition     = module.bucket.kms_key == module.key["data"].id && google_pubsub_topic.retrain.kms_key_name == module.key["main"].id
    error_message = "The data is not encrypted by the key that was asked for."
  }
  assert {
    condition     = module.key["data"].users == ["serviceAccount:service-123456789012@gs-project-accounts.iam.gserviceaccount.com"]
    error_message = "Others than Cloud Storage use the key of the data, or it cannot."
  }
}

run "takes_keys_that_are_there" {
  command = plan
  variables {
    keys              = { use = "existing", main = "projects/p/locations/us-central1/keyRings/k/cryptoKeys/k", recovery = "projects/p/locations/us-east1/keyRings/k/cryptoKeys/k", data = "projects/p/locations/us/keyRings/k/cryptoKeys/k" }
    recovery_endpoint = true
  }
  assert {
    condition     = output.mlops_gcp_kms_key == var.keys.main && output.mlops_gcp_recovery_kms_key == var.keys.recovery && module.bucket.kms_key == var.keys.data && length(module.key) == 0
    error_message = "Keys that are there are not used."
  }
}

run "knows_where_keys_are" {
  command = plan
  variables {
    region          = "australia-southeast1"
    recovery_region = "australia-southeast2"
    keys            = { use = "create" }
  }
  expect_failures = [var.keys]
}

run "names_keys_that_are_there" {
  command = plan
  variables {
    keys = { use = "existing" }
  }
  expect_failures = [var.keys]
}

run "serves_in_two_regions_behind_one_name" {
  variables {
    recovery_endpoint = true
    load_balancer     = { domain = "model.example.com" }
  }
  assert {
    condition     = output.mlops_gcp_recovery_endpoint == "true" && toset(keys(module.endpoint)) == toset([var.region, var.recovery_region])
    error_message = "mlops deploy does not serve in the recovery region, or nobody watches it."
  }
  assert {
    condition = toset([for each in google_cloud_run_v2_service.front : each.location]) == toset([var.region, var.recovery_region]) && alltrue([
      for region, each in google_cloud_run_v2_service.front : strcontains(one(each.template[0].containers[0].env).value, "proxy_pass https://${var.project}-prod.${region}-123456789012.prediction.vertexai.goog/v1/projects/made-up-project/locations/${region}/endpoints/${var.project}-prod:predict;")
    ])
    error_message = "A proxy leads to the endpoint of the other region, or to none."
  }
  assert {
    condition     = toset([for each in google_compute_region_network_endpoint_group.front : each.region]) == toset([var.region, var.recovery_region]) && google_compute_backend_service.front[0].outlier_detection[0].consecutive_errors == 3
    error_message = "The name does not lead to the second region when the first is gone."
  }
  assert {
    condition = alltrue([
      for each in google_cloud_run_v2_service.front : each.ingress == "INGRESS_TRAFFIC_INTERNAL_LOAD_BALANCER" && each.default_uri_disabled && each.template[0].service_account == local.accounts["front"]
    ])
    error_message = "A proxy is reached beside the name, or has rights of its own."
  }
  assert {
    condition     = google_compute_global_forwarding_rule.front[0].port_range == "443" && google_compute_ssl_policy.front[0].min_tls_version == "TLS_1_2" && alltrue([for each in google_cloud_run_v2_service.front : strcontains(one(each.template[0].containers[0].env).value, "proxy_ssl_verify on;")])
    error_message = "The name answers without TLS, or does not look at whom it leads to."
  }
}

run "needs_two_endpoints_for_a_name" {
  command = plan
  variables {
    load_balancer = { domain = "model.example.com" }
  }
  expect_failures = [google_cloud_run_v2_service.front]
}

run "knows_its_environments" {
  command = plan
  variables {
    environment = "test"
  }
  expect_failures = [var.environment]
}

run "labels_everything" {
  command = plan
  variables {
    labels = { cost-center = "42", project = "another" }
  }
  assert {
    condition     = local.labels["project"] == var.project && local.labels["environment"] == "prod" && local.labels["cost-center"] == "42" && can(regex("^[a-z0-9_-]{1,63}$", local.labels["owner"]))
    error_message = "The bill cannot be split by project, environment and owner."
  }
  assert {
    condition = alltrue([
      for each in [google_monitoring_alert_policy.drift, google_monitoring_alert_policy.failed, google_monitoring_alert_policy.not_started] : each.user_labels == tomap(local.labels)
    ])
    error_message = "An alert has no labels."
  }
}
