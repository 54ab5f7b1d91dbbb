# The template's: `copier update` renews this file.
"""What the server says of itself: metrics for Prometheus, and its log as a JSON object a line."""

import json
import logging
import sys
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from prometheus_client import CollectorRegistry, Counter, Histogram, generate_latest
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, InfoMetricFamily
from prometheus_client.exposition import CONTENT_TYPE_LATEST

if TYPE_CHECKING:
    from mlops.serving.champion import Models
    from mlops.serving.log import PredictionLog

SECONDS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10)


class Telemetry:
    """The metrics of one server."""

    content_type = CONTENT_TYPE_LATEST

    def __init__(self, models: "Models", log: "PredictionLog | None") -> None:
        self._registry = CollectorRegistry()
        self._requests = Counter("mlops_requests", "Requests by status.", ["status"], registry=self._registry)
        self._rows = Counter("mlops_predictions", "Rows predicted.", registry=self._registry)
        self._seconds = Histogram(
            "mlops_request_seconds",
            "Time from the head of a request to its answer.",
            buckets=SECONDS,
            registry=self._registry,
        )
        self._registry.register(_Counts(models, log))

    def observe(self, status: int, rows: int, seconds: float) -> None:
        self._requests.labels(status).inc()
        self._rows.inc(rows)
        self._seconds.observe(seconds)

    def exposition(self) -> bytes:
        return generate_latest(self._registry)


class _Counts:
    """What the parts of the server count themselves, read when Prometheus asks."""

    def __init__(self, models: "Models", log: "PredictionLog | None") -> None:
        self.models, self.log = models, log

    def collect(self) -> Iterator[Any]:
        models, log = self.models, self.log
        served = models.current
        yield GaugeMetricFamily("mlops_ready", "Whether a model is loaded.", float(served is not None))
        if served is not None:
            yield InfoMetricFamily(
                "mlops_model",
                "The model that serves.",
                {"name": served.identity.name, "version": served.identity.version},
            )
        yield CounterMetricFamily("mlops_model_swaps", "Times that another model took over.", models.swaps)
        yield CounterMetricFamily(
            "mlops_registry_failures", "Times that the registry did not answer.", models.registry_failures
        )
        if log is not None:
            yield CounterMetricFamily("mlops_log_rows", "Rows in the log of predictions.", log.written)
            yield CounterMetricFamily("mlops_log_dropped_rows", "Rows that found no room in the log.", log.dropped)
            yield CounterMetricFamily("mlops_log_failures", "Times that the log could not be written.", log.failures)
            yield GaugeMetricFamily("mlops_log_waiting_rows", "Rows that wait to be written.", log.waiting)


_USUAL = set(vars(logging.LogRecord("", 0, "", 0, "", None, None))) | {"message", "asctime", "color_message"}


class JsonLines(logging.Formatter):
    """A log record as a JSON object on one line, with everything in `extra`."""

    def format(self, record: logging.LogRecord) -> str:
        line: dict[str, Any] = {
            "time": datetime.fromtimestamp(record.created, UTC).isoformat(),
            "level": record.levelname.lower(),
            "logger": record.name,
            "message": record.getMessage(),
        }
        line |= {name: value for name, value in vars(record).items() if name not in _USUAL}
        if record.exc_info:
            line["traceback"] = self.formatException(record.exc_info)
        return json.dumps(line, default=str, ensure_ascii=False)


def log_as_json() -> None:
    """Send all logs of this process to standard output as JSON lines."""
    handler = logging.StreamHandler(sys.stdout)
    handler.setFormatter(JsonLines())
    logging.basicConfig(level=logging.INFO, handlers=[handler], force=True)
