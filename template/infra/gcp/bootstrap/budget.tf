# The template's: `copier update` renews this file.
# The owner hears of money before it is spent: at four fifths, at all of it, and when the month is going to exceed it.
resource "google_monitoring_notification_channel" "owner" {
  project      = var.project_id
  display_name = "${var.project} owner"
  type         = "email"
  labels       = { email_address = var.owner_email }
  user_labels  = local.labels
  depends_on   = [google_project_service.this]
}

resource "google_billing_budget" "monthly" {
  billing_account = coalesce(var.billing_account, data.google_project.this.billing_account)
  display_name    = "${var.project} monthly"

  budget_filter {
    projects        = ["projects/${local.number}"]
    calendar_period = "MONTH"
  }
  amount {
    specified_amount {
      units = tostring(var.monthly_budget) # in the currency of the bill
    }
  }
  dynamic "threshold_rules" {
    for_each = [{ percent = 0.8, of = "CURRENT_SPEND" }, { percent = 1.0, of = "CURRENT_SPEND" }, { percent = 1.0, of = "FORECASTED_SPEND" }]
    content {
      threshold_percent = threshold_rules.value.percent
      spend_basis       = threshold_rules.value.of
    }
  }
  all_updates_rule {
    monitoring_notification_channels = [google_monitoring_notification_channel.owner.id]
    disable_default_iam_recipients   = false
  }
  depends_on = [google_project_service.this]
}
