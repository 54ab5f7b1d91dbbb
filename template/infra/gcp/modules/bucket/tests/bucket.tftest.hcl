# The template's: `copier update` renews this file.
# Every bucket of this project comes from this module.
mock_provider "google" {}

variables {
  name        = "flight-delays-dev-12345678"
  project_id  = "made-up-project"
  regions     = ["us-central1", "us-east1"]
  labels      = { project = "flight-delays" }
  expire_days = { "logs/" = 30 }
  keep_data   = false
  roles = {
    endpoint = { role = "roles/storage.objectViewer", member = "serviceAccount:endpoint@made-up-project.iam.gserviceaccount.com", prefixes = ["bundles/"] }
    jobs     = { role = "roles/storage.objectUser", member = "serviceAccount:jobs@made-up-project.iam.gserviceaccount.com" }
  }
}

run "is_private" {
  assert {
    condition     = google_storage_bucket.this.public_access_prevention == "enforced"
    error_message = "What lies in it can be made public."
  }
  assert {
    condition     = google_storage_bucket.this.uniform_bucket_level_access
    error_message = "An object can be given to somebody by itself."
  }
}

run "narrows_roles_to_prefixes" {
  assert {
    condition     = output.roles["endpoint"].condition == "resource.name.startsWith(\"projects/_/buckets/flight-delays-dev-12345678/objects/bundles/\")" && output.roles["jobs"].condition == null
    error_message = "Who may read some of it reads all of it."
  }
}

run "keeps_what_was_there" {
  assert {
    condition     = google_storage_bucket.this.versioning[0].enabled
    error_message = "What is overwritten is lost."
  }
  assert {
    condition     = output.deleted_days == 90
    error_message = "Versions are kept for ever, or not long enough."
  }
  assert {
    condition = [
      for rule in google_storage_bucket.this.lifecycle_rule : one(rule.condition).age if length(coalesce(one(rule.condition).matches_prefix, [])) > 0
    ] == [30]
    error_message = "Logs do not go."
  }
}

run "is_in_two_regions" {
  assert {
    condition     = toset(output.regions) == toset(["us-central1", "us-east1"]) && google_storage_bucket.this.location == "US"
    error_message = "The bucket has no copy in another region."
  }
}

run "knows_continents" {
  variables {
    regions = ["asia-south1", "asia-south2"]
  }
  assert {
    condition     = google_storage_bucket.this.location == "IN"
    error_message = "The bucket is not where both regions are."
  }
}

run "refuses_a_copy_in_the_same_region" {
  command = plan
  variables {
    regions = ["us-central1", "us-central1"]
  }
  expect_failures = [google_storage_bucket.this]
}

run "refuses_two_continents" {
  command = plan
  variables {
    regions = ["us-central1", "europe-west4"]
  }
  expect_failures = [google_storage_bucket.this]
}

run "refuses_a_continent_without_two" {
  command = plan
  variables {
    regions = ["southamerica-east1", "southamerica-west1"]
  }
  expect_failures = [google_storage_bucket.this]
}

run "is_encrypted_by_the_key_that_is_named" {
  variables {
    kms_key = "projects/made-up-project/locations/us/keyRings/k/cryptoKeys/k"
  }
  assert {
    condition     = output.kms_key == "projects/made-up-project/locations/us/keyRings/k/cryptoKeys/k"
    error_message = "The bucket is not encrypted by its key."
  }
}

run "leaves_nothing_billed_when_told" {
  assert {
    condition     = google_storage_bucket.this.force_destroy && google_storage_bucket.this.soft_delete_policy[0].retention_duration_seconds == 0
    error_message = "What was taken away is still paid for."
  }
}

run "keeps_data_until_told" {
  command = plan
  variables {
    keep_data = true
  }
  assert {
    condition     = !google_storage_bucket.this.force_destroy
    error_message = "destroy takes away data without having been told."
  }
  assert {
    condition     = google_storage_bucket.this.soft_delete_policy[0].retention_duration_seconds == 90 * 86400
    error_message = "What is deleted is lost."
  }
}

run "is_nobody_s_of_the_world" {
  command = plan
  variables {
    roles = { all = { role = "roles/storage.objectViewer", member = "allUsers" } }
  }
  expect_failures = [var.roles]
}

run "is_administered_by_nobody" {
  command = plan
  variables {
    roles = { all = { role = "roles/storage.admin", member = "serviceAccount:jobs@made-up-project.iam.gserviceaccount.com" } }
  }
  expect_failures = [var.roles]
}

run "has_a_name_that_google_takes" {
  command = plan
  variables {
    name = "Flight_Delays"
  }
  expect_failures = [var.name]
}
