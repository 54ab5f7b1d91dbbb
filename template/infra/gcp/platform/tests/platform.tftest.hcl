# The template's: `copier update` renews this file.
mock_provider "google" {
  mock_data "google_project" {
    defaults = { number = "123456789012" }
  }
  mock_resource "google_service_account" {
    defaults = { name = "projects/made-up-project/serviceAccounts/account", email = "account@made-up-project.iam.gserviceaccount.com", member = "serviceAccount:account@made-up-project.iam.gserviceaccount.com" }
  }
  mock_resource "google_compute_network" {
    defaults = { id = "projects/made-up-project/global/networks/flight-delays-shared" }
  }
  mock_resource "google_cloud_run_v2_service" {
    defaults = { uri = "https://flight-delays-mlflow-123456789012.us-central1.run.app" }
  }
  mock_resource "google_sql_database_instance" {
    defaults = { connection_name = "made-up-project:us-central1:flight-delays-mlflow" }
  }
}

variables {
  project_id = "made-up-project"
  tracking   = { use = "create" }
  images     = { use = "create" }
  network    = { use = "create" }
  keep_data  = false
}

run "makes_each_part" {
  assert {
    condition = jsonencode(output.settings) == jsonencode({
      project_id          = "made-up-project"
      pipeline_repository = "${local.images_location}-docker.pkg.dev/made-up-project/${var.project}/pipeline"
      serving_repository  = "${local.images_location}-docker.pkg.dev/made-up-project/${var.project}/serving"
      tracking_uri        = "https://flight-delays-mlflow-123456789012.us-central1.run.app"
      network             = null
    })
    error_message = "project/ does not get what it takes."
  }
}

run "is_called_with_an_identity" {
  command = plan # of what is there already
  assert {
    condition     = !google_cloud_run_v2_service.mlflow[0].invoker_iam_disabled
    error_message = "The tracking server answers everybody."
  }
  assert {
    condition = toset(keys(google_cloud_run_v2_service_iam_member.callers)) == toset(flatten([
      for name in ["dev", "staging", "prod"] : [for role in ["jobs", "train", "deploy"] : "${name}-${role}"]
      ])) && alltrue([
      for each in google_cloud_run_v2_service_iam_member.callers : each.role == "roles/run.invoker" && startswith(each.member, "serviceAccount:${local.short}-")
    ])
    error_message = "Others than the environments call the tracking server."
  }
  assert {
    condition     = google_cloud_run_v2_service.mlflow[0].template[0].service_account == module.mlflow[0].email
    error_message = "The tracking server runs as an account of many rights."
  }
}

run "names_its_callers" {
  command = plan
  variables {
    tracking = { use = "create", callers = ["allUsers"] }
  }
  expect_failures = [var.tracking]
}

run "keeps_to_the_network_when_told" {
  command = plan
  variables {
    tracking = { use = "create", internal = true, callers = ["group:ml@example.com"], secrets = { MLFLOW_FLASK_SERVER_SECRET_KEY = "mlflow" } }
  }
  assert {
    condition     = google_cloud_run_v2_service.mlflow[0].ingress == "INGRESS_TRAFFIC_INTERNAL_ONLY" && google_cloud_run_v2_service_iam_member.callers["group:ml@example.com"].member == "group:ml@example.com"
    error_message = "The tracking server is reached from the internet, or not by who was named."
  }
  assert {
    condition = one([
      for each in google_cloud_run_v2_service.mlflow[0].template[0].containers[0].env : each.value_source[0].secret_key_ref[0].secret if each.name == "MLFLOW_FLASK_SERVER_SECRET_KEY"
    ]) == "mlflow" && google_secret_manager_secret_iam_member.mlflow["MLFLOW_FLASK_SERVER_SECRET_KEY"].role == "roles/secretmanager.secretAccessor"
    error_message = "A secret is no reference, or the server may not read it."
  }
}

run "keeps_runs_to_themselves" {
  command = plan # of what is there already
  assert {
    condition     = !google_sql_database_instance.this[0].settings[0].ip_configuration[0].ipv4_enabled && google_sql_database_instance.this[0].settings[0].ip_configuration[0].ssl_mode == "TRUSTED_CLIENT_CERTIFICATE_REQUIRED"
    error_message = "The database is on the internet, or answers without TLS and a certificate."
  }
  assert {
    condition = (
      google_sql_user.mlflow[0].type == "CLOUD_IAM_SERVICE_ACCOUNT" && google_sql_user.mlflow[0].password == null &&
      contains([for flag in google_sql_database_instance.this[0].settings[0].database_flags : "${flag.name}=${flag.value}"], "cloudsql.iam_authentication=on") &&
      contains(google_cloud_run_v2_service.mlflow[0].template[0].containers[1].args, "--auto-iam-authn")
    )
    error_message = "The database has a password."
  }
  assert {
    condition     = length(regexall(":[^/@]*@", one([for each in google_cloud_run_v2_service.mlflow[0].template[0].containers[0].env : each.value if each.name == "MLFLOW_BACKEND_STORE_URI"]))) == 0
    error_message = "A password stands in the server's environment."
  }
}

run "keeps_what_was_there" {
  command = plan # of what is there already
  assert {
    condition = (
      google_sql_database_instance.this[0].settings[0].backup_configuration[0].enabled &&
      google_sql_database_instance.this[0].settings[0].backup_configuration[0].point_in_time_recovery_enabled &&
      google_sql_database_instance.this[0].settings[0].backup_configuration[0].backup_retention_settings[0].retained_backups == 30
    )
    error_message = "Runs that were lost cannot be brought back."
  }
  assert {
    condition     = google_sql_database_instance.this[0].settings[0].backup_configuration[0].location == local.images_location
    error_message = "Backups are lost with the region."
  }
  assert {
    condition     = toset(module.artifacts[0].regions) == toset([var.region, var.recovery_region])
    error_message = "Artifacts have no copy in another region."
  }
}

run "keeps_data_until_told" {
  command = plan
  variables {
    keep_data = true
  }
  assert {
    condition     = google_sql_database_instance.this[0].deletion_protection && google_sql_database_instance.this[0].settings[0].deletion_protection_enabled
    error_message = "destroy takes away runs without having been told."
  }
}

run "encrypts_when_told" {
  command = plan
  variables {
    tracking = { use = "create", kms_key = "projects/p/locations/us-central1/keyRings/k/cryptoKeys/k", bucket_kms_key = "projects/p/locations/us/keyRings/k/cryptoKeys/k" }
    images   = { use = "create", kms_key = "projects/p/locations/us/keyRings/k/cryptoKeys/k" }
  }
  assert {
    condition = (
      google_sql_database_instance.this[0].encryption_key_name == var.tracking.kms_key && google_cloud_run_v2_service.mlflow[0].template[0].encryption_key == var.tracking.kms_key &&
      module.artifacts[0].kms_key == var.tracking.bucket_kms_key && google_artifact_registry_repository.this[0].kms_key_name == var.images.kms_key
    )
    error_message = "Something is not encrypted by the key that was named."
  }
}

run "moves_no_tag" {
  command = plan # of what is there already
  assert {
    condition     = google_artifact_registry_repository.this[0].docker_config[0].immutable_tags
    error_message = "A tag can be moved to another image."
  }
  assert {
    condition     = google_artifact_registry_repository.this[0].vulnerability_scanning_config[0].enablement_config == "INHERITED" && contains(keys(google_project_service.this), "containerscanning")
    error_message = "Nobody looks for what is known to be weak."
  }
  assert {
    condition     = [for policy in google_artifact_registry_repository.this[0].cleanup_policies : policy.condition[0].tag_state] == ["UNTAGGED"]
    error_message = "What a push left that broke off stays for ever, or images in use go."
  }
  assert {
    condition     = local.images_location == split("-", var.region)[0] || !contains(["us", "europe", "asia"], split("-", var.region)[0])
    error_message = "Images have no copy in another region."
  }
}

run "gives_each_account_what_it_needs" {
  command = plan # of what is there already
  assert {
    condition = { for key, each in google_artifact_registry_repository_iam_member.this : key => each.role if startswith(key, "dev-") } == {
      dev-jobs  = "roles/artifactregistry.reader", dev-endpoint = "roles/artifactregistry.reader"
      dev-train = "roles/artifactregistry.writer", dev-deploy = "roles/artifactregistry.reader"
    }
    error_message = "An account may do more, or less, with images."
  }
  assert {
    condition = { for key, each in module.artifacts[0].roles : key => each.role if startswith(key, "dev-") } == {
      dev-jobs = "roles/storage.objectUser", dev-train = "roles/storage.objectUser", dev-deploy = "roles/storage.objectViewer"
    }
    error_message = "An account may do more, or less, with artifacts."
  }
}

run "knows_projects_of_environments" {
  command = plan
  variables {
    projects        = { prod = "another-project" }
    project_numbers = { prod = "210987654321" }
  }
  assert {
    condition = (
      google_artifact_registry_repository_iam_member.this["prod-jobs"].member == "serviceAccount:${local.short}-prod-jobs@another-project.iam.gserviceaccount.com" &&
      google_artifact_registry_repository_iam_member.this["prod-vertex"].member == "serviceAccount:service-210987654321@gcp-sa-aiplatform.iam.gserviceaccount.com"
    )
    error_message = "An environment in a project of its own does not get its images."
  }
}

run "joins_jobs_when_told" {
  variables {
    network = { use = "create", jobs = true }
  }
  assert {
    condition     = endswith(output.settings.network, "/global/networks/${google_compute_network.this[0].name}") && startswith(output.settings.network, "projects/123456789012/")
    error_message = "Jobs do not find the network."
  }
  assert {
    condition     = google_compute_subnetwork.this[0].private_ip_google_access && !google_compute_network.this[0].auto_create_subnetworks
    error_message = "Services of Google are not reached from the network."
  }
}

run "takes_what_is_there" {
  command = plan
  variables {
    tracking = { use = "existing", uri = "https://mlflow.example.com" }
    images   = { use = "existing", id = "projects/theirs/locations/europe/repositories/images" }
    network  = { use = "existing", id = "projects/made-up-project/global/networks/theirs", subnet_id = "projects/made-up-project/regions/us-central1/subnetworks/theirs", jobs = true }
  }
  assert {
    condition = (
      length(google_compute_network.this) + length(google_sql_database_instance.this) + length(google_cloud_run_v2_service.mlflow) + length(google_artifact_registry_repository.this) +
      length(google_artifact_registry_repository.mlflow) + length(module.artifacts) + length(module.mlflow) == 0
    )
    error_message = "Something is made, and paid for, that is there already."
  }
  assert {
    condition = jsonencode(output.settings) == jsonencode({
      project_id          = "made-up-project"
      pipeline_repository = "europe-docker.pkg.dev/theirs/images/pipeline"
      serving_repository  = "europe-docker.pkg.dev/theirs/images/serving"
      tracking_uri        = "https://mlflow.example.com"
      network             = "projects/123456789012/global/networks/theirs"
    })
    error_message = "project/ does not get what there is."
  }
}

run "needs_a_network_for_a_database" {
  command = plan
  variables {
    network = { use = "none" }
  }
  expect_failures = [google_sql_database_instance.this]
}

run "names_what_there_is" {
  command = plan
  variables {
    tracking = { use = "existing" }
    images   = { use = "existing" }
    network  = { use = "existing" }
  }
  expect_failures = [var.tracking, var.images, var.network]
}

run "labels_everything" {
  command = plan
  variables {
    labels = { cost-center = "42", project = "another" }
  }
  assert {
    condition     = local.labels["project"] == var.project && local.labels["environment"] == "shared" && local.labels["cost-center"] == "42" && can(regex("^[a-z0-9_-]{1,63}$", local.labels["owner"]))
    error_message = "The bill cannot be split by project, environment and owner."
  }
  assert {
    condition     = google_sql_database_instance.this[0].settings[0].user_labels == tomap(local.labels) && google_cloud_run_v2_service.mlflow[0].template[0].labels == tomap(local.labels)
    error_message = "The database or the server has no labels."
  }
}
