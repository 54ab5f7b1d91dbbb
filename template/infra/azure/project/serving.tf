# The template's: `copier update` renews this file.
# What stands beside the endpoints. They come into being by the first `mlops deploy`; nothing here needs a model.
module "endpoint" {
  count             = var.endpoint_alerts ? 1 : 0
  source            = "../modules/endpoint"
  name              = local.name
  endpoint          = local.endpoint
  workspace_id      = module.workspace.id
  resource_group    = local.resource_group
  logs_id           = module.workspace.logs_id
  action_group_id   = azurerm_monitor_action_group.owner.id
  errors_per_minute = var.errors_per_minute
  latency_ms        = var.latency_ms
  tags              = local.tags
}

module "recovery_endpoint" {
  count             = var.endpoint_alerts && var.recovery_endpoint ? 1 : 0
  source            = "../modules/endpoint"
  name              = local.name
  endpoint          = local.endpoint
  workspace_id      = module.recovery_workspace[0].id
  resource_group    = local.recovery_group
  logs_id           = module.recovery_workspace[0].logs_id
  action_group_id   = azurerm_monitor_action_group.owner.id
  errors_per_minute = var.errors_per_minute
  latency_ms        = var.latency_ms
  tags              = local.tags
}

# One name before both endpoints. A caller's token holds in each of them; requests go to the second when the first is gone.
resource "azurerm_cdn_frontdoor_profile" "this" {
  count                    = var.front_door == null ? 0 : 1
  name                     = local.name
  resource_group_name      = local.resource_group
  sku_name                 = "Standard_AzureFrontDoor"
  response_timeout_seconds = 60
  tags                     = local.tags

  lifecycle {
    precondition {
      condition     = var.recovery_endpoint
      error_message = "front_door needs recovery_endpoint = true: a name that leads to two locations needs an endpoint in each."
    }
  }
}

resource "azurerm_cdn_frontdoor_endpoint" "this" {
  count                    = length(azurerm_cdn_frontdoor_profile.this)
  name                     = "${substr(local.name, 0, 37)}-${local.unique}"
  cdn_frontdoor_profile_id = azurerm_cdn_frontdoor_profile.this[0].id
  tags                     = local.tags
}

resource "azurerm_cdn_frontdoor_origin_group" "this" {
  count                                                     = length(azurerm_cdn_frontdoor_profile.this)
  name                                                      = "endpoints"
  cdn_frontdoor_profile_id                                  = azurerm_cdn_frontdoor_profile.this[0].id
  session_affinity_enabled                                  = false
  restore_traffic_time_to_healed_or_new_endpoint_in_minutes = 5
  load_balancing {
    sample_size                 = 4
    successful_samples_required = 2
  }
  health_probe {
    protocol            = "Https"
    request_type        = "GET"
    path                = var.front_door.probe_path
    interval_in_seconds = 100
  }
}

resource "azurerm_cdn_frontdoor_origin" "this" {
  for_each                       = var.front_door == null ? {} : { first = var.location, second = var.recovery_location }
  name                           = each.key
  cdn_frontdoor_origin_group_id  = azurerm_cdn_frontdoor_origin_group.this[0].id
  host_name                      = "${local.endpoint}.${each.value}.inference.ml.azure.com"
  origin_host_header             = "${local.endpoint}.${each.value}.inference.ml.azure.com"
  priority                       = each.key == "first" ? 1 : 2
  weight                         = 1000
  https_port                     = 443
  certificate_name_check_enabled = true
  enabled                        = true
}

resource "azurerm_cdn_frontdoor_route" "this" {
  count                         = length(azurerm_cdn_frontdoor_profile.this)
  name                          = "endpoints"
  cdn_frontdoor_endpoint_id     = azurerm_cdn_frontdoor_endpoint.this[0].id
  cdn_frontdoor_origin_group_id = azurerm_cdn_frontdoor_origin_group.this[0].id
  cdn_frontdoor_origin_ids      = [for origin in azurerm_cdn_frontdoor_origin.this : origin.id]
  patterns_to_match             = ["/*"]
  supported_protocols           = ["Https"]
  forwarding_protocol           = "HttpsOnly"
  https_redirect_enabled        = false
  link_to_default_domain        = true
}
