"""Metrics of this project, beside the standard ones; the gate may name any of them."""

from typing import Any

import numpy as np

from mlops.project import Metric


def late_found_in_riskiest_tenth(truth: np.ndarray[Any, Any], scores: np.ndarray[Any, Any]) -> float:
    """The share of late flights among the tenth of flights with the highest risk, over all late ones."""
    riskiest = np.argsort(-scores[:, 1], kind="stable")[: max(1, len(truth) // 10)]
    return float(truth[riskiest].sum() / max(1, truth.sum()))


METRICS = {"late_found_in_riskiest_tenth": Metric(late_found_in_riskiest_tenth)}
