"""What Cloud Monitoring gets to know of what the monitor found."""

import pytest
from support.google import PROJECT, Said, refused

PUBLISH = """
import sys
from mlops.errors import MlopsError
from mlops.platforms import connect
from mlops.project import load_project
from mlops.settings import load_settings
try:
    connect("gcp", load_project(), load_settings()).publish({"Act": 1.0, "Rows": 30}, {"Environment": "dev"})
except MlopsError as error:
    print(error)
    sys.exit(error.exit_code)
"""
FIELDS = {"metric", "resource", "metricKind", "valueType", "points"}


@pytest.fixture
def written(google):
    """The time series that were written."""
    found = []

    def take(asked, match):
        assert set(asked.body) == {"timeSeries"}
        for series in asked.body["timeSeries"]:
            assert set(series) == FIELDS
            found.append(series)
        return Said(body={})

    google.route("POST", r"monitoring\.googleapis\.com", f"/v3/projects/{PROJECT}/timeSeries", take)
    return found


def test_metrics_are_written_with_their_dimensions(project, written):
    project.run(project.python, "-c", PUBLISH)
    values = {}
    for series in written:
        assert series["metric"]["labels"] == {"environment": "dev", "project": "flight-delays"}
        assert series["resource"] == {"type": "global", "labels": {"project_id": PROJECT}}
        assert (series["metricKind"], series["valueType"]) == ("GAUGE", "DOUBLE")
        ((point,),) = (series["points"],)
        assert point["interval"]["endTime"].endswith("Z")
        values[series["metric"]["type"]] = point["value"]["doubleValue"]
    assert values == {"custom.googleapis.com/mlops/Act": 1.0, "custom.googleapis.com/mlops/Rows": 30.0}


def test_what_it_does_not_take_is_said(project, google, written):
    google.rule = lambda asked: refused(403, "Permission denied") if "monitoring" in asked.host else None
    done = project.run(project.python, "-c", PUBLISH, code=1)
    assert "the metrics cannot be written to Cloud Monitoring: Google Cloud says 403" in done.out
    done = project.run(project.python, "-c", PUBLISH, code=2, MLOPS_GCP_PROJECT=None)
    assert "MLOPS_GCP_PROJECT is not set" in done.out
    assert written == []
