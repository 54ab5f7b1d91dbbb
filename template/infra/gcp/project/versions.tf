# The template's: `copier update` renews this file.
terraform {
  required_version = ">= 1.10.0"
  required_providers {
    google = {
      source  = "hashicorp/google"
      version = "~> 8.0"
    }
  }
  # terraform init -backend-config=../backend.hcl -backend-config=prefix=project/dev
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
  name   = "${var.project}-${var.environment}" # as `mlops deploy` and `mlops submit` call what they make
  number = data.google_project.this.number
  # Accounts have short names: the project's, or its first letters and whose they are. bootstrap/ made them.
  short    = length(var.project) <= 13 ? var.project : "${trimsuffix(substr(var.project, 0, 6), "-")}-${substr(sha1(var.project), 0, 6)}"
  accounts = { for role in ["jobs", "endpoint", "train", "deploy", "retrain", "front"] : role => "${local.short}-${var.environment}-${role}@${var.project_id}.iam.gserviceaccount.com" }
  unique   = substr(sha1(var.project_id), 0, 8) # buckets have names that nobody else in the world may have
  # What the bill is split by. A label holds lower-case letters, digits, - and _.
  labels = merge(var.labels, {
    project     = var.project
    environment = var.environment
    owner       = substr(replace(lower(var.owner_email), "/[^a-z0-9_-]/", "_"), 0, 63)
    managed-by  = "infra-gcp-project"
  })

  # What a setting is where it is not said.
  deleted_days = coalesce(var.deleted_days, { dev = 7, staging = 30, prod = 90 }[var.environment])
  log_days     = coalesce(var.log_days, { dev = 14, staging = 30, prod = 90 }[var.environment])
}
