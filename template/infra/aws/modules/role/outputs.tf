# The template's: `copier update` renews this file.
output "arn" {
  value = aws_iam_role.this.arn
}

output "name" {
  value = aws_iam_role.this.name
}

output "boundary_arn" {
  value = aws_iam_role.this.permissions_boundary
}

output "trust" {
  value = aws_iam_role.this.assume_role_policy
}

output "policy" {
  value = aws_iam_role_policy.this.policy
}
