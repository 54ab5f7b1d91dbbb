# The template's: `copier update` renews this file.
# Once an organisation: what its projects share. Each part is made here, or is what there is already.
terraform {
  required_version = ">= 1.10.0"
  required_providers {
    azurerm = {
      source  = "hashicorp/azurerm"
      version = "~> 5.0"
    }
    # Registries of Azure Machine Learning: azurerm has none.
    azapi = {
      source  = "azure/azapi"
      version = "~> 2.0"
    }
  }
  # terraform init -backend-config=../backend.hcl -backend-config=key=platform.tfstate
  backend "azurerm" {}
}

provider "azurerm" {
  storage_use_azuread             = true # no account here has keys
  resource_provider_registrations = "none"
  features {}
}

provider "azapi" {}

data "azurerm_client_config" "current" {}

locals {
  name           = "${var.project}-shared"
  resource_group = local.name # of infra/azure/bootstrap
  subscription   = "/subscriptions/${data.azurerm_client_config.current.subscription_id}"
  # Some names are unique in the world and short: the project's first letters, what it is, and where and whose.
  short  = substr(replace(var.project, "-", ""), 0, 10)
  unique = substr(sha1("${local.subscription}/${local.name}"), 0, 8)
  # What the bill is split by.
  tags = merge(var.tags, {
    project     = var.project
    environment = "shared"
    owner       = var.owner_email
    managed-by  = "infra/azure/platform"
  })
}
