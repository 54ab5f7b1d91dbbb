# The template's: `copier update` renews this file.
# Who there is: workflows that plan, apply, train and deploy; jobs, the endpoint, what starts a retraining, what leads to endpoints in
# two regions. The last four no token of GitHub becomes. What they may do in this project stands here; with buckets and images, platform/ and project/ say.
locals {
  # What the environment names as a reference is fetched in the container, by its account.
  secrets = { for name in var.environments : name => {
    role      = "roles/secretmanager.secretAccessor"
    condition = "resource.name.startsWith('projects/${local.number}/secrets/${var.project}-${name}-')"
  } }

  subjects = {
    plan = concat(
      [for subject in var.plan_from : "repo:${var.github_repository}:${subject}"],
      [for name in var.environments : "repo:${var.github_repository}:environment:${name}"],
    )
    apply  = { for name in var.environments : name => ["repo:${var.github_repository}:environment:${name}"] }
    train  = { for name in var.environments : name => [for place in name == var.train_for ? [name, "train"] : [name] : "repo:${var.github_repository}:environment:${place}"] }
    deploy = { for name in var.environments : name => ["repo:${var.github_repository}:environment:${name}"] }
  }
}

module "plan" {
  source     = "../modules/account"
  project_id = var.project_id
  name       = "${local.short}-plan"
  purpose    = "Reads what there is, to plan a change of the infrastructure"
  pool       = google_iam_workload_identity_pool.github.name
  subjects   = local.subjects.plan
  roles      = { plan = { role = local.roles["plan"] } }
  depends_on = [google_project_service.this]
}

module "apply" {
  for_each   = var.environments
  source     = "../modules/account"
  project_id = var.project_id
  name       = "${local.short}-${each.key}-apply"
  purpose    = "Changes the infrastructure of ${each.key}"
  pool       = google_iam_workload_identity_pool.github.name
  subjects   = local.subjects.apply[each.key]
  roles = {
    plan    = { role = local.roles["plan"] }
    apply   = { role = local.roles["apply"] }
    buckets = { role = local.roles["buckets"], condition = "resource.name.startsWith('projects/_/buckets/${var.project}-${each.key}-${local.unique}')" }
  }
  depends_on = [google_project_service.this]
}

module "train" {
  for_each   = var.environments
  source     = "../modules/account"
  project_id = var.project_id
  name       = "${local.short}-${each.key}-train"
  purpose    = "Pushes images, starts pipelines of ${each.key} and watches its champion"
  pool       = google_iam_workload_identity_pool.github.name
  subjects   = local.subjects.train[each.key]
  roles      = { train = { role = local.roles["train"] } }
  depends_on = [google_project_service.this]
}

module "deploy" {
  for_each   = var.environments
  source     = "../modules/account"
  project_id = var.project_id
  name       = "${local.short}-${each.key}-deploy"
  purpose    = "Changes what the endpoint of ${each.key} serves"
  pool       = google_iam_workload_identity_pool.github.name
  subjects   = local.subjects.deploy[each.key]
  roles      = { deploy = { role = local.roles["deploy"] } }
  depends_on = [google_project_service.this]
}

module "retrain" {
  for_each   = var.environments
  source     = "../modules/account"
  project_id = var.project_id
  name       = "${local.short}-${each.key}-retrain"
  purpose    = "Starts the pipeline of ${each.key} when the monitor says so"
  roles      = { retrain = { role = local.roles["retrain"] }, events = { role = "roles/eventarc.eventReceiver" } }
  users      = { apply = module.apply[each.key].member } # which makes the workflow that runs as it
  depends_on = [google_project_service.this]
}

module "jobs" {
  for_each   = var.environments
  source     = "../modules/account"
  project_id = var.project_id
  name       = "${local.short}-${each.key}-jobs"
  purpose    = "Jobs of ${each.key} run as this"
  roles      = { jobs = { role = local.roles["jobs"] }, secrets = local.secrets[each.key] }
  users      = { train = module.train[each.key].member, retrain = module.retrain[each.key].member }
  depends_on = [google_project_service.this]
}

# A step on machines that may be taken away, or on several, is a job that the pipeline's own starts.
resource "google_service_account_iam_member" "jobs_itself" {
  for_each           = var.environments
  service_account_id = "projects/${var.project_id}/serviceAccounts/${module.jobs[each.key].email}"
  role               = "roles/iam.serviceAccountUser"
  member             = module.jobs[each.key].member
}

module "endpoint" {
  for_each   = var.environments
  source     = "../modules/account"
  project_id = var.project_id
  name       = "${local.short}-${each.key}-endpoint"
  purpose    = "The endpoint of ${each.key} runs as this"
  roles      = { endpoint = { role = local.roles["endpoint"] }, secrets = local.secrets[each.key] }
  users      = { deploy = module.deploy[each.key].member }
  depends_on = [google_project_service.this]
}

# Behind the one name before two endpoints, where there is one. It may do nothing: callers bring their own tokens.
module "front" {
  for_each   = var.environments
  source     = "../modules/account"
  project_id = var.project_id
  name       = "${local.short}-${each.key}-front"
  purpose    = "Leads to the endpoints of ${each.key}, and may do nothing"
  users      = { apply = module.apply[each.key].member }
  depends_on = [google_project_service.this]
}
