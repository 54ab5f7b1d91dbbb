# The template's: `copier update` renews this file.
variable "project" {
  description = "Short name of the project"
  type        = string
}

variable "project_id" {
  description = "Id of the project of Google Cloud: export TF_VAR_project_id=..."
  type        = string
  validation {
    condition     = can(regex("^[a-z][a-z0-9-]{4,28}[a-z0-9]$", var.project_id))
    error_message = "'${var.project_id}' is no id of a project of Google Cloud: gcloud projects list."
  }
}

variable "owner_email" {
  description = "Who is told when the money runs out"
  type        = string
}

variable "region" {
  description = "Region of data, training and endpoint"
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

variable "monthly_budget" {
  description = "US dollars a month, at which the owner is warned; Google counts in the currency of the bill"
  type        = number
  validation {
    condition     = var.monthly_budget >= 1
    error_message = "monthly_budget is a number of dollars, 1 or more; it is ${var.monthly_budget}."
  }
}

variable "billing_account" {
  description = "Account that pays; null is the project's"
  type        = string
  default     = null
}

variable "labels" {
  description = "Labels of your own on everything"
  type        = map(string)
  default     = {}
}

variable "github_repository" {
  description = "OWNER/NAME of the repository whose workflows get the accounts; OWNER@ID/NAME@ID where the subjects of its tokens say so"
  type        = string
  validation {
    condition     = can(regex("^[A-Za-z0-9@_.-]+/[A-Za-z0-9@_.-]+$", var.github_repository)) && var.github_repository != "OWNER/NAME"
    error_message = "'${var.github_repository}' is no repository: write its OWNER/NAME into settings.auto.tfvars, without wildcards."
  }
}

variable "github_repository_id" {
  description = "Number of that repository (gh api repos/OWNER/NAME --jq .id), which nobody gets who takes its name later; null asks for the name alone"
  type        = string
  default     = null
  validation {
    condition     = var.github_repository_id == null || can(regex("^[0-9]+$", var.github_repository_id))
    error_message = "github_repository_id is a number: gh api repos/OWNER/NAME --jq .id."
  }
}

variable "environments" {
  description = "Environments of GitHub whose workflows act in this project"
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

variable "kms_key" {
  description = "Key that encrypts states, of the continent's location; null for Google's own"
  type        = string
  default     = null
}

variable "keep_data" {
  description = "Whether `destroy` refuses to take away the states; false, applied before it, lets it"
  type        = bool
  default     = true
}
