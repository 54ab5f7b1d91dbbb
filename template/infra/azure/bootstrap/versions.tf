# The template's: `copier update` renews this file.
# Once a subscription, by a person who owns it. The state lies beside these files until there is a container for it: README.md.
terraform {
  required_version = ">= 1.10.0"
  required_providers {
    azurerm = {
      source  = "hashicorp/azurerm"
      version = "~> 5.0"
    }
  }
}

provider "azurerm" {
  storage_use_azuread             = true # no account here has keys
  resource_provider_registrations = "none"
  resource_providers_to_register = [
    "Microsoft.AlertsManagement", "Microsoft.Cdn", "Microsoft.Consumption", "Microsoft.ContainerRegistry", "Microsoft.DataProtection",
    "Microsoft.Insights", "Microsoft.KeyVault", "Microsoft.MachineLearningServices", "Microsoft.ManagedIdentity", "Microsoft.Network",
    "Microsoft.Notebooks", "Microsoft.OperationalInsights", "Microsoft.PolicyInsights", "Microsoft.Storage",
  ]
  features {}
}

data "azurerm_client_config" "current" {}

locals {
  subscription = "/subscriptions/${data.azurerm_client_config.current.subscription_id}"
  # Some names are unique in the world and short: the project's first letters, what it is, and where and whose.
  short  = substr(replace(var.project, "-", ""), 0, 10)
  unique = substr(sha1("${local.subscription}/${var.project}/ci"), 0, 8)
  # What the bill is split by.
  tags = merge(var.tags, {
    project     = var.project
    environment = "shared"
    owner       = var.owner_email
    managed-by  = "infra/azure/bootstrap"
  })
}
