# The template's: `copier update` renews this file.
# The owner hears of money before it is spent: at four fifths, at all of it, and when the month is going to exceed it.
resource "azurerm_consumption_budget_subscription" "monthly" {
  name            = "${var.project}-monthly"
  subscription_id = local.subscription
  amount          = var.monthly_budget
  time_grain      = "Monthly"

  time_period {
    start_date = formatdate("YYYY-MM-01'T'00:00:00'Z'", plantimestamp())
  }

  dynamic "notification" {
    for_each = [{ percent = 80, of = "Actual" }, { percent = 100, of = "Actual" }, { percent = 100, of = "Forecasted" }]
    content {
      operator       = "GreaterThan"
      threshold      = notification.value.percent
      threshold_type = notification.value.of
      contact_emails = [var.owner_email]
    }
  }

  lifecycle {
    ignore_changes = [time_period] # it began when it was made
  }
}
