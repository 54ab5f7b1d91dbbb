# The template's: `copier update` renews this file.
# Workflows become service accounts by GitHub's tokens, an hour at a time: no key of Google is made, nor kept in GitHub. The pool takes
# tokens of this repository alone; which job of which environment becomes which account is written out in accounts.tf.
resource "google_iam_workload_identity_pool" "github" {
  project                   = var.project_id
  workload_identity_pool_id = "github-${local.short}"
  display_name              = "GitHub ${local.short}"
  description               = "Workflows of ${var.github_repository}"
  depends_on                = [google_project_service.this]
}

locals {
  # The claim `repository` has no ids, where the subject has some: OWNER@ID/NAME@ID.
  repository = replace(var.github_repository, "/@[0-9]+/", "")
}

resource "google_iam_workload_identity_pool_provider" "github" {
  # checkov:skip=CKV_GCP_125:it wants one subject; accounts.tf gives each account its own
  project                            = var.project_id
  workload_identity_pool_id          = google_iam_workload_identity_pool.github.workload_identity_pool_id
  workload_identity_pool_provider_id = "github"
  attribute_mapping = {
    "google.subject"       = "assertion.sub"
    "attribute.repository" = "assertion.repository"
  }
  attribute_condition = join(" && ", concat(
    ["assertion.repository == '${local.repository}'", "assertion.sub.startsWith('repo:${var.github_repository}:')"],
    [for id in var.github_repository_id[*] : "assertion.repository_id == '${id}'"],
  ))
  oidc {
    issuer_uri = "https://token.actions.githubusercontent.com"
  }
}
