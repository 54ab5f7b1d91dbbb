# The template's: `copier update` renews this file.
# What may be used in this project. Taking this away turns nothing off: others may use it too.
resource "google_project_service" "this" {
  for_each = toset([
    "aiplatform", "artifactregistry", "billingbudgets", "cloudkms", "cloudresourcemanager", "compute", "eventarc", "iam",
    "iamcredentials", "logging", "monitoring", "pubsub", "run", "secretmanager", "servicenetworking", "serviceusage", "sqladmin",
    "storage", "sts", "workflowexecutions", "workflows",
  ])
  project            = var.project_id
  service            = "${each.key}.googleapis.com"
  disable_on_destroy = false
}
