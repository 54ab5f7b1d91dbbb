# The template's: `copier update` renews this file.
variable "name" {
  description = "Name of the role"
  type        = string
  validation {
    condition     = length(var.name) <= 64
    error_message = "A role's name has at most 64 characters; ${var.name} has ${length(var.name)}."
  }
}

variable "path" {
  description = "Path of the role: /mlops/ for what runs, /mlops-ci/ for who makes it"
  type        = string
  default     = "/mlops/"
}

variable "boundary_arn" {
  description = "Permission boundary; null for roles that are bounded by hand, in bootstrap/"
  type        = string
  default     = null
}

variable "hours" {
  description = "Longest session"
  type        = number
  default     = 1
}

variable "trust" {
  description = "Who may assume it, and on what condition"
  type = list(object({
    Principal = map(string)
    Action    = string
    Condition = map(map(list(string)))
  }))
  validation {
    condition     = alltrue([for statement in var.trust : length(statement.Condition) > 0])
    error_message = "Each statement of a trust policy needs a condition, else an account of others can use the role."
  }
  validation {
    condition = alltrue([
      for statement in var.trust : !contains(keys(statement.Principal), "Federated") || (
        length(try(statement.Condition.StringEquals["token.actions.githubusercontent.com:aud"], [])) > 0 &&
        length(try(statement.Condition.StringEquals["token.actions.githubusercontent.com:sub"], [])) > 0 &&
        alltrue([
          for subject in try(statement.Condition.StringEquals["token.actions.githubusercontent.com:sub"], []) :
          can(regex("^repo:[^/:*?]+/[^/:*?]+:(environment:[^*?]+|ref:refs/heads/[^*?]+|pull_request)$", subject))
        ])
      )
    ])
    error_message = "Trust in GitHub names audience and subject exactly, by StringEquals and without wildcards: repo:OWNER/NAME:environment:NAME."
  }
  validation {
    condition     = !contains(flatten([for statement in var.trust : values(statement.Principal)]), "*")
    error_message = "A trust policy names who is trusted; it does not trust everybody."
  }
}

variable "statements" {
  description = "What it may do"
  type = list(object({
    Sid       = optional(string)
    Effect    = optional(string, "Allow")
    Action    = list(string)
    Resource  = list(string)
    Condition = optional(map(map(list(string))))
  }))
  validation {
    condition = alltrue([
      for statement in var.statements : statement.Effect == "Deny" || !(
        contains(statement.Resource, "*") && anytrue([for action in statement.Action : strcontains(action, "*")])
      )
    ])
    error_message = "A statement has a wildcard action on the wildcard resource: name the actions, or the resources."
  }
}
