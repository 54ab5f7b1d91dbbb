# The template's: `copier update` renews this file.
variable "name" {
  description = "Name of the account, which nobody else in the world may have"
  type        = string
  validation {
    condition     = can(regex("^[a-z0-9]{3,24}$", var.name))
    error_message = "A storage account's name has 3 to 24 lower-case letters and digits: ${var.name} will not do."
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

variable "folders" {
  description = "Whether it has folders, as Data Lake Storage Gen2; then it has no versions"
  type        = bool
  default     = false
}

variable "containers" {
  description = "Its containers"
  type        = set(string)
  default     = []
}

variable "replication" {
  description = "How it is copied: RAGRS and RAGZRS into Azure's paired location, where it can be read; LRS and ZRS are no copy elsewhere"
  type        = string
  default     = "RAGRS"
  validation {
    condition     = contains(["LRS", "ZRS", "GRS", "RAGRS", "GZRS", "RAGZRS"], var.replication)
    error_message = "replication is one of LRS, ZRS, GRS, RAGRS, GZRS and RAGZRS, not '${var.replication}'."
  }
}

variable "deleted_days" {
  description = "Days that overwritten and deleted data can still be brought back"
  type        = number
  default     = 90
  validation {
    condition     = var.deleted_days >= 1 && var.deleted_days <= 365
    error_message = "Azure keeps what was deleted for 1 to 365 days, not ${var.deleted_days}."
  }
}

variable "expire_days" {
  description = "Days after which data goes, by container and prefix"
  type        = map(number)
  default     = {}
}

variable "keep_data" {
  description = "Whether `destroy` refuses to take it away"
  type        = bool
}
