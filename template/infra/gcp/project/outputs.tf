# The template's: `copier update` renews this file.
# Variables of the environment, by their names in lower case. `mlops doctor --on gcp` has the commands that set them.
output "mlops_gcp_project" {
  value = var.project_id
}

output "mlops_gcp_bucket" {
  value = module.bucket.name
}

output "mlops_gcp_pipeline_repository" {
  value = var.pipeline_repository
}

output "mlops_gcp_serving_repository" {
  value = var.serving_repository
}

output "mlops_gcp_job_service_account" {
  value = local.accounts["jobs"]
}

output "mlops_gcp_endpoint_service_account" {
  value = local.accounts["endpoint"]
}

output "mlops_gcp_network" {
  value = var.network == null ? "" : var.network
}

output "mlops_gcp_kms_key" {
  value = local.keys.main == null ? "" : local.keys.main
}

output "mlops_gcp_recovery_endpoint" {
  value = tostring(var.recovery_endpoint)
}

output "mlops_gcp_recovery_kms_key" {
  value = var.recovery_endpoint && local.keys.recovery != null ? local.keys.recovery : ""
}

output "mlops_tracking_uri" {
  value = var.tracking_uri
}

output "mlops_log_uri" {
  value = "gs://${module.bucket.name}/logs/predictions"
}

output "mlops_data_remote" {
  value = "gs://${module.bucket.name}/dvc"
}

output "dashboard" {
  description = "Where to look"
  value       = "https://console.cloud.google.com/monitoring/dashboards/builder/${reverse(split("/", google_monitoring_dashboard.this.id))[0]}?project=${var.project_id}"
}

output "load_balancer" {
  description = "Address of the one name before both endpoints, for an A record of your domain; null without it"
  value       = one(google_compute_global_address.front[*].address)
}
