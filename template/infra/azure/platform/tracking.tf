# The template's: `copier update` renews this file.
# The workspace whose MLflow all environments use: runs, models and artifacts. Jobs and endpoints are in the environments' own.
module "tracking" {
  count          = var.tracking.use == "create" ? 1 : 0
  source         = "../modules/workspace"
  name           = length(local.name) <= 33 ? local.name : "${substr(local.name, 0, 24)}-${local.unique}"
  storage_name   = "${local.short}tr${local.unique}"
  vault_name     = "${local.short}tr${local.unique}"
  resource_group = local.resource_group
  location       = var.location
  tags           = local.tags
  replication    = var.replication
  deleted_days   = 90
  log_days       = 90
  keep_data      = var.keep_data
}

locals {
  tracking = var.tracking.use == "create" ? {
    workspace_id = module.tracking[0].id
    storage_id   = module.tracking[0].storage_id
    uri          = module.tracking[0].tracking_uri
    } : {
    workspace_id = var.tracking.workspace_id
    storage_id   = var.tracking.storage_account_id
    uri          = "azureml://${coalesce(var.tracking.location, var.location)}.api.azureml.ms/mlflow/v1.0${coalesce(var.tracking.workspace_id, "-")}"
  }
}
