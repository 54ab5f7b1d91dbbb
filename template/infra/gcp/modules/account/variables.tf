# The template's: `copier update` renews this file.
variable "name" {
  description = "Name of the account"
  type        = string
  validation {
    condition     = can(regex("^[a-z][a-z0-9-]{4,28}[a-z0-9]$", var.name))
    error_message = "A service account's name has 6 to 30 lower-case letters, digits and hyphens, a letter first: ${var.name} will not do."
  }
}

variable "project_id" {
  description = "Its project"
  type        = string
}

variable "purpose" {
  description = "What it is for"
  type        = string
}

variable "pool" {
  description = "Pool of GitHub's tokens, projects/NUMBER/locations/global/workloadIdentityPools/NAME; null where none become it"
  type        = string
  default     = null
}

variable "subjects" {
  description = "Subjects of GitHub's tokens that become it: repo:OWNER/NAME:environment:NAME, repo:OWNER/NAME:pull_request or a branch"
  type        = set(string)
  default     = []
  validation {
    condition = alltrue([
      for subject in var.subjects :
      can(regex("^repo:[A-Za-z0-9@_.-]+/[A-Za-z0-9@_.-]+:(environment:[A-Za-z0-9_-]+|pull_request|ref:refs/(heads|tags)/[A-Za-z0-9_./-]+)$", subject))
    ])
    error_message = "Trust in GitHub names repository and environment, branch or pull_request exactly, without wildcards: ${join(", ", var.subjects)}."
  }
  validation {
    condition     = alltrue([for subject in var.subjects : length(subject) <= 127])
    error_message = "Google takes subjects of 127 characters at most: shorten the name of the repository or of the branch."
  }
}

variable "users" {
  description = "Who may start what runs as it, by name: serviceAccount:, user: or group:"
  type        = map(string)
  default     = {}
  validation {
    condition     = alltrue([for member in values(var.users) : can(regex("^(serviceAccount|user|group):[^*]+$", member))])
    error_message = "Who acts as a service account is named: serviceAccount:, user: or group:, and never everybody."
  }
}

variable "roles" {
  description = "What it may do in its project: a role that was written for it, or a narrow one of Google's; a condition narrows it"
  type = map(object({
    role      = string
    condition = optional(string)
  }))
  default = {}
  validation {
    condition     = alltrue([for each in var.roles : !can(regex("(?i)^roles/(owner|editor|viewer|.*admin)$", each.role))])
    error_message = "A service account is no owner, editor, viewer or admin: ${join(", ", [for each in var.roles : each.role])}."
  }
  validation {
    condition     = alltrue([for each in var.roles : !can(regex("^roles/iam\\.(serviceAccount(User|TokenCreator)|workloadIdentityUser)$", each.role))])
    error_message = "To act as service accounts is given on each of them, by users or subjects, and never on a whole project."
  }
}
