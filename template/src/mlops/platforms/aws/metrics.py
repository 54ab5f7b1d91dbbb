# The template's: `copier update` renews this file.
"""What the monitor found, as metrics of CloudWatch: alarms of `infra/aws/project` act on them."""

from collections.abc import Mapping

from mlops.platforms.aws.session import Session, answering


def publish(session: Session, metrics: Mapping[str, float], dimensions: Mapping[str, str]) -> None:
    """Write metrics into the namespace `mlops/<project>`."""
    named = [{"Name": name, "Value": value} for name, value in dimensions.items()]
    with answering("the metrics cannot be written to CloudWatch"):
        session.client("cloudwatch").put_metric_data(
            Namespace=f"mlops/{session.project.name}",
            MetricData=[
                {"MetricName": name, "Value": value, "Unit": "None", "Dimensions": named}
                for name, value in metrics.items()
            ],
        )
