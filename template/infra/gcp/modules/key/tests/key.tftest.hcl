# The template's: `copier update` renews this file.
mock_provider "google" {
  mock_resource "google_kms_crypto_key" {
    defaults = { id = "projects/made-up-project/locations/us/keyRings/k/cryptoKeys/k" }
  }
  mock_resource "google_kms_key_ring" {
    defaults = { id = "projects/made-up-project/locations/us/keyRings/k" }
  }
}

variables {
  name       = "flight-delays-prod"
  project_id = "made-up-project"
  location   = "us-central1"
  labels     = { project = "flight-delays" }
  users      = { vertex = "serviceAccount:service-123456789012@gcp-sa-aiplatform.iam.gserviceaccount.com" }
}

run "is_renewed" {
  assert {
    condition     = output.rotation_days == 90
    error_message = "The key is never renewed, or too late."
  }
  assert {
    condition     = google_kms_crypto_key.this.destroy_scheduled_duration == "2592000s"
    error_message = "A key that was destroyed by mistake is lost at once."
  }
}

run "is_used_by_services_alone" {
  command = plan
  variables {
    users = { somebody = "user:somebody@example.com" }
  }
  expect_failures = [var.users]
}
