"""What Application Insights gets to know of what the monitor found."""

import pytest
from support.azure_ml import Said

KEY = "12345678-1234-1234-1234-123456789012"
PUBLISH = """
import sys
from mlops.errors import MlopsError
from mlops.platforms import connect
from mlops.project import load_project
from mlops.settings import load_settings
try:
    connect("azure", load_project(), load_settings()).publish({"Act": 1.0, "Rows": 30}, {"Environment": "dev"})
except MlopsError as error:
    print(error)
    sys.exit(error.exit_code)
"""


@pytest.fixture
def insights(azure):
    """What Application Insights was told; `insights.status` is what it answers with."""

    class Insights:
        status, told = 200, []

        def take(self, asked, match):
            items = asked.body if isinstance(asked.body, list) else [asked.body]
            self.told.extend(items)
            said = {"itemsReceived": len(items), "itemsAccepted": len(items), "errors": []}
            return Said(self.status, said)

    shown = Insights()
    azure.route("POST", r"/v2[.\d]*/track", shown.take)
    return shown


def test_metrics_are_written_with_their_dimensions(project, azure, insights):
    env = {"MLOPS_AZURE_APPLICATION_INSIGHTS": f"InstrumentationKey={KEY};IngestionEndpoint={azure.url}/"}
    project.run(project.python, "-c", PUBLISH, **env)
    found = {}
    for item in insights.told:
        assert item["iKey"] == KEY
        (metric,) = item["data"]["baseData"]["metrics"]
        found[metric["name"]] = metric["value"]
        assert item["data"]["baseData"]["properties"] == {"Environment": "dev", "Project": "flight-delays"}
    assert found == {"Act": 1.0, "Rows": 30}

    insights.status = 400
    done = project.run(project.python, "-c", PUBLISH, code=1, **env)
    assert "the metrics cannot be written to Application Insights" in done.out
    done = project.run(project.python, "-c", PUBLISH, code=2)
    assert "MLOPS_AZURE_APPLICATION_INSIGHTS is not set" in done.out
