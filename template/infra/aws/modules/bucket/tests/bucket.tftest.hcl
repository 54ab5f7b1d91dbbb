# The template's: `copier update` renews this file.
# Every bucket of this project comes from this module.
mock_provider "aws" {
  mock_data "aws_partition" {
    defaults = { partition = "aws" }
  }
}

variables {
  name        = "flight-delays-dev-123456789012"
  kms_key_arn = "arn:aws:kms:us-east-1:123456789012:key/11111111-2222-3333-4444-555555555555"
  keep_data   = true
  expire_days = { "logs/" = 30 }
  copy = {
    bucket_arn  = "arn:aws:s3:::flight-delays-dev-123456789012-r"
    kms_key_arn = "arn:aws:kms:us-west-2:123456789012:key/11111111-2222-3333-4444-555555555555"
    role_arn    = "arn:aws:iam::123456789012:role/mlops/flight-delays-dev-copying"
  }
}

run "is_private" {
  assert {
    condition = (
      aws_s3_bucket_public_access_block.this.block_public_acls &&
      aws_s3_bucket_public_access_block.this.block_public_policy &&
      aws_s3_bucket_public_access_block.this.ignore_public_acls &&
      aws_s3_bucket_public_access_block.this.restrict_public_buckets
    )
    error_message = "The bucket can be made public."
  }
  assert {
    condition     = aws_s3_bucket_ownership_controls.this.rule[0].object_ownership == "BucketOwnerEnforced"
    error_message = "Access lists are not turned off."
  }
  assert {
    condition = [
      for statement in jsondecode(aws_s3_bucket_policy.this.policy).Statement : statement if statement.Effect == "Allow"
    ] == []
    error_message = "Somebody else is let in."
  }
}

run "is_encrypted" {
  assert {
    condition = one([
      for rule in aws_s3_bucket_server_side_encryption_configuration.this.rule : [
        rule.apply_server_side_encryption_by_default[0].sse_algorithm, rule.apply_server_side_encryption_by_default[0].kms_master_key_id
      ]
    ]) == ["aws:kms", var.kms_key_arn]
    error_message = "The bucket is not encrypted with the key."
  }
  assert {
    condition = jsondecode(aws_s3_bucket_policy.this.policy).Statement[0] == {
      Sid       = "OnlyOverTls"
      Effect    = "Deny"
      Principal = "*"
      Action    = "s3:*"
      Resource  = ["arn:aws:s3:::${var.name}", "arn:aws:s3:::${var.name}/*"]
      Condition = { Bool = { "aws:SecureTransport" = "false" } }
    }
    error_message = "The bucket answers without TLS."
  }
}

run "keeps_what_was_there" {
  assert {
    condition     = aws_s3_bucket_versioning.this.versioning_configuration[0].status == "Enabled"
    error_message = "What is overwritten is lost."
  }
  assert {
    condition = anytrue([
      for rule in aws_s3_bucket_lifecycle_configuration.this.rule :
      rule.status == "Enabled" && try(rule.noncurrent_version_expiration[0].noncurrent_days, 0) == 90
    ])
    error_message = "Old versions are kept, and paid for, for ever."
  }
  assert {
    condition = anytrue([
      for rule in aws_s3_bucket_lifecycle_configuration.this.rule :
      try(rule.filter[0].prefix, "") == "logs/" && try(rule.expiration[0].days, 0) == 30
    ])
    error_message = "Logs do not go."
  }
  assert {
    condition     = !aws_s3_bucket.this.force_destroy
    error_message = "destroy takes away data without having been told."
  }
}

run "is_copied" {
  assert {
    condition     = output.copied_to == var.copy.bucket_arn
    error_message = "The bucket has no copy in the recovery region."
  }
  assert {
    condition     = aws_s3_bucket_replication_configuration.this[0].rule[0].destination[0].encryption_configuration[0].replica_kms_key_id == var.copy.kms_key_arn
    error_message = "The copy is not encrypted with the key of its region."
  }
}

run "gives_data_away_when_told" {
  variables {
    keep_data = false
    copy      = null
  }
  assert {
    condition     = aws_s3_bucket.this.force_destroy && output.copied_to == null
    error_message = "keep_data = false does not let destroy take the data."
  }
}

run "is_never_public" {
  command = plan
  variables {
    users = ["*"]
  }
  expect_failures = [var.users]
}

run "lets_accounts_in" {
  variables {
    users = ["arn:aws:iam::210987654321:root"]
  }
  assert {
    condition     = jsondecode(aws_s3_bucket_policy.this.policy).Statement[1].Principal == { AWS = ["arn:aws:iam::210987654321:root"] }
    error_message = "The account is not let in."
  }
}
