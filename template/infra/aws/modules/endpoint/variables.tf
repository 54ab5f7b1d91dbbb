# The template's: `copier update` renews this file.
variable "name" {
  description = "Name of the endpoint"
  type        = string
}

variable "kms_key_arn" {
  description = "Key of this region"
  type        = string
}

variable "owner_email" {
  description = "Who is told"
  type        = string
}

variable "log_days" {
  description = "Days that its log is kept"
  type        = number
}

variable "error_percent" {
  description = "Share of failed requests, in percent, above which the alarm goes off"
  type        = number
}

variable "latency_ms" {
  description = "Latency of the slowest hundredth, in milliseconds, above which the alarm goes off"
  type        = number
}

variable "api" {
  description = "The name before the endpoint: its domain and zone, the role that passes requests on, PRIMARY or SECONDARY"
  type = object({
    domain   = string
    zone_id  = string
    role_arn = string
    failover = string
  })
  default = null
}
