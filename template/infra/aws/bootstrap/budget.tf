# The template's: `copier update` renews this file.
# The owner hears of money before it is spent: at four fifths, at all of it, and when the month is going to exceed it.
resource "aws_budgets_budget" "monthly" {
  name         = "${var.project}-monthly"
  budget_type  = "COST"
  time_unit    = "MONTHLY"
  limit_amount = tostring(var.monthly_budget)
  limit_unit   = "USD"

  dynamic "notification" {
    for_each = [{ percent = 80, of = "ACTUAL" }, { percent = 100, of = "ACTUAL" }, { percent = 100, of = "FORECASTED" }]
    content {
      comparison_operator        = "GREATER_THAN"
      threshold                  = notification.value.percent
      threshold_type             = "PERCENTAGE"
      notification_type          = notification.value.of
      subscriber_email_addresses = [var.owner_email]
    }
  }
}
