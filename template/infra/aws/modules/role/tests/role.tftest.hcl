# The template's: `copier update` renews this file.
# What no role of this project can be. A role that is fine comes first, so that a refusal has one reason.
mock_provider "aws" {}

variables {
  name         = "role"
  boundary_arn = "arn:aws:iam::123456789012:policy/boundary"
  trust = [{
    Principal = { Service = "sagemaker.amazonaws.com" }
    Action    = "sts:AssumeRole"
    Condition = { StringEquals = { "aws:SourceAccount" = ["123456789012"] } }
  }]
  statements = [
    { Action = ["s3:GetObject"], Resource = ["arn:aws:s3:::bucket/*"] },
    { Action = ["ecr:GetAuthorizationToken"], Resource = ["*"] },
    { Action = ["scheduler:*"], Resource = ["arn:aws:scheduler:*:123456789012:schedule/name/*"] },
  ]
}

run "is_as_it_was_written" {
  assert {
    condition     = aws_iam_role.this.permissions_boundary == "arn:aws:iam::123456789012:policy/boundary"
    error_message = "The role has no boundary."
  }
  assert {
    condition     = jsondecode(aws_iam_role.this.assume_role_policy).Statement[0].Condition.StringEquals["aws:SourceAccount"] == ["123456789012"]
    error_message = "The trust policy has lost its condition."
  }
  assert {
    condition     = jsondecode(aws_iam_role_policy.this.policy).Statement[0] == { Action = ["s3:GetObject"], Effect = "Allow", Resource = ["arn:aws:s3:::bucket/*"] }
    error_message = "The policy is not what was written."
  }
}

run "refuses_everything_on_everything" {
  command = plan
  variables {
    statements = [{ Action = ["s3:GetObject", "s3:*"], Resource = ["arn:aws:s3:::bucket/*", "*"] }]
  }
  expect_failures = [var.statements]
}

run "refuses_trust_without_condition" {
  command = plan
  variables {
    trust = [{ Principal = { Service = "sagemaker.amazonaws.com" }, Action = "sts:AssumeRole", Condition = {} }]
  }
  expect_failures = [var.trust]
}

run "refuses_trust_in_everybody" {
  command = plan
  variables {
    trust = [{ Principal = { AWS = "*" }, Action = "sts:AssumeRole", Condition = { StringEquals = { "aws:SourceAccount" = ["123456789012"] } } }]
  }
  expect_failures = [var.trust]
}

run "takes_an_exact_subject" {
  command = plan
  variables {
    trust = [{
      Principal = { Federated = "arn:aws:iam::123456789012:oidc-provider/token.actions.githubusercontent.com" }
      Action    = "sts:AssumeRoleWithWebIdentity"
      Condition = { StringEquals = {
        "token.actions.githubusercontent.com:aud" = ["sts.amazonaws.com"]
        "token.actions.githubusercontent.com:sub" = ["repo:owner@1/name@2:environment:prod"]
      } }
    }]
  }
}

run "refuses_github_without_subject" {
  command = plan
  variables {
    trust = [{
      Principal = { Federated = "arn:aws:iam::123456789012:oidc-provider/token.actions.githubusercontent.com" }
      Action    = "sts:AssumeRoleWithWebIdentity"
      Condition = { StringEquals = { "token.actions.githubusercontent.com:aud" = ["sts.amazonaws.com"] } }
    }]
  }
  expect_failures = [var.trust]
}

run "refuses_github_without_audience" {
  command = plan
  variables {
    trust = [{
      Principal = { Federated = "arn:aws:iam::123456789012:oidc-provider/token.actions.githubusercontent.com" }
      Action    = "sts:AssumeRoleWithWebIdentity"
      Condition = { StringEquals = { "token.actions.githubusercontent.com:sub" = ["repo:owner/name:environment:prod"] } }
    }]
  }
  expect_failures = [var.trust]
}

run "refuses_a_subject_with_a_wildcard" {
  command = plan
  variables {
    trust = [{
      Principal = { Federated = "arn:aws:iam::123456789012:oidc-provider/token.actions.githubusercontent.com" }
      Action    = "sts:AssumeRoleWithWebIdentity"
      Condition = { StringEquals = {
        "token.actions.githubusercontent.com:aud" = ["sts.amazonaws.com"]
        "token.actions.githubusercontent.com:sub" = ["repo:owner/*:environment:prod"]
      } }
    }]
  }
  expect_failures = [var.trust]
}

run "refuses_a_subject_that_is_like_another" {
  command = plan
  variables {
    trust = [{
      Principal = { Federated = "arn:aws:iam::123456789012:oidc-provider/token.actions.githubusercontent.com" }
      Action    = "sts:AssumeRoleWithWebIdentity"
      Condition = {
        StringEquals = { "token.actions.githubusercontent.com:aud" = ["sts.amazonaws.com"] }
        StringLike   = { "token.actions.githubusercontent.com:sub" = ["repo:owner/name:environment:prod"] }
      }
    }]
  }
  expect_failures = [var.trust]
}
