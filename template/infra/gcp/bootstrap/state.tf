# The template's: `copier update` renews this file.
# Where the states of platform/ and project/ lie, and this one's once it has moved.
module "state" {
  source       = "../modules/bucket"
  project_id   = var.project_id
  name         = "${var.project}-state-${local.unique}"
  regions      = [var.region, var.recovery_region]
  area         = var.area
  labels       = local.labels
  kms_key      = var.kms_key
  deleted_days = 365
  keep_data    = var.keep_data
  # Each reads every state, and who applies an environment writes its own.
  roles = merge(
    { plan = { role = "roles/storage.objectViewer", member = module.plan.member } },
    { for name in var.environments : "${name}-read" => { role = "roles/storage.objectViewer", member = module.apply[name].member } },
    { for name in var.environments : "${name}-write" => { role = "roles/storage.objectUser", member = module.apply[name].member, prefixes = ["project/${name}/"] } },
  )
  depends_on = [google_project_service.this]
}
