# The template's: `copier update` renews this file.
# Once an organisation: what its projects share. Each part is made here, or is what there is already.
terraform {
  required_version = ">= 1.10.0"
  required_providers {
    google = {
      source  = "hashicorp/google"
      version = "~> 8.0"
    }
  }
  # terraform init -backend-config=../backend.hcl -backend-config=prefix=platform
  backend "gcs" {}
}

provider "google" {
  project        = var.project_id
  region         = var.region
  default_labels = local.labels
}

data "google_project" "this" {
  project_id = var.project_id
}

locals {
  name   = "${var.project}-shared"
  number = data.google_project.this.number
  # Accounts have short names: the project's, or its first letters and whose they are. Those of environments bootstrap/ made.
  short  = length(var.project) <= 13 ? var.project : "${trimsuffix(substr(var.project, 0, 6), "-")}-${substr(sha1(var.project), 0, 6)}"
  unique = substr(sha1(var.project_id), 0, 8) # buckets have names that nobody else in the world may have
  # What the bill is split by. A label holds lower-case letters, digits, - and _.
  labels = merge(var.labels, {
    project     = var.project
    environment = "shared"
    owner       = substr(replace(lower(var.owner_email), "/[^a-z0-9_-]/", "_"), 0, 63)
    managed-by  = "infra-gcp-platform"
  })
}
