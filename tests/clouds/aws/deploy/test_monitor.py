"""What an endpoint logs into its bucket, watched from there, and what alarms of CloudWatch get to know of it."""

import json
import time
from datetime import UTC, datetime, timedelta

import pytest
from clouds.aws.deploy.conftest import BUCKET, NAME
from support.deployed import ROWS

LOG = f"s3://{BUCKET}/logs/predictions"


@pytest.fixture
def metrics(front):
    """`metrics()` are the values in CloudWatch by name, in the project's namespace and this environment."""

    def metrics():
        cloudwatch, found = front.client("cloudwatch"), {}
        now = datetime.now(UTC)
        for each in cloudwatch.list_metrics(Namespace="mlops/flight-delays")["Metrics"]:
            assert each["Dimensions"] == [{"Name": "Environment", "Value": "dev"}]
            points = cloudwatch.get_metric_statistics(
                Namespace=each["Namespace"],
                MetricName=each["MetricName"],
                Dimensions=each["Dimensions"],
                StartTime=now - timedelta(hours=1),
                EndTime=now + timedelta(hours=1),
                Period=7200,
                Statistics=["Maximum"],
            )["Datapoints"]
            found[each["MetricName"]] = points[0]["Maximum"]
        return found

    return metrics


def test_the_log_of_the_endpoint_is_watched_and_alarms_know(project, front, metrics):
    project.mlops("deploy", "--on", "aws")
    rows = project.script(ROWS)
    assert len(front.invoke(NAME, rows)) == len(rows)
    s3, end = front.client("s3"), time.monotonic() + 60
    while not any(
        each["Size"] > 20_000 for each in s3.list_objects_v2(Bucket=BUCKET, Prefix="logs/").get("Contents", [])
    ):
        assert time.monotonic() < end, "the endpoint has logged nothing"
        time.sleep(0.1)
    env = {"MLOPS_LOG_URI": LOG}
    done = project.mlops("monitor", "--on", "aws", code=None, **env)
    assert done.code in (0, 3), done
    content = json.loads((project.path / "reports/monitor/monitor.json").read_text(encoding="utf-8"))
    assert content["current"]["versions"] == {"2": len(rows) + 1}, "with the row that the deployment asked about"
    found = metrics()
    assert set(found) == {"Act", "PredictionDrift", "Quality", "Rows"}
    assert found["Rows"] == len(rows) + 1
    assert found["Act"] == (done.code == 3)

    done = project.mlops("monitor", "--on", "aws", "--labels", "labels.parquet", code=None, **env)
    assert done.code in (0, 3), done
    found = metrics()
    assert set(found) == {"Act", "LabelDrift", "Performance", "PredictionDrift", "Quality", "Rows"}
    assert found["LabelDrift"] > 0


def test_a_platform_that_is_not_there_is_said_before_anything_is_read(project, front, metrics):
    assert "this project has aws" in project.refuses("monitor", "no-such-file", "--on", "moon", code=2)
    assert metrics() == {}
