# The template's: `copier update` renews this file.
output "name" {
  value = google_storage_bucket.this.name
}

output "regions" {
  description = "Where the data is"
  value       = [for region in google_storage_bucket.this.custom_placement_config[0].data_locations : lower(region)]
}

output "deleted_days" {
  value = one(google_storage_bucket.this.lifecycle_rule[length(var.expire_days)].condition).days_since_noncurrent_time
}

output "kms_key" {
  value = one(google_storage_bucket.this.encryption[*].default_kms_key_name)
}

output "roles" {
  description = "Who may do what with it, and where"
  value       = { for name, each in google_storage_bucket_iam_member.this : name => { role = each.role, member = each.member, condition = one(each.condition[*].expression) } }
}
