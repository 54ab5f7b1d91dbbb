# The template's: `copier update` renews this file.
# A service account with what it may do in its project, who may act as it, and which of GitHub's tokens become it. It has no key.
terraform {
  required_version = ">= 1.10.0"
  required_providers {
    google = {
      source  = "hashicorp/google"
      version = "~> 8.0"
    }
  }
}

resource "google_service_account" "this" {
  project      = var.project_id
  account_id   = var.name
  display_name = var.name
  description  = var.purpose
}

resource "google_project_iam_member" "this" {
  for_each = var.roles
  project  = var.project_id
  role     = each.value.role
  member   = google_service_account.this.member
  dynamic "condition" {
    for_each = each.value.condition[*]
    content {
      title      = each.key
      expression = condition.value
    }
  }
}

resource "google_service_account_iam_member" "tokens" {
  for_each           = var.subjects
  service_account_id = google_service_account.this.name
  role               = "roles/iam.workloadIdentityUser"
  member             = "principal://iam.googleapis.com/${var.pool}/subject/${each.key}"
}

resource "google_service_account_iam_member" "users" {
  for_each           = var.users
  service_account_id = google_service_account.this.name
  role               = "roles/iam.serviceAccountUser"
  member             = each.value
}
