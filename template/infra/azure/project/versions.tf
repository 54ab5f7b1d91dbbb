# The template's: `copier update` renews this file.
terraform {
  required_version = ">= 1.10.0"
  required_providers {
    azurerm = {
      source  = "hashicorp/azurerm"
      version = "~> 5.0"
    }
  }
  # terraform init -backend-config=../backend.hcl -backend-config=key=project/dev.tfstate
  backend "azurerm" {}
}

provider "azurerm" {
  storage_use_azuread             = true # no account here has keys
  resource_provider_registrations = "none"
  features {}
}

data "azurerm_client_config" "current" {}

locals {
  name            = "${var.project}-${var.environment}"
  resource_group  = local.name # both of infra/azure/bootstrap
  recovery_group  = "${local.name}-recovery"
  subscription_id = data.azurerm_client_config.current.subscription_id
  # Some names are unique in the world and short: the project's first letters, what it is, and where and whose.
  short  = substr(replace(var.project, "-", ""), 0, 10)
  unique = substr(sha1("/subscriptions/${local.subscription_id}/${local.name}"), 0, 8)
  # As `mlops deploy` calls it, which makes it.
  endpoint  = length(local.name) <= 32 ? local.name : "${trimsuffix(substr(local.name, 0, 23), "-")}-${substr(sha256(jsonencode(local.name)), 0, 8)}"
  workspace = length(local.name) <= 33 ? local.name : "${substr(local.name, 0, 24)}-${local.unique}"
  # What the bill is split by.
  tags = merge(var.tags, {
    project     = var.project
    environment = var.environment
    owner       = var.owner_email
    managed-by  = "infra/azure/project"
  })

  # What a setting is where it is not said.
  deleted_days = coalesce(var.deleted_days, { dev = 7, staging = 30, prod = 90 }[var.environment])
  backup_days  = coalesce(var.backup_days, { dev = 0, staging = 0, prod = 30 }[var.environment])
  log_days     = coalesce(var.log_days, { dev = 14, staging = 30, prod = 90 }[var.environment])
}
