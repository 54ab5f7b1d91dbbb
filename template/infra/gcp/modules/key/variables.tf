# The template's: `copier update` renews this file.
variable "name" {
  description = "Name of the key and of its ring; neither can ever be deleted, nor its name used again in that location"
  type        = string
}

variable "project_id" {
  description = "Its project"
  type        = string
}

variable "location" {
  description = "Where it is: the region of what it encrypts, or the multi-region of a bucket"
  type        = string
}

variable "labels" {
  description = "What the bill is split by"
  type        = map(string)
}

variable "users" {
  description = "Service agents of Google that encrypt by it, by name"
  type        = map(string)
  validation {
    condition     = alltrue([for member in values(var.users) : can(regex("^serviceAccount:service-[0-9]+@[a-z-]+[.]iam[.]gserviceaccount[.]com$", member))])
    error_message = "A key is used by service agents of Google alone: serviceAccount:service-NUMBER@SERVICE.iam.gserviceaccount.com."
  }
}
