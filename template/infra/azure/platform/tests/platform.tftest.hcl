# The template's: `copier update` renews this file.
mock_provider "azurerm" {
  mock_data "azurerm_client_config" {
    defaults = {
      tenant_id       = "99999999-2222-3333-4444-555555555555"
      subscription_id = "11111111-2222-3333-4444-555555555555"
      object_id       = "88888888-2222-3333-4444-555555555555"
    }
  }
  mock_resource "azurerm_storage_account" {
    defaults = { id = "/subscriptions/11111111-2222-3333-4444-555555555555/resourceGroups/g/providers/Microsoft.Storage/storageAccounts/account" }
  }
  mock_resource "azurerm_machine_learning_workspace" {
    defaults = { id = "/subscriptions/11111111-2222-3333-4444-555555555555/resourceGroups/g/providers/Microsoft.MachineLearningServices/workspaces/name" }
  }
  mock_resource "azurerm_key_vault" {
    defaults = { id = "/subscriptions/11111111-2222-3333-4444-555555555555/resourceGroups/g/providers/Microsoft.KeyVault/vaults/vault" }
  }
  mock_resource "azurerm_log_analytics_workspace" {
    defaults = { id = "/subscriptions/11111111-2222-3333-4444-555555555555/resourceGroups/g/providers/Microsoft.OperationalInsights/workspaces/name" }
  }
  mock_resource "azurerm_application_insights" {
    defaults = { id = "/subscriptions/11111111-2222-3333-4444-555555555555/resourceGroups/g/providers/Microsoft.Insights/components/name", connection_string = "InstrumentationKey=1" }
  }
  mock_resource "azurerm_container_registry" {
    defaults = { id = "/subscriptions/11111111-2222-3333-4444-555555555555/resourceGroups/g/providers/Microsoft.ContainerRegistry/registries/images", login_server = "images.azurecr.io" }
  }
  mock_data "azurerm_user_assigned_identity" {
    defaults = { id = "/subscriptions/11111111-2222-3333-4444-555555555555/resourceGroups/g/providers/Microsoft.ManagedIdentity/userAssignedIdentities/name", client_id = "66666666-2222-3333-4444-555555555555", principal_id = "77777777-2222-3333-4444-555555555555" }
  }
}

mock_provider "azapi" {
  mock_resource "azapi_resource" {
    defaults = { id = "/subscriptions/11111111-2222-3333-4444-555555555555/resourceGroups/g/providers/Microsoft.MachineLearningServices/registries/name" }
  }
}

variables {
  tracking  = { use = "create" }
  images    = { use = "create" }
  registry  = { use = "create" }
  network   = { use = "none" }
  keep_data = false
}

run "makes_each_part" {
  assert {
    condition = jsonencode(output.settings) == jsonencode({
      pipeline_repository   = "images.azurecr.io/${var.project}/pipeline"
      serving_repository    = "images.azurecr.io/${var.project}/serving"
      container_registry_id = "/subscriptions/11111111-2222-3333-4444-555555555555/resourceGroups/g/providers/Microsoft.ContainerRegistry/registries/images"
      tracking_uri          = "azureml://${var.location}.api.azureml.ms/mlflow/v1.0/subscriptions/11111111-2222-3333-4444-555555555555/resourceGroups/g/providers/Microsoft.MachineLearningServices/workspaces/name"
      tracking_storage_id   = "/subscriptions/11111111-2222-3333-4444-555555555555/resourceGroups/g/providers/Microsoft.Storage/storageAccounts/account"
      registry              = local.registry_name
      network               = { private = false, subnet_id = null }
    })
    error_message = "project/ does not get what it takes."
  }
}

run "keeps_images_to_identities" {
  assert {
    condition     = !azurerm_container_registry.this[0].admin_enabled && !azurerm_container_registry.this[0].anonymous_pull_enabled
    error_message = "Images are pulled or pushed without an identity."
  }
}

run "has_two_locations" {
  assert {
    condition     = [for copy in azurerm_container_registry.this[0].georeplications : copy.location] == [var.recovery_location]
    error_message = "Images have no copy in the recovery location."
  }
  assert {
    condition     = [for region in azapi_resource.registry[0].body.properties.regionDetails : region.location] == [var.location, var.recovery_location]
    error_message = "The registry has no copy in the recovery location."
  }
  assert {
    condition     = alltrue([for region in azapi_resource.registry[0].body.properties.regionDetails : !region.storageAccountDetails[0].systemCreatedStorageAccount.allowBlobPublicAccess])
    error_message = "What the registry keeps can be made public."
  }
  assert {
    condition     = module.tracking[0].copied
    error_message = "Artifacts have no copy in another location."
  }
}

run "refuses_a_copy_in_the_same_location" {
  command = plan
  variables {
    location          = "westeurope"
    recovery_location = "westeurope"
  }
  expect_failures = [terraform_data.locations]
}

run "gives_each_identity_what_it_needs" {
  assert {
    condition = {
      for key, role in azurerm_role_assignment.this : key => role.role_definition_name if startswith(key, "dev-")
      } == {
      dev-jobs-images    = "AcrPull", dev-endpoint-images = "AcrPull", dev-train-images = "AcrPush", dev-deploy-images = "AcrPull"
      dev-train-settings = "Reader", dev-deploy-settings = "Reader"
      dev-jobs-tracking  = "AzureML Data Scientist", dev-train-tracking = "AzureML Data Scientist", dev-deploy-tracking = "AzureML Data Scientist"
      dev-jobs-artifacts = "Storage Blob Data Contributor", dev-train-artifacts = "Storage Blob Data Contributor", dev-deploy-artifacts = "Storage Blob Data Reader"
      dev-jobs-registry  = "AzureML Registry User", dev-endpoint-registry = "AzureML Registry User", dev-train-registry = "AzureML Registry User", dev-deploy-registry = "AzureML Registry User"
    }
    error_message = "An identity may do more, or less, with what is shared."
  }
}

run "takes_what_is_there" {
  variables {
    tracking = { use = "existing", workspace_id = "/subscriptions/11111111-2222-3333-4444-555555555555/resourceGroups/g/providers/Microsoft.MachineLearningServices/workspaces/theirs", storage_account_id = "/subscriptions/11111111-2222-3333-4444-555555555555/resourceGroups/g/providers/Microsoft.Storage/storageAccounts/theirs", location = "westeurope" }
    images   = { use = "existing", id = "/subscriptions/11111111-2222-3333-4444-555555555555/resourceGroups/g/providers/Microsoft.ContainerRegistry/registries/theirs", server = "theirs.azurecr.io" }
    registry = { use = "existing", id = "/subscriptions/11111111-2222-3333-4444-555555555555/resourceGroups/g/providers/Microsoft.MachineLearningServices/registries/theirs" }
    network  = { use = "existing", subnet_id = "/subscriptions/11111111-2222-3333-4444-555555555555/resourceGroups/g/providers/Microsoft.Network/virtualNetworks/v/subnets/jobs" }
  }
  assert {
    condition     = length(module.tracking) + length(azurerm_container_registry.this) + length(azapi_resource.registry) == 0
    error_message = "Something is made, and paid for, that is there already."
  }
  assert {
    condition = jsonencode(output.settings) == jsonencode({
      pipeline_repository   = "theirs.azurecr.io/${var.project}/pipeline"
      serving_repository    = "theirs.azurecr.io/${var.project}/serving"
      container_registry_id = "/subscriptions/11111111-2222-3333-4444-555555555555/resourceGroups/g/providers/Microsoft.ContainerRegistry/registries/theirs"
      tracking_uri          = "azureml://westeurope.api.azureml.ms/mlflow/v1.0/subscriptions/11111111-2222-3333-4444-555555555555/resourceGroups/g/providers/Microsoft.MachineLearningServices/workspaces/theirs"
      tracking_storage_id   = "/subscriptions/11111111-2222-3333-4444-555555555555/resourceGroups/g/providers/Microsoft.Storage/storageAccounts/theirs"
      registry              = "theirs"
      network               = { private = false, subnet_id = "/subscriptions/11111111-2222-3333-4444-555555555555/resourceGroups/g/providers/Microsoft.Network/virtualNetworks/v/subnets/jobs" }
    })
    error_message = "project/ does not get what there is."
  }
}

run "needs_no_registry" {
  variables {
    registry = { use = "none" }
    network  = { use = "create" }
  }
  assert {
    condition     = output.settings.registry == null && output.settings.network.private && length([for key in keys(azurerm_role_assignment.this) : key if endswith(key, "-registry")]) == 0
    error_message = "Without a registry, something still asks for one."
  }
}

run "names_what_there_is" {
  command = plan
  variables {
    tracking = { use = "existing" }
    images   = { use = "existing" }
    registry = { use = "existing" }
    network  = { use = "existing" }
  }
  expect_failures = [var.tracking, var.images, var.registry, var.network]
}

run "tags_everything" {
  variables {
    tags = { cost-center = "42", project = "another" }
  }
  assert {
    condition     = azurerm_container_registry.this[0].tags["project"] == var.project && local.tags["environment"] == "shared" && local.tags["owner"] == var.owner_email && local.tags["cost-center"] == "42"
    error_message = "The bill cannot be split by project, environment and owner."
  }
}
