# The template's: `copier update` renews this file.
# Behind a switch: a name of one's own before the endpoint, in this region. Requests are signed as those to SageMaker are.
locals {
  api = var.api == null ? 0 : 1
}

data "aws_region" "current" {}

data "aws_partition" "current" {}

resource "aws_api_gateway_rest_api" "this" {
  count                        = local.api
  name                         = var.name
  description                  = "Passes requests on to the endpoint ${var.name}"
  disable_execute_api_endpoint = false # the health check asks it by its own name
  body = jsonencode({
    openapi = "3.0.1"
    info    = { title = var.name, version = "1" }
    paths = {
      "/invocations" = {
        post = {
          "x-amazon-apigateway-auth" = { type = "AWS_IAM" }
          responses                  = { for status in ["200", "400", "500"] : status => { description = status } }
          "x-amazon-apigateway-integration" = {
            type                = "aws"
            httpMethod          = "POST"
            uri                 = "arn:${data.aws_partition.current.partition}:apigateway:${data.aws_region.current.region}:runtime.sagemaker:path//endpoints/${var.name}/invocations"
            credentials         = var.api.role_arn
            passthroughBehavior = "when_no_match"
            requestParameters   = { "integration.request.header.Content-Type" = "method.request.header.Content-Type" }
            responses = {
              default   = { statusCode = "200" }
              "4\\d{2}" = { statusCode = "400" }
              "5\\d{2}" = { statusCode = "500" }
            }
          }
        }
      }
      "/ping" = {
        get = {
          responses = { "200" = { description = "The region answers." } }
          "x-amazon-apigateway-integration" = {
            type             = "mock"
            requestTemplates = { "application/json" = "{\"statusCode\": 200}" }
            responses        = { default = { statusCode = "200" } }
          }
        }
      }
    }
  })

  endpoint_configuration {
    types = ["REGIONAL"]
  }
  lifecycle {
    create_before_destroy = true
  }
}

resource "aws_api_gateway_deployment" "this" {
  count       = local.api
  rest_api_id = aws_api_gateway_rest_api.this[0].id
  triggers    = { body = sha256(aws_api_gateway_rest_api.this[0].body) }
  lifecycle {
    create_before_destroy = true
  }
}

resource "aws_api_gateway_stage" "this" {
  count                = local.api
  rest_api_id          = aws_api_gateway_rest_api.this[0].id
  deployment_id        = aws_api_gateway_deployment.this[0].id
  stage_name           = "live"
  xray_tracing_enabled = true
}

resource "aws_acm_certificate" "this" {
  count             = local.api
  domain_name       = var.api.domain
  validation_method = "DNS"
  lifecycle {
    create_before_destroy = true
  }
}

# The same record serves the certificates of all regions.
resource "aws_route53_record" "certificate" {
  count           = local.api
  zone_id         = var.api.zone_id
  name            = tolist(aws_acm_certificate.this[0].domain_validation_options)[0].resource_record_name
  type            = tolist(aws_acm_certificate.this[0].domain_validation_options)[0].resource_record_type
  records         = [tolist(aws_acm_certificate.this[0].domain_validation_options)[0].resource_record_value]
  ttl             = 300
  allow_overwrite = true
}

resource "aws_acm_certificate_validation" "this" {
  count                   = local.api
  certificate_arn         = aws_acm_certificate.this[0].arn
  validation_record_fqdns = [aws_route53_record.certificate[0].fqdn]
}

resource "aws_api_gateway_domain_name" "this" {
  count                    = local.api
  domain_name              = var.api.domain
  regional_certificate_arn = aws_acm_certificate_validation.this[0].certificate_arn
  security_policy          = "TLS_1_2"
  endpoint_configuration {
    types = ["REGIONAL"]
  }
}

resource "aws_api_gateway_base_path_mapping" "this" {
  count       = local.api
  api_id      = aws_api_gateway_rest_api.this[0].id
  stage_name  = aws_api_gateway_stage.this[0].stage_name
  domain_name = aws_api_gateway_domain_name.this[0].domain_name
}

# Healthy is who answers and does not fail: the region by a request from outside, the model by its alarm.
resource "aws_route53_health_check" "region" {
  count             = local.api
  type              = "HTTPS"
  fqdn              = "${aws_api_gateway_rest_api.this[0].id}.execute-api.${data.aws_region.current.region}.amazonaws.com"
  port              = 443
  resource_path     = "/live/ping"
  request_interval  = 30
  failure_threshold = 3
}

resource "aws_route53_health_check" "model" {
  count                           = local.api
  type                            = "CLOUDWATCH_METRIC"
  cloudwatch_alarm_name           = aws_cloudwatch_metric_alarm.errors.alarm_name
  cloudwatch_alarm_region         = data.aws_region.current.region
  insufficient_data_health_status = "Unhealthy"
}

resource "aws_route53_health_check" "both" {
  count                  = local.api
  type                   = "CALCULATED"
  child_healthchecks     = [aws_route53_health_check.region[0].id, aws_route53_health_check.model[0].id]
  child_health_threshold = 2
}

resource "aws_route53_record" "name" {
  count           = local.api
  zone_id         = var.api.zone_id
  name            = var.api.domain
  type            = "A"
  set_identifier  = data.aws_region.current.region
  health_check_id = aws_route53_health_check.both[0].id

  failover_routing_policy {
    type = var.api.failover
  }
  alias {
    name                   = aws_api_gateway_domain_name.this[0].regional_domain_name
    zone_id                = aws_api_gateway_domain_name.this[0].regional_zone_id
    evaluate_target_health = false
  }
}
