# The template's: `copier update` renews this file.
variable "project_id" {
  description = "Its project"
  type        = string
}

variable "endpoint" {
  description = "Id of the endpoint"
  type        = string
}

variable "region" {
  description = "Where it serves"
  type        = string
}

variable "channels" {
  description = "Who is told: notification channels"
  type        = list(string)
  validation {
    condition     = length(var.channels) > 0
    error_message = "An alert that nobody hears is none: name a notification channel."
  }
}

variable "labels" {
  description = "What the bill is split by"
  type        = map(string)
}

variable "errors_per_minute" {
  description = "Failed requests a minute above which the alert goes off"
  type        = number
}

variable "latency_ms" {
  description = "Latency of the slowest hundredth, in milliseconds, above which the alert goes off"
  type        = number
}
