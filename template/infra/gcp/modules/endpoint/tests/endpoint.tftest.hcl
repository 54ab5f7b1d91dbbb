# The template's: `copier update` renews this file.
mock_provider "google" {}

variables {
  project_id        = "made-up-project"
  endpoint          = "flight-delays-prod"
  region            = "us-central1"
  channels          = ["projects/made-up-project/notificationChannels/1"]
  labels            = { project = "flight-delays", environment = "prod" }
  errors_per_minute = 2
  latency_ms        = 500
}

run "watches_the_endpoint_of_its_region" {
  assert {
    condition = alltrue([
      for alert in output.alerts : strcontains(alert.filter, "endpoint_id = \"flight-delays-prod\"") && strcontains(alert.filter, "location = \"us-central1\"") && alert.tells == tolist(var.channels)
    ]) && length(output.alerts) == 2
    error_message = "Another endpoint is watched, or nobody is told."
  }
  assert {
    condition     = strcontains(output.alerts["errors"].filter, "prediction/online/error_count") && output.alerts["errors"].threshold == 10
    error_message = "Errors are not counted as they were meant to be."
  }
  assert {
    condition     = strcontains(output.alerts["latency"].filter, "prediction/online/prediction_latencies") && output.alerts["latency"].threshold == 500
    error_message = "Latency is not measured."
  }
}

run "tells_somebody" {
  command = plan
  variables {
    channels = []
  }
  expect_failures = [var.channels]
}
