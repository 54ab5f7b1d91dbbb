# The template's: `copier update` renews this file.
# Every service account of this project comes from this module.
mock_provider "google" {
  mock_data "google_project" {
    defaults = { number = "123456789012", billing_account = "0A0A0A-0A0A0A-0A0A0A" }
  }
  mock_resource "google_service_account" {
    defaults = { name = "projects/made-up-project/serviceAccounts/account", email = "account@made-up-project.iam.gserviceaccount.com", member = "serviceAccount:account@made-up-project.iam.gserviceaccount.com" }
  }
  mock_resource "google_iam_workload_identity_pool" {
    defaults = { name = "projects/123456789012/locations/global/workloadIdentityPools/github" }
  }
  mock_resource "google_monitoring_notification_channel" {
    defaults = { id = "projects/made-up-project/notificationChannels/1" }
  }
}

variables {
  name       = "flight-delays-dev-apply"
  project_id = "made-up-project"
  purpose    = "Changes the infrastructure of dev"
  pool       = "projects/123456789012/locations/global/workloadIdentityPools/github"
  subjects   = ["repo:owner/name:environment:dev"]
  users      = { train = "serviceAccount:train@made-up-project.iam.gserviceaccount.com" }
  roles      = { buckets = { role = "projects/made-up-project/roles/buckets", condition = "resource.name.startsWith('projects/_/buckets/one')" } }
}

run "trusts_what_is_written_out" {
  assert {
    condition     = output.tokens == ["principal://iam.googleapis.com/projects/123456789012/locations/global/workloadIdentityPools/github/subject/repo:owner/name:environment:dev"]
    error_message = "Others than that job become this account."
  }
  assert {
    condition     = output.users == ["train"] && google_service_account_iam_member.users["train"].role == "roles/iam.serviceAccountUser"
    error_message = "Others act as it, or by another role."
  }
  assert {
    condition     = output.roles["buckets"] == { role = "projects/made-up-project/roles/buckets", condition = "resource.name.startsWith('projects/_/buckets/one')" }
    error_message = "It does not get its role, or gets it without its condition."
  }
}

run "trusts_no_wildcard" {
  command = plan
  variables {
    subjects = ["repo:owner/*:environment:dev"]
  }
  expect_failures = [var.subjects]
}

run "trusts_no_whole_repository" {
  command = plan
  variables {
    subjects = ["repo:owner/name"]
  }
  expect_failures = [var.subjects]
}

run "trusts_no_subject_that_google_cuts" {
  command = plan
  variables {
    subjects = ["repo:owner/a-name-that-is-longer-than-google-takes-it-because-somebody-wrote-the-whole-story-of-the-project-into-it-and-more:environment:dev"]
  }
  expect_failures = [var.subjects]
}

run "is_nobody_s_of_the_world" {
  command = plan
  variables {
    users = { everybody = "allAuthenticatedUsers" }
  }
  expect_failures = [var.users]
}

run "owns_nothing" {
  command = plan
  variables {
    roles = { all = { role = "roles/editor" } }
  }
  expect_failures = [var.roles]
}

run "administers_nothing" {
  command = plan
  variables {
    roles = { all = { role = "roles/aiplatform.admin" } }
  }
  expect_failures = [var.roles]
}

run "acts_as_nobody_it_is_not_named_for" {
  command = plan
  variables {
    roles = { all = { role = "roles/iam.serviceAccountUser" } }
  }
  expect_failures = [var.roles]
}

run "has_a_name_that_google_takes" {
  command = plan
  variables {
    name = "a-name-that-is-far-longer-than-thirty-letters"
  }
  expect_failures = [var.name]
}
