"""What jobs publish: metrics of a Pushgateway, by the names that the rules of infra/kubeflow read."""

import re

import pytest
import yaml
from clouds.kubeflow.pipelines import SETTINGS
from support.plain import Routes, serving
from support.template import ROOT

PUBLISH = """
import sys
from mlops.platforms import connect
from mlops.project import load_project
from mlops.settings import load_settings
connect("kubeflow", load_project(), load_settings()).publish({"Act": 1.0, "LargestDrift": 0.25}, {"Environment": "dev"})
"""


@pytest.fixture
def gateway():
    routes = Routes()
    routes.route("POST", r"/metrics/job/mlops/(.+)", lambda asked, rest: {})
    with serving(routes) as shown:
        yield shown


def test_metrics_are_pushed_in_a_group_of_the_environment(piped, gateway):
    project = piped()
    project.run("python", "-c", PUBLISH, **{**SETTINGS, "MLOPS_KUBEFLOW_PUSHGATEWAY": gateway.url})
    (asked,) = gateway.asked
    parts = asked.path.removeprefix("/metrics/job/mlops/").split("/")
    labels = dict(zip(parts[::2], parts[1::2], strict=True))
    assert labels == {"environment": "dev", "project": "flight-delays"}
    lines = [line for line in asked.body.decode().splitlines() if not line.startswith("#")]
    assert lines == ["mlops_signal_act 1.0", "mlops_signal_largest_drift 0.25"]
    said = project.run(
        *("python", "-m", "mlops.platforms.outcome", "kubeflow", '{"state": "FAILED", "pipelineJobName": "x"}'),
        **{**SETTINGS, "MLOPS_KUBEFLOW_PUSHGATEWAY": gateway.url},
    )
    assert said.out == "the run x: failed\n"
    assert b"mlops_signal_pipeline_failed 1.0" in gateway.asked[-1].body
    done = project.run("python", "-c", PUBLISH, code=1, **{**SETTINGS, "MLOPS_KUBEFLOW_PUSHGATEWAY": "127.0.0.1:9"})
    assert "the metrics cannot be written to the Pushgateway 127.0.0.1:9" in done.err


def test_rules_read_what_is_published():
    rules = ROOT / "template/infra/kubeflow/base/monitoring.yaml"
    *_, content = yaml.safe_load_all(rules.read_text(encoding="utf-8"))
    read = {name for rule in content["spec"]["groups"][0]["rules"] for name in re.findall(r"mlops_\w+", rule["expr"])}
    serving_ = (ROOT / "template/src/mlops/serving/telemetry.py").read_text(encoding="utf-8")
    signals = {"mlops_signal_act", "mlops_signal_pipeline_failed"}
    assert signals < read
    for name in read - signals:
        assert f'"{re.sub("_(total|bucket)$", "", name)}"' in serving_, name
