# The template's: `copier update` renews this file.
variable "name" {
  description = "Name of the role"
  type        = string
}

variable "boundary_arn" {
  description = "Permission boundary"
  type        = string
}

variable "from" {
  description = "Bucket that is copied, and its key"
  type        = object({ bucket_arn = string, key_arn = string })
}

variable "to" {
  description = "Bucket with the copies, and its key"
  type        = object({ bucket_arn = string, key_arn = string })
}
