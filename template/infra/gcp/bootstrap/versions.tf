# The template's: `copier update` renews this file.
# Once a project of Google Cloud, by a person who owns it. The state lies beside these files until there is a bucket for it: README.md.
terraform {
  required_version = ">= 1.10.0"
  required_providers {
    google = {
      source  = "hashicorp/google"
      version = "~> 8.0"
    }
  }
}

provider "google" {
  project               = var.project_id
  region                = var.region
  default_labels        = local.labels
  user_project_override = true # a person asks for the budget in this project's name
  billing_project       = var.project_id
}

data "google_project" "this" {
  project_id = var.project_id
}

locals {
  number = data.google_project.this.number
  # Accounts have short names: the project's, or its first letters and whose they are.
  short  = length(var.project) <= 13 ? var.project : "${trimsuffix(substr(var.project, 0, 6), "-")}-${substr(sha1(var.project), 0, 6)}"
  unique = substr(sha1(var.project_id), 0, 8) # buckets have names that nobody else in the world may have
  # What the bill is split by. A label holds lower-case letters, digits, - and _.
  labels = merge(var.labels, {
    project     = var.project
    environment = "shared"
    owner       = substr(replace(lower(var.owner_email), "/[^a-z0-9_-]/", "_"), 0, 63)
    managed-by  = "infra-gcp-bootstrap"
  })
}
