# The template's: `copier update` renews this file.
variable "project" {
  description = "Short name of the project"
  type        = string
}

variable "environment" {
  description = "dev, staging or prod"
  type        = string
  validation {
    condition     = contains(["dev", "staging", "prod"], var.environment)
    error_message = "The environment is dev, staging or prod, not '${var.environment}': -var-file=../environments/dev.tfvars, for one."
  }
}

variable "owner_email" {
  description = "Who is told when something is wrong"
  type        = string
}

variable "region" {
  description = "Region of training and endpoint"
  type        = string
}

variable "recovery_region" {
  description = "Region of the same continent that takes over"
  type        = string
}

variable "area" {
  description = "What both regions are in, as Cloud Storage calls it, such as EU; null is by the name of the region"
  type        = string
  default     = null
}

variable "labels" {
  description = "Labels of your own on everything"
  type        = map(string)
  default     = {}
}

variable "keep_data" {
  description = "Whether `destroy` refuses to take away data; false, applied before it, lets it"
  type        = bool
  default     = true
}

# What infra/gcp/platform made, or the organisation has: `terraform output -json settings > ../project/platform.auto.tfvars.json`
variable "project_id" {
  description = "Id of the project of Google Cloud; an environment that has one of its own names it in environments/"
  type        = string
}

variable "pipeline_repository" {
  description = "Repository of the pipeline image in Artifact Registry, without a tag"
  type        = string
  validation {
    condition     = can(regex("^[a-z0-9-]+-docker\\.pkg\\.dev/[^/]+/[^/]+/\\S+$", var.pipeline_repository))
    error_message = "'${var.pipeline_repository}' is no PLACE-docker.pkg.dev/PROJECT/REPOSITORY/NAME."
  }
}

variable "serving_repository" {
  description = "Repository of the serving image, without a tag"
  type        = string
  validation {
    condition     = can(regex("^[a-z0-9-]+-docker\\.pkg\\.dev/[^/]+/[^/]+/\\S+$", var.serving_repository))
    error_message = "'${var.serving_repository}' is no PLACE-docker.pkg.dev/PROJECT/REPOSITORY/NAME."
  }
}

variable "tracking_uri" {
  description = "MLflow's server that all environments share"
  type        = string
  validation {
    condition     = startswith(var.tracking_uri, "https://")
    error_message = "'${var.tracking_uri}' is no https:// address of a tracking server."
  }
}

variable "network" {
  description = "Network that jobs join, projects/NUMBER/global/networks/NAME; null for Google's"
  type        = string
  default     = null
  validation {
    condition     = var.network == null || can(regex("^projects/[0-9]+/global/networks/[^/]+$", var.network))
    error_message = "Vertex AI names a network by the number of its project: projects/NUMBER/global/networks/NAME."
  }
}

variable "keys" {
  description = "none: Google's own; create: keys renewed every 90 days, by name, which is never free again; existing: main of the region, recovery of the recovery region, data of the continent, which Google's service agents may use"
  type = object({
    use           = string
    name          = optional(string)
    data_location = optional(string)
    main          = optional(string)
    recovery      = optional(string)
    data          = optional(string)
  })
  default = { use = "none" }
  validation {
    condition     = contains(["create", "existing", "none"], var.keys.use)
    error_message = "keys.use is create, existing or none, not '${var.keys.use}'."
  }
  validation {
    condition     = (var.keys.use == "existing") == (var.keys.main != null && var.keys.data != null)
    error_message = "keys.use is existing with main and data, and has none otherwise."
  }
  validation {
    condition     = var.keys.use != "create" || var.keys.data_location != null || contains(["us", "europe", "asia"], split("-", var.region)[0])
    error_message = "keys.use is create: say by data_location where a key encrypts a bucket of ${var.region} and ${var.recovery_region}."
  }
  validation {
    condition     = var.keys.use != "existing" || !var.recovery_endpoint || var.keys.recovery != null
    error_message = "keys.use is existing, and recovery_endpoint true: name the recovery key, for a key encrypts in its own region alone."
  }
}

variable "source_buckets" {
  description = "Buckets of others that `data.source` is read from; who applies has to be allowed to give roles there"
  type        = set(string)
  default     = []
}

variable "turbo" {
  description = "Whether the recovery region has new data within 15 minutes, for a price; else within 12 hours, mostly one"
  type        = bool
  default     = false
}

variable "deleted_days" {
  description = "Days that overwritten and deleted data can still be brought back; null is 7 in dev, 30 in staging, 90 in prod"
  type        = number
  default     = null
}

variable "log_days" {
  description = "Days that the endpoint's log is kept; null is 14 in dev, 30 in staging, 90 in prod"
  type        = number
  default     = null
}

variable "run_days" {
  description = "Days that what pipeline runs pass from step to step is kept"
  type        = number
  default     = 30
}

variable "channels" {
  description = "Notification channels that alerts go to as well, such as an incident service's: projects/ID/notificationChannels/NUMBER"
  type        = set(string)
  default     = []
}

variable "retrain_on_drift" {
  description = "Whether the monitor's word starts the pipeline; null is yes but in dev"
  type        = bool
  default     = null
}

variable "monitor_hours" {
  description = "Hours without a word of the monitor after which the owner is told; 0 for never"
  type        = number
  default     = 0
  validation {
    condition     = var.monitor_hours >= 0 && var.monitor_hours <= 23
    error_message = "An alert of Cloud Monitoring looks back less than a day: monitor_hours is 0 to 23, not ${var.monitor_hours}."
  }
}

variable "errors_per_minute" {
  description = "Failed requests a minute that the owner is told of"
  type        = number
  default     = 1
}

variable "latency_ms" {
  description = "Latency of the slowest hundredth of requests, in milliseconds, that the owner is told of"
  type        = number
  default     = 1000
}

variable "recovery_endpoint" {
  description = "Whether the model is served in the recovery region as well; `mlops deploy` then does both"
  type        = bool
  default     = false
}

variable "load_balancer" {
  description = "One name before both endpoints: a domain of yours, and the proxy's image, nginx that needs no rights; null for none"
  type = object({
    domain = string
    image  = optional(string, "docker.io/nginxinc/nginx-unprivileged:1.29-alpine")
  })
  default = null
  validation {
    condition     = var.load_balancer == null || can(regex("^([a-z0-9-]+[.])+[a-z]{2,}$", var.load_balancer.domain))
    error_message = "load_balancer.domain is a domain such as model.example.com."
  }
}
