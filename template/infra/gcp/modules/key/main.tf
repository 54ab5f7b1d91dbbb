# The template's: `copier update` renews this file.
# A key that encrypts what services of Google keep, renewed by itself; those services use it, and nobody else.
terraform {
  required_version = ">= 1.10.0"
  required_providers {
    google = {
      source  = "hashicorp/google"
      version = "~> 8.0"
    }
  }
}

resource "google_kms_key_ring" "this" {
  project  = var.project_id
  name     = var.name
  location = var.location
}

resource "google_kms_crypto_key" "this" {
  # checkov:skip=CKV_GCP_82:what is encrypted by it is in the way of `destroy`, and a destroyed version can be restored for 30 days
  name                       = var.name
  key_ring                   = google_kms_key_ring.this.id
  rotation_period            = "7776000s" # 90 days
  destroy_scheduled_duration = "2592000s" # 30 days
  labels                     = var.labels
}

resource "google_kms_crypto_key_iam_member" "users" {
  for_each      = var.users
  crypto_key_id = google_kms_crypto_key.this.id
  role          = "roles/cloudkms.cryptoKeyEncrypterDecrypter"
  member        = each.value
}
