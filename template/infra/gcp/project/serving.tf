# The template's: `copier update` renews this file.
# What stands beside the endpoints. They come into being by the first `mlops deploy`; nothing here needs a model.
module "endpoint" {
  for_each          = toset(var.recovery_endpoint ? [var.region, var.recovery_region] : [var.region])
  source            = "../modules/endpoint"
  project_id        = var.project_id
  endpoint          = local.name
  region            = each.key
  channels          = local.channels
  errors_per_minute = var.errors_per_minute
  latency_ms        = var.latency_ms
  labels            = local.labels
}

# One name before both endpoints. An endpoint's address has its region in it, so a proxy in each region writes it into the request;
# the caller's own token goes through, and Vertex AI judges it. Requests go to the other region when one fails.
locals {
  front = var.load_balancer == null ? {} : { for region in [var.region, var.recovery_region] : region => {
    host = "${local.name}.${region}-${local.number}.prediction.vertexai.goog"
    path = "/v1/projects/${var.project_id}/locations/${region}/endpoints/${local.name}:predict"
  } }
  # A service's name has 49 letters at most.
  proxy   = length(local.name) <= 43 ? "${local.name}-front" : "${substr(local.name, 0, 34)}-${substr(sha1(local.name), 0, 8)}-front"
  proxies = { for region, to in local.front : region => templatefile("${path.module}/proxy.conf", to) }
}

resource "google_cloud_run_v2_service" "front" {
  for_each             = local.front
  project              = var.project_id
  name                 = local.proxy
  location             = each.key
  description          = "Leads to the endpoint ${local.name} of ${each.key}"
  ingress              = "INGRESS_TRAFFIC_INTERNAL_LOAD_BALANCER" # through the name alone
  default_uri_disabled = true
  invoker_iam_disabled = true # Vertex AI asks for a token, and there is nothing else behind it
  deletion_protection  = false
  labels               = local.labels

  template {
    service_account = local.accounts["front"]
    timeout         = "60s"
    labels          = local.labels
    scaling {
      min_instance_count = 1 # of a region that is asked for the first time when the other one is gone
      max_instance_count = 10
    }
    containers {
      image   = var.load_balancer.image
      command = ["/bin/sh", "-c"]
      args    = ["printf '%s' \"$PROXY\" > /etc/nginx/conf.d/default.conf && exec nginx -g 'daemon off;'"]
      env {
        name  = "PROXY"
        value = local.proxies[each.key]
      }
      ports {
        container_port = 8080
      }
      resources {
        limits = { cpu = "1", memory = "512Mi" }
      }
    }
  }

  lifecycle {
    precondition {
      condition     = var.recovery_endpoint
      error_message = "load_balancer needs recovery_endpoint = true: a name that leads to two regions needs an endpoint in each."
    }
  }
}

resource "google_compute_region_network_endpoint_group" "front" {
  for_each              = local.front
  project               = var.project_id
  name                  = "${local.name}-front"
  region                = each.key
  network_endpoint_type = "SERVERLESS"
  cloud_run {
    service = google_cloud_run_v2_service.front[each.key].name
  }
}

resource "google_compute_backend_service" "front" {
  count                 = min(length(local.front), 1)
  project               = var.project_id
  name                  = "${local.name}-front"
  load_balancing_scheme = "EXTERNAL_MANAGED"
  protocol              = "HTTPS"
  dynamic "backend" {
    for_each = google_compute_region_network_endpoint_group.front
    content {
      group = backend.value.id
    }
  }
  # A region whose answers are errors gets no requests for a while.
  outlier_detection {
    consecutive_errors           = 3
    enforcing_consecutive_errors = 100
    max_ejection_percent         = 50
    interval {
      seconds = 5
    }
    base_ejection_time {
      seconds = 60
    }
  }
  log_config {
    enable      = true
    sample_rate = 1
  }
}

resource "google_compute_url_map" "front" {
  count           = length(google_compute_backend_service.front)
  project         = var.project_id
  name            = "${local.name}-front"
  default_service = google_compute_backend_service.front[0].id
}

resource "google_compute_managed_ssl_certificate" "front" {
  count   = length(google_compute_backend_service.front)
  project = var.project_id
  name    = "${local.name}-${substr(sha1(var.load_balancer.domain), 0, 8)}"
  managed {
    domains = [var.load_balancer.domain]
  }
  lifecycle {
    create_before_destroy = true
  }
}

resource "google_compute_ssl_policy" "front" {
  count           = length(google_compute_backend_service.front)
  project         = var.project_id
  name            = "${local.name}-front"
  profile         = "RESTRICTED"
  min_tls_version = "TLS_1_2"
}

resource "google_compute_target_https_proxy" "front" {
  count            = length(google_compute_backend_service.front)
  project          = var.project_id
  name             = "${local.name}-front"
  url_map          = google_compute_url_map.front[0].id
  ssl_certificates = [google_compute_managed_ssl_certificate.front[0].id]
  ssl_policy       = google_compute_ssl_policy.front[0].id
}

resource "google_compute_global_address" "front" {
  count   = length(google_compute_backend_service.front)
  project = var.project_id
  name    = "${local.name}-front"
  labels  = local.labels
}

resource "google_compute_global_forwarding_rule" "front" {
  count                 = length(google_compute_backend_service.front)
  project               = var.project_id
  name                  = "${local.name}-front"
  load_balancing_scheme = "EXTERNAL_MANAGED"
  ip_address            = google_compute_global_address.front[0].id
  ip_protocol           = "TCP"
  port_range            = "443"
  target                = google_compute_target_https_proxy.front[0].id
  labels                = local.labels
}
