# The template's: `copier update` renews this file.
variable "project" {
  description = "Short name of the project"
  type        = string
}

variable "owner_email" {
  description = "Who answers for it"
  type        = string
}

variable "region" {
  description = "Region of tracking, images and network"
  type        = string
}

variable "recovery_region" {
  description = "Region that gets a copy of images and artifacts"
  type        = string
}

variable "tags" {
  description = "Tags of your own on everything"
  type        = map(string)
  default     = {}
}

variable "accounts" {
  description = "Other accounts whose environments use images, tracking and registry"
  type        = set(string)
  default     = []
  validation {
    condition     = alltrue([for id in var.accounts : can(regex("^\\d{12}$", id))])
    error_message = "accounts holds numbers of accounts, of 12 digits each."
  }
}

variable "keep_data" {
  description = "Whether `destroy` refuses to take away artifacts and images; false, applied before it, lets it"
  type        = bool
  default     = true
}

variable "permissions_boundary_arn" {
  description = "Boundary of all roles; null is the one that infra/aws/bootstrap makes"
  type        = string
  default     = null
}

variable "network" {
  description = "create: a VPC without a way out; existing: the subnets and groups named here; none: jobs run in the network of SageMaker"
  type = object({
    use             = string
    cidr            = optional(string, "10.40.0.0/16")
    subnets         = optional(list(string), [])
    security_groups = optional(list(string), [])
    # Those of the recovery region, for an endpoint there; `create` makes none.
    recovery_subnets         = optional(list(string), [])
    recovery_security_groups = optional(list(string), [])
    # What jobs ask beside S3, each a few dollars a month and zone; REGION stands for the region.
    services = optional(list(string), [
      "com.amazonaws.REGION.sagemaker.api", "aws.sagemaker.REGION.experiments", "com.amazonaws.REGION.monitoring",
      "com.amazonaws.REGION.logs", "com.amazonaws.REGION.sts",
    ])
  })
  default = { use = "none" }
  validation {
    condition     = contains(["create", "existing", "none"], var.network.use)
    error_message = "network.use is create, existing or none, not '${var.network.use}'."
  }
  validation {
    condition     = var.network.use != "existing" || (length(var.network.subnets) > 0 && length(var.network.security_groups) > 0)
    error_message = "network.use is existing: name its subnets and security_groups."
  }
}

variable "tracking" {
  description = "create: a tracking server of SageMaker's managed MLflow; existing: the server or app of this ARN, with bucket and key of its artifacts"
  type = object({
    use        = string
    size       = optional(string, "Small")
    arn        = optional(string)
    bucket_arn = optional(string)
    key_arn    = optional(string)
  })
  default = { use = "create" }
  validation {
    condition     = contains(["create", "existing"], var.tracking.use)
    error_message = "tracking.use is create or existing, not '${var.tracking.use}'."
  }
  validation {
    condition     = var.tracking.use == "create" || alltrue([for given in [var.tracking.arn, var.tracking.bucket_arn, var.tracking.key_arn] : given != null])
    error_message = "tracking.use is existing: name its arn, bucket_arn and key_arn."
  }
}

variable "images" {
  description = "create: ECR repositories; existing: the addresses named here, without a tag"
  type = object({
    use      = string
    pipeline = optional(string)
    serving  = optional(string)
  })
  default = { use = "create" }
  validation {
    condition     = contains(["create", "existing"], var.images.use)
    error_message = "images.use is create or existing, not '${var.images.use}'."
  }
  validation {
    condition     = var.images.use == "create" || (var.images.pipeline != null && var.images.serving != null)
    error_message = "images.use is existing: name pipeline and serving."
  }
}

variable "registry" {
  description = "create: a model package group for all environments; existing: the group of this name; none: a group an environment"
  type = object({
    use  = string
    name = optional(string)
  })
  default = { use = "create" }
  validation {
    condition     = contains(["create", "existing", "none"], var.registry.use)
    error_message = "registry.use is create, existing or none, not '${var.registry.use}'."
  }
  validation {
    condition     = var.registry.use != "existing" || var.registry.name != null
    error_message = "registry.use is existing: give its name."
  }
}
