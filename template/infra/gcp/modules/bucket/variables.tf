# The template's: `copier update` renews this file.
variable "name" {
  description = "Name of the bucket, which nobody else in the world may have"
  type        = string
  validation {
    condition     = can(regex("^[a-z0-9][a-z0-9-]{1,61}[a-z0-9]$", var.name)) && !startswith(var.name, "goog")
    error_message = "A bucket's name has 3 to 63 lower-case letters, digits and hyphens, and does not begin with goog: ${var.name} will not do."
  }
}

variable "project_id" {
  description = "Its project"
  type        = string
}

variable "regions" {
  description = "The two regions that have its data, on one continent"
  type        = list(string)
}

variable "area" {
  description = "What both regions are in, as Cloud Storage calls it, such as EU; null is by the name of the region"
  type        = string
  default     = null
}

variable "turbo" {
  description = "Whether the second region has new data within 15 minutes, for a price; else within 12 hours, mostly one"
  type        = bool
  default     = false
}

variable "labels" {
  description = "What the bill is split by"
  type        = map(string)
}

variable "kms_key" {
  description = "Key that encrypts it, of the continent's location; null for Google's own"
  type        = string
  default     = null
}

variable "deleted_days" {
  description = "Days that overwritten and deleted data can still be brought back"
  type        = number
  default     = 90
  validation {
    condition     = var.deleted_days >= 1
    error_message = "What was deleted is kept for a day or more, not ${var.deleted_days}."
  }
}

variable "expire_days" {
  description = "Days after which data goes, by prefix"
  type        = map(number)
  default     = {}
}

variable "roles" {
  description = "Who may do what with it; prefixes narrow it to objects that begin so"
  type = map(object({
    role     = string
    member   = string
    prefixes = optional(list(string), [])
  }))
  default = {}
  validation {
    condition     = alltrue([for each in var.roles : can(regex("^(serviceAccount|user|group):[^*]+$", each.member))])
    error_message = "Who reaches a bucket is named: serviceAccount:, user: or group:, and never everybody."
  }
  validation {
    condition     = alltrue([for each in var.roles : !can(regex("(?i)legacy|admin$", each.role))])
    error_message = "Nobody but who applies administers a bucket, and legacy roles are none for people."
  }
}

variable "keep_data" {
  description = "Whether `destroy` refuses to take it away"
  type        = bool
}
