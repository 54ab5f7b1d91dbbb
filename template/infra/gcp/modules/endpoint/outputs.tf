# The template's: `copier update` renews this file.
output "alerts" {
  description = "By what they are about, what each looks at, from where on it tells, and whom"
  value = {
    for name, alert in { errors = google_monitoring_alert_policy.errors, latency = google_monitoring_alert_policy.latency } : name => {
      filter                    = alert.conditions[0].condition_threshold[0].filter
      threshold                 = alert.conditions[0].condition_threshold[0].threshold_value
      tells                     = alert.notification_channels
    }
  }
}
