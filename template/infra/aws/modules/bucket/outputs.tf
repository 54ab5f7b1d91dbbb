# The template's: `copier update` renews this file.
output "name" {
  value = aws_s3_bucket.this.bucket
}

output "arn" {
  value = local.arn
}

output "copied_to" {
  description = "ARN of the bucket with the copies, null if there is none"
  value       = try(one(one(aws_s3_bucket_replication_configuration.this[*]).rule[*]).destination[0].bucket, null)
}
