# The template's: `copier update` renews this file.
variable "project" {
  description = "Short name of the project"
  type        = string
}

variable "project_id" {
  description = "Id of the project of Google Cloud that has what is shared: export TF_VAR_project_id=..."
  type        = string
}

variable "owner_email" {
  description = "Who answers for it"
  type        = string
}

variable "region" {
  description = "Region of tracking and network"
  type        = string
}

variable "recovery_region" {
  description = "Region of the same continent that has artifacts and images too"
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

variable "environments" {
  description = "Environments whose accounts use what is here"
  type        = set(string)
  default     = ["dev", "staging", "prod"]
}

variable "projects" {
  description = "Id of the project of each environment that has one of its own"
  type        = map(string)
  default     = {}
}

variable "project_numbers" {
  description = "Number of the project of each of those, once Vertex AI is on there: its service agent pulls images from here"
  type        = map(string)
  default     = {}
}

variable "keep_data" {
  description = "Whether `destroy` refuses to take away runs and artifacts; false, applied before it, lets it"
  type        = bool
  default     = true
}

variable "network" {
  description = "create: a network; existing: the one of this id (projects/ID/global/networks/NAME) and subnet, joined to servicenetworking.googleapis.com; none: jobs are in Google's. jobs: whether jobs join it, to reach what is private there"
  type = object({
    use       = string
    cidr      = optional(string, "10.8.0.0/20")
    jobs      = optional(bool, false)
    id        = optional(string)
    subnet_id = optional(string)
  })
  default = { use = "create" }
  validation {
    condition     = contains(["create", "existing", "none"], var.network.use)
    error_message = "network.use is create, existing or none, not '${var.network.use}'."
  }
  validation {
    condition     = (var.network.use == "existing") == (var.network.id != null && var.network.subnet_id != null)
    error_message = "network.use is existing with an id and a subnet_id, and has none otherwise."
  }
  validation {
    condition     = var.network.use != "none" || !var.network.jobs
    error_message = "Jobs join a network that there is: network.use is create or existing."
  }
}

variable "tracking" {
  description = "create: MLflow on Cloud Run with a database; existing: the server at this uri. callers: who else may call it; internal: from the network alone, which keeps GitHub's workflows out; secrets: environment variables by the secrets that hold them"
  type = object({
    use            = string
    uri            = optional(string)
    version        = optional(string, "3.17.2")
    image          = optional(string)
    proxy          = optional(string, "gcr.io/cloud-sql-connectors/cloud-sql-proxy:2.18.2")
    tier           = optional(string, "db-custom-1-3840")
    zones          = optional(bool, false)
    database       = optional(string)
    min_instances  = optional(number, 0)
    internal       = optional(bool, false)
    callers        = optional(set(string), [])
    hosts          = optional(list(string), [])
    secrets        = optional(map(string), {})
    kms_key        = optional(string)
    bucket_kms_key = optional(string)
  })
  default = { use = "create" }
  validation {
    condition     = contains(["create", "existing"], var.tracking.use)
    error_message = "tracking.use is create or existing, not '${var.tracking.use}'."
  }
  validation {
    condition     = var.tracking.use == "create" || can(regex("^https://", var.tracking.uri))
    error_message = "tracking.use is existing: give its uri, https://..."
  }
  validation {
    condition     = alltrue([for member in var.tracking.callers : can(regex("^(serviceAccount|user|group):[^*]+$", member))])
    error_message = "Who calls the tracking server is named: serviceAccount:, user: or group:, and never everybody."
  }
}

variable "images" {
  description = "create: a repository of images in Artifact Registry; existing: the one of this id, projects/ID/locations/PLACE/repositories/NAME"
  type = object({
    use      = string
    id       = optional(string)
    location = optional(string)
    kms_key  = optional(string)
  })
  default = { use = "create" }
  validation {
    condition     = contains(["create", "existing"], var.images.use)
    error_message = "images.use is create or existing, not '${var.images.use}'."
  }
  validation {
    condition     = (var.images.use == "existing") == can(regex("^projects/[^/]+/locations/[^/]+/repositories/[^/]+$", var.images.id))
    error_message = "images.use is existing with an id, projects/ID/locations/PLACE/repositories/NAME, and has none otherwise."
  }
}
