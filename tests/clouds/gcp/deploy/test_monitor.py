"""What an endpoint logs into its bucket, watched from there, and what alerts of Cloud Monitoring get to know of it."""

import json
import time

import pytest
from clouds.gcp.deploy.conftest import NAME
from support.deployed import ROWS
from support.google import BUCKET, PROJECT, Said

LOG = f"gs://{BUCKET}/logs/predictions"


@pytest.fixture
def metrics(google):
    """The values in Cloud Monitoring by name, of this project and environment."""
    found = {}

    def take(asked, match):
        for series in asked.body["timeSeries"]:
            assert series["metric"]["labels"] == {"project": "flight-delays", "environment": "dev"}
            name = series["metric"]["type"].removeprefix("custom.googleapis.com/mlops/")
            found[name] = series["points"][0]["value"]["doubleValue"]
        return Said(body={})

    google.route("POST", r"monitoring\.googleapis\.com", f"/v3/projects/{PROJECT}/timeSeries", take)
    return found


def test_the_log_of_the_endpoint_is_watched_and_alerts_know(project, endpoints, storage, metrics):
    project.mlops("deploy", "--on", "gcp")
    rows = project.script(ROWS)
    assert len(endpoints.invoke(NAME, rows)) == len(rows)
    end = time.monotonic() + 60
    while not any(size > 20_000 for size, _ in storage.stored("logs/predictions/").values()):
        assert time.monotonic() < end, "the endpoint has logged nothing"
        time.sleep(0.1)
    done = project.mlops("monitor", "--on", "gcp", code=None, MLOPS_LOG_URI=LOG)
    assert done.code in (0, 3), done
    content = json.loads((project.path / "reports/monitor/monitor.json").read_text(encoding="utf-8"))
    assert content["current"]["versions"] == {"2": len(rows) + 1}, "with the row that the deployment asked about"
    assert set(metrics) == {"Act", "PredictionDrift", "Quality", "Rows"}
    assert metrics["Rows"] == len(rows) + 1
    assert metrics["Act"] == (done.code == 3)
