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

variable "location" {
  description = "Location of data, training and endpoint"
  type        = string
}

variable "recovery_location" {
  description = "Location that takes over"
  type        = string
}

variable "tags" {
  description = "Tags of your own on everything"
  type        = map(string)
  default     = {}
}

variable "keep_data" {
  description = "Whether `destroy` refuses to take away data; false, applied before it, lets it"
  type        = bool
  default     = true
}

# What infra/azure/platform made, or the organisation has: `terraform output -json settings > ../project/platform.auto.tfvars.json`
variable "pipeline_repository" {
  description = "Repository of the pipeline image in the container registry, without a tag"
  type        = string
  validation {
    condition     = can(regex("^[a-z0-9]+\\.azurecr\\.[a-z.]+/\\S+$", var.pipeline_repository))
    error_message = "'${var.pipeline_repository}' is no NAME.azurecr.io/REPOSITORY."
  }
}

variable "serving_repository" {
  description = "Repository of the serving image, without a tag"
  type        = string
  validation {
    condition     = can(regex("^[a-z0-9]+\\.azurecr\\.[a-z.]+/\\S+$", var.serving_repository))
    error_message = "'${var.serving_repository}' is no NAME.azurecr.io/REPOSITORY."
  }
}

variable "container_registry_id" {
  description = "Id of that container registry"
  type        = string
}

variable "tracking_uri" {
  description = "MLflow of the workspace that all environments share"
  type        = string
  validation {
    condition     = startswith(var.tracking_uri, "azureml://")
    error_message = "'${var.tracking_uri}' is no azureml:// address of a workspace's MLflow."
  }
}

variable "tracking_storage_id" {
  description = "Id of the storage account of that workspace"
  type        = string
}

variable "registry" {
  description = "Azure Machine Learning registry that shows components and champions; null for none"
  type        = string
  default     = null
}

variable "network" {
  description = "private: the workspace gets a network of its own without a way out; else the subnet of jobs, null for none of one's own"
  type = object({
    private   = optional(bool, false)
    subnet_id = optional(string)
  })
  default = {}
}

variable "clusters" {
  description = "Compute clusters by name: size of a machine, most machines, minutes until an idle one goes; low_priority costs about a fifth"
  type = map(object({
    size         = string
    low_priority = optional(bool, false)
    max_nodes    = optional(number, 4)
    idle_minutes = optional(number, 5)
  }))
  default = {
    small       = { size = "Standard_D2ds_v4" }
    medium      = { size = "Standard_D4ds_v4" }
    medium-spot = { size = "Standard_D4ds_v4", low_priority = true }
    large       = { size = "Standard_D8ds_v4" }
  }
  validation {
    condition     = alltrue([for name, each in var.clusters : can(regex("^[a-z][a-z0-9-]{1,14}[a-z0-9]$", name)) && each.max_nodes >= 1])
    error_message = "A cluster's name has 3 to 16 lower-case letters, digits and hyphens, and it has one machine or more: ${join(", ", keys(var.clusters))}."
  }
}

variable "replication" {
  description = "How data is copied into Azure's paired location: RAGRS, or RAGZRS where the location has zones"
  type        = string
  default     = "RAGRS"
  validation {
    condition     = strcontains(var.replication, "G")
    error_message = "Data needs a copy in another location: replication is GRS, RAGRS, GZRS or RAGZRS, not '${var.replication}'."
  }
}

variable "source_container_ids" {
  description = "Containers or accounts of others that `data.source` is read from; who applies has to be allowed to give roles there"
  type        = set(string)
  default     = []
}

variable "deleted_days" {
  description = "Days that overwritten and deleted data can still be brought back; null is 7 in dev, 30 in staging, 90 in prod"
  type        = number
  default     = null
}

variable "backup_days" {
  description = "Days that immutable daily backups of the data are kept; 0 for none; null is 30 in prod and none elsewhere"
  type        = number
  default     = null
}

variable "log_days" {
  description = "Days that logs of requests and of the endpoint are kept; null is 14 in dev, 30 in staging, 90 in prod"
  type        = number
  default     = null
}

variable "run_days" {
  description = "Days that what pipeline runs pass from step to step is kept"
  type        = number
  default     = 30
}

variable "webhook" {
  description = "Address that alerts are sent to as well, such as an incident service's; null for none"
  type        = string
  default     = null
  validation {
    condition     = var.webhook == null || can(regex("^https://", var.webhook))
    error_message = "webhook is an https:// address."
  }
}

variable "monitor_days" {
  description = "Days without a word of the monitor after which the owner is told; 0 for never"
  type        = number
  default     = 0
  validation {
    condition     = var.monitor_days >= 0 && var.monitor_days <= 2
    error_message = "An alert of Azure looks back two days at most: monitor_days is 0 to 2, not ${var.monitor_days}."
  }
}

variable "endpoint_alerts" {
  description = "Whether the endpoint is watched and its requests are logged; true once the first `mlops deploy` has made it"
  type        = bool
  default     = false
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
  description = "Whether the model is served in the recovery location as well; `mlops deploy` then does both"
  type        = bool
  default     = false
}

variable "front_door" {
  description = "One name before both endpoints, Azure Front Door, which asks probe_path of each without a token; null for none"
  type = object({
    probe_path = optional(string, "/")
  })
  default = null
}
