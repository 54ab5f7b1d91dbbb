# The template's: `copier update` renews this file.
mock_provider "google" {
  mock_data "google_project" {
    defaults = { number = "123456789012", billing_account = "0A0A0A-0A0A0A-0A0A0A" }
  }
  mock_resource "google_service_account" {
    defaults = { name = "projects/made-up-project/serviceAccounts/account", email = "account@made-up-project.iam.gserviceaccount.com", member = "serviceAccount:account@made-up-project.iam.gserviceaccount.com" }
  }
  mock_resource "google_iam_workload_identity_pool" {
    defaults = { name = "projects/123456789012/locations/global/workloadIdentityPools/github" }
  }
  mock_resource "google_monitoring_notification_channel" {
    defaults = { id = "projects/made-up-project/notificationChannels/1" }
  }
}

variables {
  project_id        = "made-up-project"
  github_repository = "owner/name"
  environments      = ["dev", "staging", "prod"]
  keep_data         = false
}

run "trusts_one_repository" {
  assert {
    condition     = google_iam_workload_identity_pool_provider.github.attribute_condition == "assertion.repository == 'owner/name' && assertion.sub.startsWith('repo:owner/name:')"
    error_message = "The pool takes tokens of other repositories."
  }
  assert {
    condition = (
      google_iam_workload_identity_pool_provider.github.oidc[0].issuer_uri == "https://token.actions.githubusercontent.com" &&
      google_iam_workload_identity_pool_provider.github.attribute_mapping["google.subject"] == "assertion.sub"
    )
    error_message = "Tokens of another issuer are taken, or whose they are is not looked at."
  }
}

run "trusts_one_job" {
  command = plan # of what is there already
  assert {
    condition = alltrue([
      for name in ["dev", "staging", "prod"] : alltrue([
        for who, tokens in { apply = module.apply[name].tokens, train = module.train[name].tokens, deploy = module.deploy[name].tokens } :
        toset([for each in tokens : split("/subject/", each)[1]]) == toset([
          for place in who == "train" && name == "prod" ? [name, "train"] : [name] : "repo:owner/name:environment:${place}"
        ])
      ])
    ])
    error_message = "An account trusts more than the jobs of its environment."
  }
  assert {
    condition = toset([for each in module.plan.tokens : split("/subject/", each)[1]]) == toset([
      "repo:owner/name:pull_request", "repo:owner/name:ref:refs/heads/main",
      "repo:owner/name:environment:dev", "repo:owner/name:environment:staging", "repo:owner/name:environment:prod",
    ])
    error_message = "Others than pull requests, the main branch and the environments can plan."
  }
  assert {
    condition     = alltrue([for each in [module.jobs, module.endpoint, module.retrain, module.front] : alltrue([for account in each : account.tokens == []])])
    error_message = "A workflow can become the account of jobs, of the endpoint or of what starts a retraining."
  }
}

run "knows_ids" {
  command = plan
  variables {
    github_repository    = "owner@1/name@2"
    github_repository_id = "2"
  }
  assert {
    condition     = google_iam_workload_identity_pool_provider.github.attribute_condition == "assertion.repository == 'owner/name' && assertion.sub.startsWith('repo:owner@1/name@2:') && assertion.repository_id == '2'"
    error_message = "Who takes the repository's name later is trusted."
  }
}

run "names_a_repository" {
  command = plan
  variables {
    github_repository = "owner/*"
  }
  expect_failures = [var.github_repository]
}

run "names_a_project" {
  command = plan
  variables {
    project_id = "123"
  }
  expect_failures = [var.project_id]
}

run "plans_without_changing" {
  command = plan # of what is there already
  assert {
    condition     = alltrue([for each in google_project_iam_custom_role.this["plan"].permissions : can(regex("[.](get|list|getIamPolicy)$", each))])
    error_message = "Who plans can change something."
  }
  assert {
    condition     = [for each in module.plan.roles : each.role] == ["projects/made-up-project/roles/${local.short_id}_plan"]
    error_message = "Who plans may do more than its role."
  }
}

run "keeps_to_its_environment" {
  command = plan # of what is there already
  assert {
    condition = alltrue([
      for name in ["dev", "staging", "prod"] : strcontains(module.apply[name].roles["buckets"].condition, "'projects/_/buckets/${var.project}-${name}-${local.unique}'")
    ])
    error_message = "The account that applies an environment can change the data of another."
  }
  assert {
    condition = alltrue([
      for name in ["dev", "staging", "prod"] : [for key, each in module.state.roles : each.condition if key == "${name}-write"] == ["resource.name.startsWith(\"projects/_/buckets/${module.state.name}/objects/project/${name}/\")"]
    ])
    error_message = "The account that applies an environment can write the state of another."
  }
  assert {
    condition = alltrue([
      for name in ["dev", "staging", "prod"] : module.jobs[name].users == ["retrain", "train"] && module.endpoint[name].users == ["deploy"] && module.retrain[name].users == ["apply"]
    ])
    error_message = "Somebody acts as an account that is not theirs to act as."
  }
  assert {
    condition = alltrue([
      for name in ["dev", "staging", "prod"] : alltrue([
        for account in [module.jobs[name], module.endpoint[name]] : account.roles["secrets"].condition == "resource.name.startsWith('projects/123456789012/secrets/${var.project}-${name}-')"
      ])
    ])
    error_message = "Jobs or the endpoint read secrets of another environment."
  }
}

run "gives_no_role" {
  command = plan # of what is there already
  assert {
    condition = alltrue(flatten([
      for name, role in google_project_iam_custom_role.this : [
        for each in role.permissions : !can(regex("^(iam|resourcemanager[.]projects[.]setIamPolicy)|[*]|getAccessToken|serviceAccountKeys", each))
      ]
    ]))
    error_message = "Somebody can give roles in the whole project, or become another account."
  }
  assert {
    condition = alltrue(flatten([
      for name in ["jobs", "train", "deploy", "endpoint", "retrain"] : [for each in google_project_iam_custom_role.this[name].permissions : !endswith(each, "setIamPolicy") && !startswith(each, "storage.")]
    ]))
    error_message = "What runs reaches data of all environments, or gives it to others."
  }
}

run "warns_of_money" {
  command = plan # of what is there already
  assert {
    condition = (
      google_billing_budget.monthly.amount[0].specified_amount[0].units == tostring(var.monthly_budget) && google_billing_budget.monthly.budget_filter[0].calendar_period == "MONTH" &&
      google_billing_budget.monthly.budget_filter[0].projects == toset(["projects/123456789012"])
    )
    error_message = "There is no monthly budget."
  }
  assert {
    condition = toset([for rule in google_billing_budget.monthly.threshold_rules : "${rule.spend_basis} ${rule.threshold_percent}"]) == toset([
      "CURRENT_SPEND 0.8", "CURRENT_SPEND 1", "FORECASTED_SPEND 1",
    ])
    error_message = "The owner is not warned before the money is spent."
  }
  assert {
    condition = (
      google_billing_budget.monthly.all_updates_rule[0].monitoring_notification_channels == tolist([google_monitoring_notification_channel.owner.id]) &&
      google_monitoring_notification_channel.owner.labels["email_address"] == var.owner_email
    )
    error_message = "The owner does not hear of the budget."
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
  command = plan # of what is there already
  assert {
    condition     = output.backend == "bucket = \"${var.project}-state-${local.unique}\"\n"
    error_message = "The settings of the backend are not what platform/ and project/ need."
  }
  assert {
    condition     = toset(module.state.regions) == toset([var.region, var.recovery_region]) && module.state.deleted_days == 365
    error_message = "States have no copy in another region, or what was overwritten is lost."
  }
}

run "encrypts_states_when_told" {
  command = plan
  variables {
    kms_key = "projects/made-up-project/locations/us/keyRings/k/cryptoKeys/k"
  }
  assert {
    condition     = module.state.kms_key == var.kms_key
    error_message = "States are not encrypted by the key that was named."
  }
}

run "has_the_metric_that_alerts_look_at" {
  command = plan # of what is there already
  assert {
    condition     = google_monitoring_metric_descriptor.act.type == "custom.googleapis.com/mlops/Act" && toset([for label in google_monitoring_metric_descriptor.act.labels : label.key]) == toset(["project", "environment"])
    error_message = "The alert of project/ finds no metric, or cannot tell environments apart."
  }
}

run "labels_everything" {
  command = plan
  variables {
    labels = { cost-center = "42", project = "another" }
  }
  assert {
    condition     = local.labels["project"] == var.project && local.labels["environment"] == "shared" && local.labels["cost-center"] == "42" && can(regex("^[a-z0-9_-]{1,63}$", local.labels["owner"]))
    error_message = "The bill cannot be split by project, environment and owner."
  }
  assert {
    condition     = google_monitoring_notification_channel.owner.user_labels == tomap(local.labels)
    error_message = "A channel has no labels."
  }
}
