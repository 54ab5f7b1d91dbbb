# The template's: `copier update` renews this file.
# Keys of one's own, where they are asked for: one for Vertex AI in each region that serves, one for the bucket on its continent.
locals {
  places = var.keys.use != "create" ? {} : merge(
    { main = var.region, data = coalesce(var.keys.data_location, split("-", var.region)[0]) },
    var.recovery_endpoint ? { recovery = var.recovery_region } : {},
  )
  keys = {
    main     = var.keys.use == "create" ? module.key["main"].id : var.keys.main
    data     = var.keys.use == "create" ? module.key["data"].id : var.keys.data
    recovery = var.keys.use == "create" ? one([for name, key in module.key : key.id if name == "recovery"]) : var.keys.recovery
  }
  # Service agents of Google, which encrypt for us.
  agents = {
    main     = ["gcp-sa-aiplatform", "gcp-sa-pubsub", "gcp-sa-workflows"]
    data     = ["gs-project-accounts"]
    recovery = ["gcp-sa-aiplatform"]
  }
}

module "key" {
  for_each   = local.places
  source     = "../modules/key"
  project_id = var.project_id
  name       = coalesce(var.keys.name, local.name)
  location   = each.value
  labels     = local.labels
  users      = { for agent in local.agents[each.key] : agent => "serviceAccount:service-${local.number}@${agent}.iam.gserviceaccount.com" }
}
