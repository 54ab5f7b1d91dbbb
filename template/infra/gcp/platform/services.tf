# The template's: `copier update` renews this file.
# What may be used, also where this is another project than the environments'. Taking this away turns nothing off.
resource "google_project_service" "this" {
  for_each           = toset(["artifactregistry", "cloudresourcemanager", "compute", "containerscanning", "iam", "run", "secretmanager", "servicenetworking", "sqladmin", "storage"])
  project            = var.project_id
  service            = "${each.key}.googleapis.com"
  disable_on_destroy = false
}
