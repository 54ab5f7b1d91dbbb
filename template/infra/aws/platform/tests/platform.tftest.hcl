# The template's: `copier update` renews this file.
mock_provider "aws" {
  mock_data "aws_caller_identity" {
    defaults = { account_id = "123456789012" }
  }
  mock_data "aws_partition" {
    defaults = { partition = "aws" }
  }
  mock_data "aws_availability_zones" {
    defaults = { names = ["us-east-1a", "us-east-1b", "us-east-1c"] }
  }
  mock_resource "aws_iam_role" {
    defaults = { arn = "arn:aws:iam::123456789012:role/mlops/name" }
  }
  mock_resource "aws_kms_key" {
    defaults = { arn = "arn:aws:kms:us-east-1:123456789012:key/11111111-2222-3333-4444-555555555555" }
  }
  mock_resource "aws_sagemaker_mlflow_tracking_server" {
    defaults = { arn = "arn:aws:sagemaker:us-east-1:123456789012:mlflow-tracking-server/name" }
  }
  mock_resource "aws_sagemaker_model_package_group" {
    defaults = { arn = "arn:aws:sagemaker:us-east-1:123456789012:model-package-group/name" }
  }
  mock_resource "aws_ecr_repository" {
    defaults = { repository_url = "123456789012.dkr.ecr.us-east-1.amazonaws.com/name" }
  }
}

mock_provider "aws" {
  alias = "recovery"
  mock_data "aws_partition" {
    defaults = { partition = "aws" }
  }
  mock_resource "aws_kms_replica_key" {
    defaults = { arn = "arn:aws:kms:us-west-2:123456789012:key/11111111-2222-3333-4444-555555555555" }
  }
}

variables {
  tracking = { use = "create" }
  images   = { use = "create" }
  registry = { use = "create" }
  network  = { use = "none" }
  accounts = []
}

run "makes_each_part" {
  assert {
    condition = jsonencode(output.settings) == jsonencode({
      pipeline_repository = "123456789012.dkr.ecr.us-east-1.amazonaws.com/name"
      serving_repository  = "123456789012.dkr.ecr.us-east-1.amazonaws.com/name"
      tracking_arn        = "arn:aws:sagemaker:us-east-1:123456789012:mlflow-tracking-server/name"
      shared_bucket_arn   = "arn:aws:s3:::${var.project}-shared-123456789012"
      shared_key_arn      = "arn:aws:kms:us-east-1:123456789012:key/11111111-2222-3333-4444-555555555555"
      model_package_group = var.project
      network             = { subnets = [], security_groups = [], recovery_subnets = [], recovery_security_groups = [] }
    })
    error_message = "project/ does not get what it takes."
  }
  assert {
    condition     = aws_sagemaker_mlflow_tracking_server.this[0].artifact_store_uri == "s3://${module.bucket[0].name}/mlflow"
    error_message = "MLflow keeps artifacts elsewhere."
  }
  assert {
    condition     = length(aws_vpc.this) == 0 && length(aws_ecr_repository_policy.this) == 0 && length(aws_sagemaker_model_package_group_policy.this) == 0
    error_message = "Something is made that nobody asked for."
  }
}

run "keeps_images_as_they_were" {
  assert {
    condition = alltrue([
      for repository in aws_ecr_repository.this :
      repository.image_tag_mutability == "IMMUTABLE" && repository.image_scanning_configuration[0].scan_on_push &&
      repository.encryption_configuration[0].encryption_type == "KMS" && !repository.force_delete
    ])
    error_message = "A tag can be moved, or an image is not scanned or encrypted."
  }
  assert {
    condition     = toset([for repository in aws_ecr_repository.this : repository.name]) == toset(["${var.project}/pipeline", "${var.project}/serving"])
    error_message = "The repositories have other names than the roles of bootstrap/ may use."
  }
}

run "has_copies_in_the_recovery_region" {
  assert {
    condition     = module.bucket[0].copied_to == "arn:aws:s3:::${var.project}-shared-123456789012-r" && module.recovery_bucket[0].arn == module.bucket[0].copied_to
    error_message = "Artifacts have no copy in the recovery region."
  }
  assert {
    condition     = aws_ecr_replication_configuration.this[0].replication_configuration[0].rule[0].destination[0].region == var.recovery_region
    error_message = "Images have no copy in the recovery region."
  }
}

run "bounds_each_role" {
  assert {
    condition     = module.tracking_role[0].boundary_arn == "arn:aws:iam::123456789012:policy/${var.project}-boundary"
    error_message = "The role of the tracking server has no boundary."
  }
}

run "takes_what_is_there" {
  variables {
    tracking = { use = "existing", arn = "arn:aws:sagemaker:us-east-1:210987654321:mlflow-app/app", bucket_arn = "arn:aws:s3:::theirs", key_arn = "arn:aws:kms:us-east-1:210987654321:key/1" }
    images   = { use = "existing", pipeline = "210987654321.dkr.ecr.us-east-1.amazonaws.com/a", serving = "210987654321.dkr.ecr.us-east-1.amazonaws.com/b" }
    registry = { use = "existing", name = "theirs" }
    network  = { use = "existing", subnets = ["subnet-1"], security_groups = ["sg-1"], recovery_subnets = ["subnet-2"], recovery_security_groups = ["sg-2"] }
  }
  assert {
    condition = jsonencode(output.settings) == jsonencode({
      pipeline_repository = "210987654321.dkr.ecr.us-east-1.amazonaws.com/a"
      serving_repository  = "210987654321.dkr.ecr.us-east-1.amazonaws.com/b"
      tracking_arn        = "arn:aws:sagemaker:us-east-1:210987654321:mlflow-app/app"
      shared_bucket_arn   = "arn:aws:s3:::theirs"
      shared_key_arn      = "arn:aws:kms:us-east-1:210987654321:key/1"
      model_package_group = "theirs"
      network = {
        subnets = ["subnet-1"], security_groups = ["sg-1"], recovery_subnets = ["subnet-2"], recovery_security_groups = ["sg-2"]
      }
    })
    error_message = "project/ does not get what there is."
  }
  assert {
    condition = (
      length(aws_kms_key.main) + length(aws_ecr_repository.this) + length(module.bucket) + length(aws_vpc.this) +
      length(aws_sagemaker_mlflow_tracking_server.this) + length(aws_sagemaker_model_package_group.this) == 0
    )
    error_message = "Something is made, and paid for, that is there already."
  }
}

run "asks_for_what_is_there" {
  command = plan
  variables {
    tracking = { use = "existing" }
    images   = { use = "existing" }
    registry = { use = "existing" }
    network  = { use = "existing" }
  }
  expect_failures = [var.tracking, var.images, var.registry, var.network]
}

run "makes_a_network_without_a_way_out" {
  variables {
    network = { use = "create" }
  }
  assert {
    condition     = length(output.settings.network.subnets) == 2 && length(output.settings.network.security_groups) == 1
    error_message = "Jobs have no subnets in two zones."
  }
  assert {
    condition = (
      aws_vpc_security_group_ingress_rule.jobs[0].cidr_ipv4 == null && aws_vpc_security_group_egress_rule.jobs[0].cidr_ipv4 == null &&
      aws_vpc_security_group_egress_rule.s3[0].cidr_ipv4 == null
    )
    error_message = "Jobs reach, or are reached from, the internet."
  }
  assert {
    condition     = contains([for endpoint in aws_vpc_endpoint.service : endpoint.service_name], "aws.sagemaker.${var.region}.experiments")
    error_message = "Jobs cannot reach MLflow."
  }
}

run "lets_accounts_in" {
  variables {
    accounts = ["210987654321", "123456789012"]
  }
  assert {
    condition = alltrue([
      for policy in [aws_ecr_repository_policy.this["pipeline"].policy, aws_sagemaker_model_package_group_policy.this[0].resource_policy] :
      jsondecode(policy).Statement[0].Principal == { AWS = ["arn:aws:iam::210987654321:root"] }
    ])
    error_message = "Images or registry are shared with others than the accounts named."
  }
}

run "leaves_nothing_when_told" {
  variables {
    keep_data = false
  }
  assert {
    condition     = alltrue([for repository in aws_ecr_repository.this : repository.force_delete]) && aws_kms_key.main[0].deletion_window_in_days == 7
    error_message = "keep_data = false does not let destroy take images."
  }
}

run "tags_everything" {
  assert {
    condition     = local.tags["project"] == var.project && local.tags["environment"] == "shared" && local.tags["owner"] != "" && local.tags["managed-by"] != ""
    error_message = "The bill cannot be split by project, environment and owner."
  }
}
