# The template's: `copier update` renews this file.
output "email" {
  value = google_service_account.this.email
}

output "member" {
  description = "As roles name it"
  value       = google_service_account.this.member
}

output "tokens" {
  description = "Which tokens become it"
  value       = [for each in google_service_account_iam_member.tokens : each.member]
}

output "users" {
  description = "Who acts as it, by name"
  value       = keys(google_service_account_iam_member.users)
}

output "roles" {
  description = "What it may do in its project"
  value       = { for name, each in google_project_iam_member.this : name => { role = each.role, condition = one(each.condition[*].expression) } }
}
