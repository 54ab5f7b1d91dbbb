# The template's: `copier update` renews this file.
# What alerts of project/ look at has to be there before they are; `mlops monitor` writes it, for all environments of this project.
resource "google_monitoring_metric_descriptor" "act" {
  project      = var.project_id
  type         = "custom.googleapis.com/mlops/Act"
  display_name = "Act"
  description  = "1 where the monitor found that something has to be done, else 0"
  metric_kind  = "GAUGE"
  value_type   = "DOUBLE"
  labels {
    key         = "project"
    value_type  = "STRING"
    description = "Short name of the project"
  }
  labels {
    key         = "environment"
    value_type  = "STRING"
    description = "dev, staging or prod"
  }
  depends_on = [google_project_service.this]
}
