# The template's: `copier update` renews this file.
# The data of this environment, in both regions at once: data/, dvc/, pipeline/, pipelines/, bundles/, logs/.
module "bucket" {
  source       = "../modules/bucket"
  project_id   = var.project_id
  name         = "${local.name}-${local.unique}"
  regions      = [var.region, var.recovery_region]
  area         = var.area
  turbo        = var.turbo
  labels       = local.labels
  kms_key      = local.keys.data
  deleted_days = local.deleted_days
  expire_days  = { "pipeline/" = var.run_days, "logs/" = local.log_days }
  keep_data    = var.keep_data
  roles        = { for key, given in local.given : key => merge(given, { member = "serviceAccount:${local.accounts[split("-", key)[0]]}" }) }
}

# Who does what with it. `look` lists it: bootstrap/ wrote that role.
locals {
  look = "projects/${var.project_id}/roles/${replace(local.short, "-", "_")}_look"
  given = {
    jobs          = { role = "roles/storage.objectUser" }
    jobs-look     = { role = local.look }
    train         = { role = "roles/storage.objectUser" }
    train-look    = { role = local.look }
    deploy        = { role = "roles/storage.objectViewer" }
    deploy-look   = { role = local.look }
    deploy-write  = { role = "roles/storage.objectUser", prefixes = ["bundles/"] }
    endpoint      = { role = "roles/storage.objectViewer", prefixes = ["bundles/"] }
    endpoint-look = { role = local.look }
    endpoint-logs = { role = "roles/storage.objectCreator", prefixes = ["logs/predictions"] }
    retrain       = { role = "roles/storage.objectViewer", prefixes = ["pipelines/"] }
  }
}

# Buckets of others that `data.source` is read from.
resource "google_storage_bucket_iam_member" "source" {
  for_each = var.source_buckets
  bucket   = each.key
  role     = "roles/storage.objectViewer"
  member   = "serviceAccount:${local.accounts["jobs"]}"
}
