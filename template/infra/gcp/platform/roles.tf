# The template's: `copier update` renews this file.
# What each environment's accounts, of infra/gcp/bootstrap, may do with what is shared.
locals {
  who = merge([
    for name in var.environments : {
      for role in ["jobs", "endpoint", "train", "deploy"] : "${name}-${role}" => {
        role   = role
        member = "serviceAccount:${local.short}-${name}-${role}@${lookup(var.projects, name, var.project_id)}.iam.gserviceaccount.com"
      }
    }
  ]...)
  # Vertex AI pulls images as a service agent of the project where it runs them.
  agents = { for name, number in var.project_numbers : "${name}-vertex" => "serviceAccount:service-${number}@gcp-sa-aiplatform.iam.gserviceaccount.com" }
}

resource "google_artifact_registry_repository_iam_member" "this" {
  for_each = merge(
    { for key, who in local.who : key => { member = who.member, role = who.role == "train" ? "writer" : "reader" } },
    { for key, member in local.agents : key => { member = member, role = "reader" } },
  )
  project    = local.images.project
  location   = local.images.location
  repository = local.images.name
  role       = "roles/artifactregistry.${each.value.role}"
  member     = each.value.member
}
