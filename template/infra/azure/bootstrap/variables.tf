# The template's: `copier update` renews this file.
variable "project" {
  description = "Short name of the project"
  type        = string
}

variable "owner_email" {
  description = "Who is told when the money runs out"
  type        = string
}

variable "location" {
  description = "Location of states, identities and resource groups"
  type        = string
}

variable "recovery_location" {
  description = "Location that takes over"
  type        = string
}

variable "monthly_budget" {
  description = "US dollars a month, at which the owner is warned; Azure counts in the currency of the bill"
  type        = number
  validation {
    condition     = var.monthly_budget >= 1
    error_message = "monthly_budget is a number of dollars, 1 or more; it is ${var.monthly_budget}."
  }
}

variable "tags" {
  description = "Tags of your own on everything"
  type        = map(string)
  default     = {}
}

variable "github_repository" {
  description = "OWNER/NAME of the repository whose workflows get the identities; OWNER@ID/NAME@ID where its tokens say so"
  type        = string
  validation {
    condition     = can(regex("^[A-Za-z0-9@_.-]+/[A-Za-z0-9@_.-]+$", var.github_repository)) && var.github_repository != "OWNER/NAME"
    error_message = "'${var.github_repository}' is no repository: write its OWNER/NAME into settings.auto.tfvars, without wildcards."
  }
}

variable "environments" {
  description = "Environments of GitHub whose workflows act in this subscription"
  type        = set(string)
  default     = ["dev", "staging", "prod"]
  validation {
    condition     = alltrue([for name in var.environments : contains(["dev", "staging", "prod"], name)])
    error_message = "environments holds dev, staging and prod, or some of them."
  }
}

variable "train_for" {
  description = "Environment whose champions the jobs of GitHub's environment `train` make and watch, without its approval"
  type        = string
  default     = "prod"
}

variable "plan_from" {
  description = "What else may plan: subjects of GitHub's tokens, after the repository"
  type        = set(string)
  default     = ["pull_request", "ref:refs/heads/main"]
}

variable "administrators" {
  description = "Object id of the group that administers states; null is who applies this"
  type        = string
  default     = null
}

variable "replication" {
  description = "How states are copied elsewhere: RAGRS, or RAGZRS where the location has zones"
  type        = string
  default     = "RAGRS"
  validation {
    condition     = strcontains(var.replication, "G")
    error_message = "States need a copy in another location: replication is GRS, RAGRS, GZRS or RAGZRS, not '${var.replication}'."
  }
}

variable "keep_data" {
  description = "Whether `destroy` refuses to take away the states; false, applied before it, lets it"
  type        = bool
  default     = true
}
