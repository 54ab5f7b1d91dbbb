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
  description = "Region of data, training and endpoint"
  type        = string
}

variable "recovery_region" {
  description = "Region that has a copy of the data, and takes over"
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

# What infra/aws/platform made, or the organisation has: `terraform output -json settings > ../project/platform.auto.tfvars.json`
variable "pipeline_repository" {
  description = "ECR repository of the pipeline image, without a tag"
  type        = string
  validation {
    condition     = can(regex("^\\d{12}\\.dkr\\.ecr\\.[a-z0-9-]+\\.amazonaws\\.com(\\.cn)?/\\S+$", var.pipeline_repository))
    error_message = "'${var.pipeline_repository}' is no ACCOUNT.dkr.ecr.REGION.amazonaws.com/NAME."
  }
}

variable "serving_repository" {
  description = "ECR repository of the serving image, without a tag"
  type        = string
  validation {
    condition     = can(regex("^\\d{12}\\.dkr\\.ecr\\.[a-z0-9-]+\\.amazonaws\\.com(\\.cn)?/\\S+$", var.serving_repository))
    error_message = "'${var.serving_repository}' is no ACCOUNT.dkr.ecr.REGION.amazonaws.com/NAME."
  }
}

variable "tracking_arn" {
  description = "SageMaker's managed MLflow: ARN of the tracking server or app"
  type        = string
}

variable "shared_bucket_arn" {
  description = "Bucket in which MLflow keeps artifacts"
  type        = string
}

variable "shared_key_arn" {
  description = "Key of that bucket"
  type        = string
}

variable "model_package_group" {
  description = "Model package group that the organisation shares; null makes one for this environment"
  type        = string
  default     = null
}

variable "network" {
  description = "Subnets and security groups of jobs and endpoint in each region; empty lists for none of one's own"
  type = object({
    subnets                  = optional(list(string), [])
    security_groups          = optional(list(string), [])
    recovery_subnets         = optional(list(string), [])
    recovery_security_groups = optional(list(string), [])
  })
  default = {}
}

variable "permissions_boundary_arn" {
  description = "Boundary of all roles; null is the one that infra/aws/bootstrap makes"
  type        = string
  default     = null
}

variable "source_bucket_arns" {
  description = "Buckets of others that `data.source` is read from; infra/aws/bootstrap has to allow them too"
  type        = list(string)
  default     = []
}

variable "old_versions_days" {
  description = "Days that overwritten and deleted data can still be brought back; null is 7 in dev, 30 in staging, 90 in prod"
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

variable "error_percent" {
  description = "Share of failed requests, in percent, that turns a deployment back and tells the owner"
  type        = number
  default     = 1
}

variable "latency_ms" {
  description = "Latency of the slowest hundredth of requests, in milliseconds, that does the same"
  type        = number
  default     = 1000
}

variable "retrain_on_drift" {
  description = "Whether an alarm of the monitor starts the pipeline; null is yes, but for dev"
  type        = bool
  default     = null
}

variable "monitor_days" {
  description = "Days without a word of the monitor after which the owner is told; 0 for never"
  type        = number
  default     = 0
  validation {
    condition     = var.monitor_days >= 0 && var.monitor_days <= 7
    error_message = "CloudWatch looks back seven days at most: monitor_days is 0 to 7, not ${var.monitor_days}."
  }
}

variable "recovery_endpoint" {
  description = "Whether the model is served in the recovery region as well; `mlops deploy` then does both"
  type        = bool
  default     = false
}

variable "api" {
  description = "A domain of one's own before both endpoints, in a zone of Route 53, with failover; null for none"
  type = object({
    domain  = string
    zone_id = string
  })
  default = null
}
