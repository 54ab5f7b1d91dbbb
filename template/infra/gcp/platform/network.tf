# The template's: `copier update` renews this file.
# A network for what has no address on the internet: the tracking server reaches its database in it, and jobs join it when they are
# told to. Nothing in it needs a NAT, so none is paid for.
locals {
  made      = var.network.use == "create" ? 1 : 0
  network   = var.network.use == "create" ? one(google_compute_network.this[*].id) : var.network.id
  subnet_id = var.network.use == "create" ? one(google_compute_subnetwork.this[*].id) : var.network.subnet_id
}

resource "google_compute_network" "this" {
  # checkov:skip=CKV2_GCP_18:nothing gets in without a rule, and none is needed
  count                   = local.made
  project                 = var.project_id
  name                    = local.name
  auto_create_subnetworks = false
  depends_on              = [google_project_service.this]
}

resource "google_compute_subnetwork" "this" {
  count                    = local.made
  project                  = var.project_id
  name                     = local.name
  region                   = var.region
  network                  = google_compute_network.this[0].id
  ip_cidr_range            = var.network.cidr
  private_ip_google_access = true
  stack_type               = "IPV4_ONLY"
  log_config {
    aggregation_interval = "INTERVAL_10_MIN"
    flow_sampling        = 0.1
    metadata             = "INCLUDE_ALL_METADATA"
  }
}

# Addresses for what Google runs for us and joins to it: the database, and machines of jobs.
resource "google_compute_global_address" "services" {
  count         = local.made
  project       = var.project_id
  name          = "${local.name}-services"
  network       = google_compute_network.this[0].id
  purpose       = "VPC_PEERING"
  address_type  = "INTERNAL"
  prefix_length = 16
}

resource "google_service_networking_connection" "services" {
  count                   = local.made
  network                 = google_compute_network.this[0].id
  service                 = "servicenetworking.googleapis.com"
  reserved_peering_ranges = [google_compute_global_address.services[0].name]
  deletion_policy         = "ABANDON" # Google lets go of it days after the database; it costs nothing, and goes with the network
}
