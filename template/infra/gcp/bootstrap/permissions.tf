# The template's: `copier update` renews this file.
# What each may do, permission by permission; no role of Google's that is there for many purposes. Vertex AI knows no resource by name
# when it asks for a permission, so these hold in the whole project: environments that must not reach each other have one each.
locals {
  short_id = replace(local.short, "-", "_")
  roles    = { for name, each in google_project_iam_custom_role.this : name => "projects/${each.project}/roles/${each.role_id}" }

  # Of what project/ makes.
  kinds = {
    "cloudkms.cryptoKeys"                 = ["create", "update", "setIamPolicy"]
    "cloudkms.keyRings"                   = ["create"]
    "compute.backendServices"             = ["create", "update", "delete", "use"]
    "compute.globalAddresses"             = ["create", "delete", "use", "setLabels"]
    "compute.globalForwardingRules"       = ["create", "update", "delete", "setLabels"]
    "compute.regionNetworkEndpointGroups" = ["create", "delete", "use"]
    "compute.sslCertificates"             = ["create", "delete"]
    "compute.sslPolicies"                 = ["create", "update", "delete", "use"]
    "compute.targetHttpsProxies"          = ["create", "update", "delete", "use"]
    "compute.urlMaps"                     = ["create", "update", "delete", "use"]
    "eventarc.triggers"                   = ["create", "update", "delete"]
    "logging.notificationRules"           = ["create", "update", "delete"]
    "monitoring.alertPolicies"            = ["create", "update", "delete"]
    "monitoring.dashboards"               = ["create", "update", "delete"]
    "monitoring.notificationChannels"     = ["create", "update", "delete"]
    "pubsub.topics"                       = ["create", "update", "delete", "setIamPolicy"]
    "run.services"                        = ["create", "update", "delete", "setIamPolicy"]
    "storage.buckets"                     = ["create"]
    "workflows.workflows"                 = ["create", "update", "delete"]
  }
  guarded = ["cloudkms.cryptoKeys", "pubsub.topics", "run.services", "storage.buckets"] # whose policy is read, too
  waited  = ["compute.globalOperations", "compute.regionOperations", "eventarc.operations", "run.operations", "workflows.operations"]

  models = [for verb in ["get", "list", "update", "upload"] : "aiplatform.models.${verb}"]
  publish = concat(
    ["monitoring.timeSeries.create", "monitoring.metricDescriptors.create"],
    flatten([for kind in ["metricDescriptors", "monitoredResourceDescriptors"] : [for verb in ["get", "list"] : "monitoring.${kind}.${verb}"]]),
  )

  permissions = {
    plan = concat(
      ["resourcemanager.projects.get", "storage.buckets.list", "monitoring.metricDescriptors.get", "monitoring.metricDescriptors.list"],
      [for kind in keys(local.kinds) : "${kind}.get"],
      [for kind in local.guarded : "${kind}.getIamPolicy"],
      [for kind in local.waited : "${kind}.get"],
    )
    apply = concat(
      flatten([for kind, verbs in local.kinds : [for verb in verbs : "${kind}.${verb}"]]),
      ["cloudkms.cryptoKeyVersions.destroy", "cloudkms.cryptoKeyVersions.get", "cloudkms.cryptoKeyVersions.list"],
    )
    # Of the environment's buckets, all but to read what lies in them; to take it away, for `destroy` when told.
    buckets = ["storage.buckets.delete", "storage.buckets.setIamPolicy", "storage.buckets.update", "storage.objects.delete", "storage.objects.list"]
    # Of one bucket, given there: a listing names no object, so no prefix can narrow it.
    look = ["storage.buckets.get", "storage.objects.list"]

    train = concat(
      local.models, local.publish,
      [for verb in ["cancel", "create", "get", "list"] : "aiplatform.pipelineJobs.${verb}"],
      [for verb in ["create", "delete", "get", "list", "update"] : "aiplatform.schedules.${verb}"],
      ["aiplatform.customJobs.get", "aiplatform.customJobs.list", "aiplatform.endpoints.get", "aiplatform.endpoints.list"],
      ["logging.logEntries.list", "monitoring.timeSeries.list", "resourcemanager.projects.get"],
    )
    deploy = concat(
      local.models,
      [for verb in ["create", "delete", "deploy", "get", "list", "predict", "undeploy", "update"] : "aiplatform.endpoints.${verb}"],
      ["aiplatform.models.delete", "aiplatform.operations.list", "logging.logEntries.list", "monitoring.timeSeries.list", "resourcemanager.projects.get"],
    )
    jobs = concat(
      local.models, local.publish,
      [for verb in ["cancel", "create", "get", "list"] : "aiplatform.customJobs.${verb}"],
      # What Vertex AI notes of each step, as whoever runs it.
      flatten([for kind in ["artifacts", "contexts", "executions"] : [for verb in ["create", "get", "list", "update"] : "aiplatform.${kind}.${verb}"]]),
      ["aiplatform.contexts.addContextArtifactsAndExecutions", "aiplatform.contexts.addContextChildren", "aiplatform.executions.addExecutionEvents"],
      ["aiplatform.executions.queryExecutionInputsAndOutputs", "aiplatform.metadataSchemas.get", "aiplatform.metadataStores.get"],
      ["aiplatform.pipelineJobs.get", "logging.logEntries.create"],
    )
    endpoint = ["logging.logEntries.create", "monitoring.timeSeries.create"]
    retrain  = ["aiplatform.pipelineJobs.create", "logging.logEntries.create", "workflows.executions.create"]
  }
}

resource "google_project_iam_custom_role" "this" {
  for_each    = local.permissions
  project     = var.project_id
  role_id     = "${local.short_id}_${each.key}"
  title       = "${local.short} ${each.key}"
  description = "Of infra/gcp/bootstrap"
  permissions = each.value
  depends_on  = [google_project_service.this]
}
