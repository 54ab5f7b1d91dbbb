# The template's: `copier update` renews this file.
output "alerts" {
  description = "By name, what each tells of and whom"
  value = {
    for alert in [azurerm_monitor_metric_alert.errors, azurerm_monitor_metric_alert.latency] : alert.name => {
      scopes = alert.scopes
      metric = alert.criteria[0].metric_name
      tells  = [for action in alert.action : action.action_group_id]
    }
  }
}
