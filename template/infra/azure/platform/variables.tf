# The template's: `copier update` renews this file.
variable "project" {
  description = "Short name of the project"
  type        = string
}

variable "owner_email" {
  description = "Who answers for it"
  type        = string
}

variable "location" {
  description = "Location of tracking, images and registry"
  type        = string
}

variable "recovery_location" {
  description = "Location that gets a copy of images and registry"
  type        = string
}

variable "tags" {
  description = "Tags of your own on everything"
  type        = map(string)
  default     = {}
}

variable "environments" {
  description = "Environments of this subscription, whose identities use what is here"
  type        = set(string)
  default     = ["dev", "staging", "prod"]
}

variable "keep_data" {
  description = "Whether `destroy` refuses to take away artifacts; false, applied before it, lets it"
  type        = bool
  default     = true
}

variable "replication" {
  description = "How artifacts are copied into Azure's paired location: RAGRS, or RAGZRS where the location has zones"
  type        = string
  default     = "RAGRS"
  validation {
    condition     = strcontains(var.replication, "G")
    error_message = "Artifacts need a copy in another location: replication is GRS, RAGRS, GZRS or RAGZRS, not '${var.replication}'."
  }
}

variable "network" {
  description = "create: each environment's workspace gets a network of its own without a way out; existing: the subnet named here; none: jobs run in Azure's"
  type = object({
    use       = string
    subnet_id = optional(string)
  })
  default = { use = "none" }
  validation {
    condition     = contains(["create", "existing", "none"], var.network.use)
    error_message = "network.use is create, existing or none, not '${var.network.use}'."
  }
  validation {
    condition     = (var.network.use == "existing") == (var.network.subnet_id != null)
    error_message = "network.use is existing with a subnet_id, and has none otherwise."
  }
}

variable "tracking" {
  description = "create: a workspace whose MLflow all environments use; existing: the workspace of this id, with its storage account"
  type = object({
    use                = string
    workspace_id       = optional(string)
    storage_account_id = optional(string)
    location           = optional(string)
  })
  default = { use = "create" }
  validation {
    condition     = contains(["create", "existing"], var.tracking.use)
    error_message = "tracking.use is create or existing, not '${var.tracking.use}'."
  }
  validation {
    condition     = var.tracking.use == "create" || (var.tracking.workspace_id != null && var.tracking.storage_account_id != null)
    error_message = "tracking.use is existing: name its workspace_id and storage_account_id."
  }
}

variable "images" {
  description = "create: a container registry; existing: the one of this id and login server. zones: whether it is spread over zones, where there are some"
  type = object({
    use    = string
    zones  = optional(bool, false)
    id     = optional(string)
    server = optional(string)
  })
  default = { use = "create" }
  validation {
    condition     = contains(["create", "existing"], var.images.use)
    error_message = "images.use is create or existing, not '${var.images.use}'."
  }
  validation {
    condition     = var.images.use == "create" || (var.images.id != null && var.images.server != null)
    error_message = "images.use is existing: name its id and server."
  }
}

variable "registry" {
  description = "create: a registry of Azure Machine Learning in both locations; existing: the one of this id; none: components and champions in the workspaces alone"
  type = object({
    use = string
    id  = optional(string)
  })
  default = { use = "create" }
  validation {
    condition     = contains(["create", "existing", "none"], var.registry.use)
    error_message = "registry.use is create, existing or none, not '${var.registry.use}'."
  }
  validation {
    condition     = var.registry.use != "existing" || var.registry.id != null
    error_message = "registry.use is existing: give its id."
  }
}
