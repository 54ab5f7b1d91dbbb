# The template's: `copier update` renews this file.
variable "name" {
  description = "Name of the bucket"
  type        = string
  validation {
    condition     = can(regex("^[a-z0-9][a-z0-9-]{1,61}[a-z0-9]$", var.name))
    error_message = "A bucket's name has 3 to 63 lower-case letters, digits and hyphens: ${var.name} will not do."
  }
}

variable "kms_key_arn" {
  description = "Key that encrypts what lies in it"
  type        = string
  nullable    = false
}

variable "keep_data" {
  description = "Whether `destroy` refuses while there is something in it"
  type        = bool
}

variable "old_versions_days" {
  description = "Days that overwritten and deleted objects can still be brought back"
  type        = number
  default     = 90
}

variable "expire_days" {
  description = "Days after which objects go, by prefix"
  type        = map(number)
  default     = {}
}

variable "copy" {
  description = "Bucket in another region that gets a copy of each object, the key there and the role that copies"
  type = object({
    bucket_arn  = string
    kms_key_arn = string
    role_arn    = string
  })
  default = null
}

variable "users" {
  description = "Other accounts that read and write in it"
  type        = list(string)
  default     = []
  validation {
    condition     = alltrue([for arn in var.users : can(regex("^arn:[a-z-]+:iam::\\d{12}:root$", arn))])
    error_message = "users holds accounts, as arn:aws:iam::NUMBER:root; a bucket is never public."
  }
}
