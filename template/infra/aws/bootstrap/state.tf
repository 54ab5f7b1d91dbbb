# The template's: `copier update` renews this file.
# Where the states of platform/ and project/ lie, and this one's once it has moved.
resource "aws_kms_key" "state" {
  description             = "Terraform states of ${var.project}"
  enable_key_rotation     = true
  deletion_window_in_days = var.keep_data ? 30 : 7
  policy = jsonencode({
    Version = "2012-10-17"
    Statement = [{
      Sid       = "RolesOfThisAccount"
      Effect    = "Allow"
      Principal = { AWS = "${local.arn}:iam::${local.account}:root" }
      Action    = "kms:*"
      Resource  = "*" # of a key's policy: this key
    }]
  })
}

resource "aws_kms_alias" "state" {
  name          = "alias/${var.project}-state"
  target_key_id = aws_kms_key.state.key_id
}

module "state" {
  source            = "../modules/bucket"
  name              = "${var.project}-state-${local.account}"
  kms_key_arn       = aws_kms_key.state.arn
  keep_data         = var.keep_data
  old_versions_days = 365
}
