# The template's: `copier update` renews this file.
variable "name" {
  description = "Name of the workspace, its logs and its Application Insights"
  type        = string
  validation {
    condition     = can(regex("^[A-Za-z0-9][A-Za-z0-9_-]{2,32}$", var.name))
    error_message = "A workspace's name has 3 to 33 letters, digits and hyphens: ${var.name} will not do."
  }
}

variable "storage_name" {
  description = "Name of its own storage account"
  type        = string
}

variable "vault_name" {
  description = "Name of its vault"
  type        = string
  validation {
    condition     = can(regex("^[a-z][a-z0-9-]{1,22}[a-z0-9]$", var.vault_name))
    error_message = "A vault's name has 3 to 24 letters, digits and hyphens, a letter first: ${var.vault_name} will not do."
  }
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

variable "replication" {
  description = "How its storage account is copied elsewhere"
  type        = string
}

variable "deleted_days" {
  description = "Days that overwritten and deleted artifacts can still be brought back"
  type        = number
}

variable "log_days" {
  description = "Days that its logs are kept, 30 at least"
  type        = number
}

variable "log_gigabytes" {
  description = "Gigabytes of logs a day, after which no more are taken; -1 for no limit"
  type        = number
  default     = 1
}

variable "isolation" {
  description = "AllowOnlyApprovedOutbound: a network of Azure's for this workspace, with no way out but to what it reaches; Disabled: none"
  type        = string
  default     = "Disabled"
  validation {
    condition     = contains(["AllowOnlyApprovedOutbound", "Disabled"], var.isolation)
    error_message = "isolation is AllowOnlyApprovedOutbound or Disabled, not '${var.isolation}'."
  }
}

variable "reaches" {
  description = "What is reached from that network beside its own parts: resource, and the parts of it that private endpoints name"
  type        = map(object({ id = string, targets = list(string) }))
  default     = {}
}

variable "keep_data" {
  description = "Whether `destroy` refuses to take away what lies in it"
  type        = bool
}
