# The template's: `copier update` renews this file.
# What project/ takes: terraform output -json settings > ../project/platform.auto.tfvars.json
output "settings" {
  value = {
    project_id          = var.project_id
    pipeline_repository = "${local.repository}/pipeline"
    serving_repository  = "${local.repository}/serving"
    tracking_uri        = var.tracking.use == "create" ? one(google_cloud_run_v2_service.mlflow[*].uri) : var.tracking.uri
    network = !var.network.jobs ? null : (
      var.network.use == "create" ? "projects/${local.number}/global/networks/${google_compute_network.this[0].name}" : replace(var.network.id, "projects/${var.project_id}/", "projects/${local.number}/")
    )
  }
}
