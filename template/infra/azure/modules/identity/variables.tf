# The template's: `copier update` renews this file.
variable "name" {
  description = "Name of the identity"
  type        = string
}

variable "resource_group" {
  description = "Its resource group"
  type        = string
}

variable "location" {
  description = "Where it is"
  type        = string
}

variable "tags" {
  description = "What the bill is split by"
  type        = map(string)
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
    condition     = length(var.subjects) <= 20
    error_message = "An identity of Azure takes 20 federated credentials at most, not ${length(var.subjects)}."
  }
}

variable "roles" {
  description = "What it may do: a built-in role on a scope, by a name that is known before anything is made; a condition narrows it"
  type = map(object({
    role      = string
    scope     = string
    condition = optional(string)
  }))
  default = {}
  validation {
    condition     = alltrue([for each in var.roles : !contains(["Owner", "User Access Administrator"], each.role)])
    error_message = "An identity is no Owner and no User Access Administrator: it would give itself everything."
  }
  validation {
    condition     = alltrue([for each in var.roles : each.role != "Role Based Access Control Administrator" || each.condition != null])
    error_message = "Who gives roles to others has a condition that says which."
  }
  validation {
    condition     = alltrue([for each in var.roles : can(regex("/resourceGroups/[^/]+", each.scope))])
    error_message = "A role is given on a resource group or on something in it, never on a subscription."
  }
}
