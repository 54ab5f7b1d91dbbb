# The template's: `copier update` renews this file.
variable "name" {
  description = "What alerts are called after"
  type        = string
}

variable "endpoint" {
  description = "Name of the endpoint"
  type        = string
}

variable "workspace_id" {
  description = "Its workspace"
  type        = string
}

variable "resource_group" {
  description = "Resource group of the alerts"
  type        = string
}

variable "logs_id" {
  description = "Log Analytics workspace that takes its logs"
  type        = string
}

variable "action_group_id" {
  description = "Who is told"
  type        = string
}

variable "tags" {
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
