# The template's: `copier update` renews this file.
# MLflow for all environments: a server that nobody calls without an identity, its database without an address on the internet and
# without a password, and a bucket for artifacts, which clients reach themselves.
locals {
  tracked = var.tracking.use == "create" ? 1 : 0
  server  = "${substr(var.project, 0, 34)}-mlflow"
  # MLflow's own image, by a repository that fetches it from where it is published: Cloud Run pulls from nowhere else.
  image = coalesce(var.tracking.image, "${var.region}-docker.pkg.dev/${var.project_id}/${local.name}-mlflow/mlflow/mlflow:v${var.tracking.version}-full")
}

module "mlflow" {
  count      = local.tracked
  source     = "../modules/account"
  project_id = var.project_id
  name       = "${local.short}-mlflow"
  purpose    = "The tracking server runs as this"
  roles = {
    connect = { role = "roles/cloudsql.client" }
    login   = { role = "roles/cloudsql.instanceUser" }
  }
  depends_on = [google_project_service.this]
}

module "artifacts" {
  count        = local.tracked
  source       = "../modules/bucket"
  project_id   = var.project_id
  name         = "${var.project}-mlflow-${local.unique}"
  regions      = [var.region, var.recovery_region]
  area         = var.area
  labels       = local.labels
  kms_key      = var.tracking.bucket_kms_key
  deleted_days = 90
  keep_data    = var.keep_data
  roles = merge(
    { server = { role = "roles/storage.objectUser", member = module.mlflow[0].member } },
    { for key, who in local.who : key => { role = who.role == "deploy" ? "roles/storage.objectViewer" : "roles/storage.objectUser", member = who.member } if who.role != "endpoint" },
  )
}

resource "google_artifact_registry_repository" "mlflow" {
  # checkov:skip=CKV_GCP_84:it holds what is published
  count         = local.tracked
  project       = var.project_id
  location      = var.region
  repository_id = "${local.name}-mlflow"
  description   = "MLflow's own image, fetched when it is asked for"
  format        = "DOCKER"
  mode          = "REMOTE_REPOSITORY"
  remote_repository_config {
    docker_repository {
      custom_repository {
        uri = "https://ghcr.io"
      }
    }
  }
  depends_on = [google_project_service.this]
}

resource "google_sql_database_instance" "this" {
  # checkov:skip=CKV_GCP_51:among database_flags below, which checkov does not read
  # checkov:skip=CKV_GCP_52:the same
  # checkov:skip=CKV_GCP_53:the same
  # checkov:skip=CKV_GCP_54:the same
  # checkov:skip=CKV_GCP_108:each caller comes from the proxy beside the server
  # checkov:skip=CKV_GCP_109:logged at its default
  # checkov:skip=CKV_GCP_110:who asks what of MLflow is in Cloud Run's log of requests; statements would say what runs hold
  # checkov:skip=CKV_GCP_111:the same
  # checkov:skip=CKV2_GCP_13:the same
  count               = local.tracked
  project             = var.project_id
  name                = coalesce(var.tracking.database, "${substr(var.project, 0, 34)}-mlflow-${local.unique}")
  region              = var.region
  database_version    = "POSTGRES_18"
  encryption_key_name = var.tracking.kms_key
  deletion_protection = var.keep_data

  settings {
    edition                     = "ENTERPRISE"
    tier                        = var.tracking.tier
    availability_type           = var.tracking.zones ? "REGIONAL" : "ZONAL"
    disk_autoresize             = true
    deletion_protection_enabled = var.keep_data
    connector_enforcement       = "REQUIRED" # by identity, through the proxy beside the server
    user_labels                 = local.labels

    ip_configuration {
      ipv4_enabled                                  = false
      private_network                               = local.network
      ssl_mode                                      = "TRUSTED_CLIENT_CERTIFICATE_REQUIRED" # the proxy has one
      enable_private_path_for_google_cloud_services = true
    }
    backup_configuration {
      enabled                        = true
      point_in_time_recovery_enabled = true
      location                       = local.images_location # of the continent, not of the region alone
      transaction_log_retention_days = 7
      backup_retention_settings {
        retained_backups = 30
      }
    }
    dynamic "database_flags" {
      for_each = toset(["cloudsql.iam_authentication", "log_checkpoints", "log_connections", "log_disconnections", "log_lock_waits"])
      content {
        name  = database_flags.key
        value = "on"
      }
    }
  }
  depends_on = [google_service_networking_connection.services, google_project_service.this]

  lifecycle {
    precondition {
      condition     = var.network.use != "none"
      error_message = "The tracking server needs a network for its database: network.use is create or existing, or tracking.use is existing."
    }
  }
}

resource "google_sql_database" "mlflow" {
  count           = local.tracked
  project         = var.project_id
  instance        = google_sql_database_instance.this[0].name
  name            = "mlflow"
  deletion_policy = "ABANDON" # it goes with the instance
}

# The server's account is its login. It owns its tables, and so has to be of a role that may make some.
resource "google_sql_user" "mlflow" {
  count           = local.tracked
  project         = var.project_id
  instance        = google_sql_database_instance.this[0].name
  name            = trimsuffix(module.mlflow[0].email, ".gserviceaccount.com")
  type            = "CLOUD_IAM_SERVICE_ACCOUNT"
  database_roles  = ["cloudsqlsuperuser"]
  deletion_policy = "ABANDON"
}

resource "google_cloud_run_v2_service" "mlflow" {
  count                = local.tracked
  project              = var.project_id
  name                 = local.server
  location             = var.region
  description          = "MLflow of ${var.project}; callers come with an identity token"
  ingress              = var.tracking.internal ? "INGRESS_TRAFFIC_INTERNAL_ONLY" : "INGRESS_TRAFFIC_ALL"
  invoker_iam_disabled = false
  deletion_protection  = false # what it keeps is in the database and the bucket
  labels               = local.labels

  scaling {
    min_instance_count = var.tracking.min_instances
  }
  template {
    service_account                  = module.mlflow[0].email
    execution_environment            = "EXECUTION_ENVIRONMENT_GEN2"
    max_instance_request_concurrency = 40
    timeout                          = "120s"
    encryption_key                   = var.tracking.kms_key
    labels                           = local.labels
    scaling {
      max_instance_count = 4
    }
    vpc_access {
      egress = "PRIVATE_RANGES_ONLY"
      network_interfaces {
        network    = local.network
        subnetwork = local.subnet_id
      }
    }
    containers {
      name       = "mlflow"
      image      = local.image
      depends_on = ["database"]
      command    = ["mlflow", "server"]
      args       = ["--host=0.0.0.0", "--port=8080", "--workers=2", "--no-serve-artifacts", "--default-artifact-root=gs://${module.artifacts[0].name}/mlflow"]
      ports {
        container_port = 8080
      }
      resources {
        limits            = { cpu = "1", memory = "2Gi" }
        startup_cpu_boost = true
      }
      env {
        name  = "MLFLOW_BACKEND_STORE_URI" # no password: the proxy logs in by the account
        value = "postgresql+psycopg2://${urlencode(google_sql_user.mlflow[0].name)}@127.0.0.1:5432/${google_sql_database.mlflow[0].name}"
      }
      env {
        name  = "MLFLOW_SERVER_ALLOWED_HOSTS"
        value = join(",", concat(["*.run.app"], var.tracking.hosts))
      }
      dynamic "env" {
        for_each = var.tracking.secrets
        content {
          name = env.key
          value_source {
            secret_key_ref {
              secret  = env.value
              version = "latest"
            }
          }
        }
      }
      startup_probe {
        period_seconds    = 10
        timeout_seconds   = 5
        failure_threshold = 24 # the first start makes the tables
        http_get {
          path = "/health"
          port = 8080
        }
      }
    }
    containers {
      name  = "database"
      image = var.tracking.proxy
      args  = ["--auto-iam-authn", "--private-ip", "--port=5432", "--health-check", "--http-address=0.0.0.0", "--http-port=9090", google_sql_database_instance.this[0].connection_name]
      resources {
        limits = { cpu = "0.5", memory = "512Mi" }
      }
      startup_probe {
        period_seconds    = 5
        failure_threshold = 12
        http_get {
          path = "/startup"
          port = 9090
        }
      }
    }
  }
  depends_on = [google_secret_manager_secret_iam_member.mlflow]
}

resource "google_secret_manager_secret_iam_member" "mlflow" {
  for_each  = local.tracked == 1 ? var.tracking.secrets : {}
  project   = var.project_id
  secret_id = each.value
  role      = "roles/secretmanager.secretAccessor"
  member    = module.mlflow[0].member
}

# Who may call it: the accounts of the environments, and people who are named. Nobody else, and never everybody.
resource "google_cloud_run_v2_service_iam_member" "callers" {
  for_each = local.tracked == 0 ? {} : merge(
    { for key, who in local.who : key => who.member if who.role != "endpoint" },
    { for member in var.tracking.callers : member => member },
  )
  project  = var.project_id
  location = var.region
  name     = google_cloud_run_v2_service.mlflow[0].name
  role     = "roles/run.invoker"
  member   = each.value
}
