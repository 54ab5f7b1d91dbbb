"""Metrics of this project, beside the standard ones; the gate may name any of them."""

from typing import Any

import numpy as np

from mlops.project import Metric


def within_15_minutes(truth: np.ndarray[Any, Any], predicted: np.ndarray[Any, Any]) -> float:
    """The share of flights whose prediction is off by at most 15 minutes."""
    return float(np.mean(np.abs(truth - predicted) <= 15))


METRICS = {"within_15_minutes": Metric(within_15_minutes)}
