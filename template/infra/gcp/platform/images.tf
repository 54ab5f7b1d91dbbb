# The template's: `copier update` renews this file.
# Images: a tag is never moved to another one, each is scanned, and both regions pull from the continent's registry.
locals {
  continent = split("-", var.region)[0]
  # What Artifact Registry has of several regions; elsewhere, it is the region itself.
  images_location = coalesce(var.images.location, contains(["us", "europe", "asia"], local.continent) ? local.continent : var.region)
}

resource "google_artifact_registry_repository" "this" {
  count         = var.images.use == "create" ? 1 : 0
  project       = var.project_id
  location      = local.images_location
  repository_id = var.project
  description   = "Images of ${var.project}: pipeline and serving"
  format        = "DOCKER"
  kms_key_name  = var.images.kms_key
  docker_config {
    immutable_tags = true
  }
  vulnerability_scanning_config {
    enablement_config = "INHERITED" # of the project, where containerscanning is on
  }
  cleanup_policies {
    id     = "broken-off"
    action = "DELETE"
    condition {
      tag_state  = "UNTAGGED"
      older_than = "1209600s" # 14 days
    }
  }
  depends_on = [google_project_service.this]
}

locals {
  images = var.images.use == "create" ? {
    location = local.images_location
    project  = var.project_id
    name     = one(google_artifact_registry_repository.this[*].repository_id)
    } : {
    location = split("/", coalesce(var.images.id, "-/-/-/-/-/-"))[3]
    project  = split("/", coalesce(var.images.id, "-/-/-/-/-/-"))[1]
    name     = split("/", coalesce(var.images.id, "-/-/-/-/-/-"))[5]
  }
  repository = "${local.images.location}-docker.pkg.dev/${local.images.project}/${local.images.name}"
}
