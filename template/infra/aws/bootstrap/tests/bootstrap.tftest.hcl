# The template's: `copier update` renews this file.
mock_provider "aws" {
  mock_data "aws_caller_identity" {
    defaults = { account_id = "123456789012" }
  }
  mock_data "aws_partition" {
    defaults = { partition = "aws" }
  }
  mock_resource "aws_iam_policy" {
    defaults = { arn = "arn:aws:iam::123456789012:policy/boundary" }
  }
  mock_resource "aws_iam_openid_connect_provider" {
    defaults = { arn = "arn:aws:iam::123456789012:oidc-provider/token.actions.githubusercontent.com" }
  }
  mock_resource "aws_kms_key" {
    defaults = { arn = "arn:aws:kms:us-east-1:123456789012:key/11111111-2222-3333-4444-555555555555" }
  }
}

variables {
  github_repository = "owner/name"
  environments      = ["dev", "staging", "prod"]
}

run "trusts_one_job_of_one_repository" {
  assert {
    condition = alltrue([
      for name in ["dev", "staging", "prod"] : alltrue([
        for role, trust in { apply = module.apply[name].trust, train = module.train[name].trust, deploy = module.deploy[name].trust } :
        jsondecode(trust).Statement == [{
          Effect    = "Allow"
          Principal = { Federated = "arn:aws:iam::123456789012:oidc-provider/token.actions.githubusercontent.com" }
          Action    = "sts:AssumeRoleWithWebIdentity"
          Condition = { StringEquals = {
            "token.actions.githubusercontent.com:aud" = ["sts.amazonaws.com"]
            "token.actions.githubusercontent.com:sub" = [
              for place in role == "train" && name == "prod" ? [name, "train"] : [name] : "repo:owner/name:environment:${place}"
            ]
          } }
        }]
      ])
    ])
    error_message = "A role trusts more than the jobs of its environment."
  }
  assert {
    condition = toset(flatten([
      for statement in jsondecode(module.plan.trust).Statement : statement.Condition.StringEquals["token.actions.githubusercontent.com:sub"]
      ])) == toset([
      "repo:owner/name:pull_request", "repo:owner/name:ref:refs/heads/main",
      "repo:owner/name:environment:dev", "repo:owner/name:environment:staging", "repo:owner/name:environment:prod",
    ])
    error_message = "Others than pull requests, the main branch and the environments can plan."
  }
  assert {
    condition     = aws_iam_openid_connect_provider.github[0].client_id_list == toset(["sts.amazonaws.com"])
    error_message = "The identity provider has no audience."
  }
}

run "names_a_repository" {
  command = plan
  variables {
    github_repository = "owner/*"
  }
  expect_failures = [var.github_repository]
}

run "takes_the_provider_that_is_there" {
  variables {
    oidc_provider_arn = "arn:aws:iam::123456789012:oidc-provider/existing"
  }
  assert {
    condition = (
      length(aws_iam_openid_connect_provider.github) == 0 &&
      jsondecode(module.plan.trust).Statement[0].Principal.Federated == "arn:aws:iam::123456789012:oidc-provider/existing"
    )
    error_message = "A second identity provider is made."
  }
}

run "does_nothing_on_everything" {
  assert {
    condition = alltrue([
      for statement in flatten([
        for policy in concat(
          [aws_iam_policy.boundary.policy, module.plan.policy],
          [for name in ["dev", "staging", "prod"] : module.apply[name].policy],
          [for name in ["dev", "staging", "prod"] : module.train[name].policy],
          [for name in ["dev", "staging", "prod"] : module.deploy[name].policy],
        ) : jsondecode(policy).Statement
      ]) : !(contains(flatten([statement.Resource]), "*") && anytrue([for action in flatten([statement.Action]) : strcontains(action, "*")]))
    ])
    error_message = "A policy allows a wildcard of actions on everything."
  }
}

run "makes_no_role_without_the_boundary" {
  assert {
    condition = alltrue([
      for statement in jsondecode(module.apply["prod"].policy).Statement :
      try(statement.Condition.StringEquals["iam:PermissionsBoundary"], []) == [aws_iam_policy.boundary.arn]
      if length(setintersection(statement.Action, ["iam:CreateRole", "iam:PutRolePolicy", "iam:AttachRolePolicy", "iam:*"])) > 0
    ])
    error_message = "The role that applies can make a role that may do more than the boundary."
  }
  assert {
    condition = !anytrue([
      for action in flatten([for statement in jsondecode(module.apply["prod"].policy).Statement : statement.Action]) :
      contains(["iam:*", "iam:CreatePolicyVersion", "iam:SetDefaultPolicyVersion", "iam:DeleteRolePermissionsBoundary", "iam:CreateUser"], action)
    ])
    error_message = "The role that applies can change the boundary."
  }
  assert {
    condition = !anytrue([
      for statement in jsondecode(aws_iam_policy.boundary.policy).Statement : anytrue([
        for action in flatten([statement.Action]) : startswith(action, "iam:") && action != "iam:PassRole"
      ])
    ])
    error_message = "Within the boundary, roles can be changed."
  }
}

run "keeps_to_its_environment" {
  assert {
    condition     = !strcontains("${module.train["dev"].policy}${module.deploy["dev"].policy}", "${var.project}-prod")
    error_message = "The role that trains or deploys in dev reaches prod."
  }
  assert {
    condition = alltrue([
      for statement in jsondecode(module.apply["dev"].policy).Statement : !strcontains(jsonencode(statement.Resource), "${var.project}-prod")
      if anytrue([for action in statement.Action : can(regex(":(\\*|Put|Create|Delete|Update)", action))])
    ])
    error_message = "The role that applies dev can change something of prod."
  }
}

run "fits_into_what_iam_takes" {
  variables {
    zone_id = "Z0123456789ABCDEFGHIJ"
  }
  assert {
    condition = length(aws_iam_policy.boundary.policy) <= 6144 && max([
      for policy in [module.plan.policy, module.apply["staging"].policy, module.train["staging"].policy, module.deploy["staging"].policy] : length(policy)
    ]...) <= 10240
    error_message = "A policy is longer than IAM takes: 6144 characters, 10240 where it is a role's own."
  }
}

run "warns_of_money" {
  assert {
    condition     = aws_budgets_budget.monthly.limit_amount == tostring(var.monthly_budget) && aws_budgets_budget.monthly.time_unit == "MONTHLY"
    error_message = "There is no monthly budget."
  }
  assert {
    condition = toset([
      for notice in aws_budgets_budget.monthly.notification : "${notice.notification_type} ${notice.threshold}" if contains(notice.subscriber_email_addresses, var.owner_email)
    ]) == toset(["ACTUAL 80", "ACTUAL 100", "FORECASTED 100"])
    error_message = "The owner is not warned before the money is spent."
  }
}

run "has_a_budget" {
  command = plan
  variables {
    monthly_budget = 0
  }
  expect_failures = [var.monthly_budget]
}

run "keeps_states" {
  assert {
    condition     = output.backend == "bucket       = \"${var.project}-state-123456789012\"\nregion       = \"${var.region}\"\nkms_key_id   = \"${aws_kms_key.state.arn}\"\nencrypt      = true\nuse_lockfile = true\n"
    error_message = "The settings of the backend are not what platform/ and project/ need."
  }
  assert {
    condition     = aws_kms_key.state.enable_key_rotation
    error_message = "The key is never renewed."
  }
}

run "tags_everything" {
  assert {
    condition     = local.tags["project"] == var.project && local.tags["environment"] == "shared" && local.tags["owner"] != "" && local.tags["managed-by"] != ""
    error_message = "The bill cannot be split by project, environment and owner."
  }
}
