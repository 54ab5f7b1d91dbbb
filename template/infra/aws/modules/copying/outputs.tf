# The template's: `copier update` renews this file.
output "arn" {
  value = module.role.arn
}

output "policy" {
  value = module.role.policy
}
