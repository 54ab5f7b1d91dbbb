# The template's: `copier update` renews this file.
# Images: a tag stays what it was, each is scanned when it comes, and the recovery region has them too.
locals {
  images = var.images.use == "create" ? toset(["pipeline", "serving"]) : toset([])
}

resource "aws_ecr_repository" "this" {
  for_each             = local.images
  name                 = "${var.project}/${each.key}"
  image_tag_mutability = "IMMUTABLE"
  force_delete         = !var.keep_data
  image_scanning_configuration {
    scan_on_push = true
  }
  encryption_configuration {
    encryption_type = "KMS"
    kms_key         = aws_kms_key.main[0].arn
  }
}

# A digest in use has a tag, its content's; what has none was left by a push that broke off.
resource "aws_ecr_lifecycle_policy" "this" {
  for_each   = local.images
  repository = aws_ecr_repository.this[each.key].name
  policy = jsonencode({
    rules = [{
      rulePriority = 1
      description  = "Images without a tag go after two weeks"
      selection    = { tagStatus = "untagged", countType = "sinceImagePushed", countUnit = "days", countNumber = 14 }
      action       = { type = "expire" }
    }]
  })
}

resource "aws_ecr_repository_policy" "this" {
  for_each   = length(local.others) > 0 ? local.images : toset([])
  repository = aws_ecr_repository.this[each.key].name
  policy = jsonencode({
    Version = "2012-10-17"
    Statement = [{
      Sid       = "OtherAccountsPull"
      Effect    = "Allow"
      Principal = { AWS = local.others }
      Action    = ["ecr:BatchCheckLayerAvailability", "ecr:BatchGetImage", "ecr:DescribeImages", "ecr:GetDownloadUrlForLayer"]
    }]
  })
}

# An account has one such configuration for all its repositories.
resource "aws_ecr_replication_configuration" "this" {
  count = length(local.images) > 0 ? 1 : 0
  replication_configuration {
    rule {
      destination {
        region      = var.recovery_region
        registry_id = local.account
      }
      repository_filter {
        filter      = "${var.project}/"
        filter_type = "PREFIX_MATCH"
      }
    }
  }
}
