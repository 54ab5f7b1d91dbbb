# The template's: `copier update` renews this file.
output "topic_arn" {
  value = aws_sns_topic.owner.arn
}

output "topic_key" {
  value = aws_sns_topic.owner.kms_master_key_id
}

output "alarms" {
  description = "Names of the alarms that turn a deployment back"
  value       = [aws_cloudwatch_metric_alarm.errors.alarm_name, aws_cloudwatch_metric_alarm.latency.alarm_name]
}

output "alarm_arns" {
  value = [aws_cloudwatch_metric_alarm.errors.arn, aws_cloudwatch_metric_alarm.latency.arn]
}

output "failover" {
  description = "Whom the name leads to, on whose health, null without a name"
  value = one([
    for record in aws_route53_record.name : {
      domain   = record.name
      role     = record.failover_routing_policy[0].type
      target   = record.alias[0].name
      checks   = [aws_route53_health_check.region[0].fqdn, aws_route53_health_check.model[0].cloudwatch_alarm_name]
      needed   = aws_route53_health_check.both[0].child_health_threshold
      health   = record.health_check_id
      combined = aws_route53_health_check.both[0].id
    }
  ])
}
