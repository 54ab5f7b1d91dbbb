# The template's: `copier update` renews this file.
# A bucket as every one here has to be: no public reader, roles alone, versions, and the same data in two regions.
terraform {
  required_version = ">= 1.10.0"
  required_providers {
    google = {
      source  = "hashicorp/google"
      version = "~> 8.0"
    }
  }
}

locals {
  # What both regions are in, as Cloud Storage calls it.
  continents = { us = "US", europe = "EU", asia = "ASIA", australia = "AU", northamerica = "CA" }
  own_area   = alltrue([for region in var.regions : startswith(region, "asia-south") && !startswith(region, "asia-southeast")]) ? "IN" : lookup(local.continents, split("-", var.regions[0])[0], "")
  area       = coalesce(var.area, local.own_area, "-")
}

resource "google_storage_bucket" "this" {
  project                     = var.project_id
  name                        = var.name
  location                    = local.area
  storage_class               = "STANDARD"
  rpo                         = var.turbo ? "ASYNC_TURBO" : "DEFAULT"
  uniform_bucket_level_access = true
  public_access_prevention    = "enforced"
  force_destroy               = !var.keep_data
  labels                      = var.labels

  custom_placement_config {
    data_locations = [for region in var.regions : upper(region)]
  }
  versioning {
    enabled = true
  }
  # What is softly deleted is billed: `destroy` leaves none of it when it was told to take data away.
  soft_delete_policy {
    retention_duration_seconds = var.keep_data ? max(7, min(90, var.deleted_days)) * 86400 : 0
  }
  dynamic "encryption" {
    for_each = var.kms_key[*]
    content {
      default_kms_key_name = encryption.value
    }
  }

  dynamic "lifecycle_rule" {
    for_each = var.expire_days
    content {
      action {
        type = "Delete"
      }
      condition {
        age            = lifecycle_rule.value
        matches_prefix = [lifecycle_rule.key]
        with_state     = "LIVE"
      }
    }
  }
  lifecycle_rule {
    action {
      type = "Delete"
    }
    condition {
      days_since_noncurrent_time = var.deleted_days
      with_state                 = "ARCHIVED"
    }
  }
  lifecycle_rule {
    action {
      type = "AbortIncompleteMultipartUpload"
    }
    condition {
      age = 7
    }
  }

  lifecycle {
    precondition {
      condition     = length(distinct(var.regions)) == 2
      error_message = "The recovery region is the region itself (${var.regions[0]}): a copy there is lost with it."
    }
    precondition {
      condition     = var.area != null || local.own_area != "" && length(distinct([for region in var.regions : split("-", region)[0]])) == 1
      error_message = "No bucket keeps data in ${join(" and ", var.regions)} both: choose regions of one continent, of those with two (us, europe, asia, australia, northamerica)."
    }
  }
}

resource "google_storage_bucket_iam_member" "this" {
  for_each = var.roles
  bucket   = google_storage_bucket.this.name
  role     = each.value.role
  member   = each.value.member
  dynamic "condition" {
    for_each = length(each.value.prefixes) == 0 ? [] : [each.value.prefixes]
    content {
      title      = "prefixes"
      expression = join(" || ", [for prefix in condition.value : "resource.name.startsWith(\"projects/_/buckets/${var.name}/objects/${prefix}\")"])
    }
  }
}
