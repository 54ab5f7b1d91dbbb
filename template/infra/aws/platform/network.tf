# The template's: `copier update` renews this file.
# A network from which there is no way out: jobs reach S3 and the services they ask, and nothing else. No NAT is paid for.
locals {
  network = var.network.use == "create" ? 1 : 0
  zones   = local.network == 1 ? slice(data.aws_availability_zones.available[0].names, 0, 2) : []
}

data "aws_availability_zones" "available" {
  count = local.network
  state = "available"
}

resource "aws_vpc" "this" {
  count                = local.network
  cidr_block           = var.network.cidr
  enable_dns_support   = true
  enable_dns_hostnames = true
  tags                 = { Name = local.name }
}

# The group that comes with a VPC lets nothing through.
resource "aws_default_security_group" "this" {
  count  = local.network
  vpc_id = aws_vpc.this[0].id
}

resource "aws_subnet" "this" {
  count             = length(local.zones)
  vpc_id            = aws_vpc.this[0].id
  availability_zone = local.zones[count.index]
  cidr_block        = cidrsubnet(var.network.cidr, 4, count.index)
  tags              = { Name = "${local.name}-${local.zones[count.index]}" }
}

resource "aws_route_table" "this" {
  count  = local.network
  vpc_id = aws_vpc.this[0].id
  tags   = { Name = local.name }
}

resource "aws_route_table_association" "this" {
  count          = length(local.zones)
  subnet_id      = aws_subnet.this[count.index].id
  route_table_id = aws_route_table.this[0].id
}

resource "aws_security_group" "jobs" {
  count       = local.network
  name        = "${local.name}-jobs"
  description = "Jobs and endpoints: among themselves, and to services of AWS"
  vpc_id      = aws_vpc.this[0].id
  tags        = { Name = "${local.name}-jobs" }
}

# Nodes of one job talk to each other.
resource "aws_vpc_security_group_ingress_rule" "jobs" {
  count                        = local.network
  security_group_id            = aws_security_group.jobs[0].id
  description                  = "From each other"
  referenced_security_group_id = aws_security_group.jobs[0].id
  ip_protocol                  = "-1"
}

resource "aws_vpc_security_group_egress_rule" "jobs" {
  count                        = local.network
  security_group_id            = aws_security_group.jobs[0].id
  description                  = "To each other and to the services"
  referenced_security_group_id = aws_security_group.jobs[0].id
  ip_protocol                  = "-1"
}

resource "aws_vpc_security_group_egress_rule" "s3" {
  count             = local.network
  security_group_id = aws_security_group.jobs[0].id
  description       = "To S3"
  prefix_list_id    = aws_vpc_endpoint.s3[0].prefix_list_id
  ip_protocol       = "tcp"
  from_port         = 443
  to_port           = 443
}

resource "aws_vpc_endpoint" "s3" {
  count             = local.network
  vpc_id            = aws_vpc.this[0].id
  service_name      = "com.amazonaws.${var.region}.s3"
  vpc_endpoint_type = "Gateway"
  route_table_ids   = [aws_route_table.this[0].id]
  tags              = { Name = "${local.name}-s3" }
}

resource "aws_vpc_endpoint" "service" {
  for_each            = local.network == 1 ? toset(var.network.services) : toset([])
  vpc_id              = aws_vpc.this[0].id
  service_name        = replace(each.key, "REGION", var.region)
  vpc_endpoint_type   = "Interface"
  private_dns_enabled = true
  subnet_ids          = aws_subnet.this[*].id
  security_group_ids  = [aws_security_group.jobs[0].id]
  tags                = { Name = "${local.name}-${replace(each.key, ".", "-")}" }
}
