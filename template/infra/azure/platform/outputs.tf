# The template's: `copier update` renews this file.
# What project/ takes: terraform output -json settings > ../project/platform.auto.tfvars.json
output "settings" {
  value = {
    pipeline_repository   = "${local.images.server}/${var.project}/pipeline"
    serving_repository    = "${local.images.server}/${var.project}/serving"
    container_registry_id = local.images.id
    tracking_uri          = local.tracking.uri
    tracking_storage_id   = local.tracking.storage_id
    registry              = local.registry.name
    network = {
      private   = var.network.use == "create"
      subnet_id = var.network.subnet_id
    }
  }
}
