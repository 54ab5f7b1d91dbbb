# The template's: `copier update` renews this file.
output "id" {
  description = "For who encrypts: known once its users may use it"
  value       = google_kms_crypto_key.this.id
  depends_on  = [google_kms_crypto_key_iam_member.users]
}

output "rotation_days" {
  value = tonumber(trimsuffix(google_kms_crypto_key.this.rotation_period, "s")) / 86400
}

output "users" {
  description = "Who may use it"
  value       = [for each in google_kms_crypto_key_iam_member.users : each.member]
}
