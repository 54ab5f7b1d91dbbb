"""The gate: the checks that a model has to pass before it may become champion. Pure."""

import math
from dataclasses import dataclass
from typing import Any

from mlops.params import Params


@dataclass(frozen=True)
class Check:
    """One question to the model, with the numbers it was decided on."""

    name: str
    passed: bool
    value: float
    bound: float
    explanation: str


@dataclass(frozen=True)
class Rival:
    """The champion, with its value of the gate's metric on the same rows or why it has none."""

    version: str
    value: float | None
    why_not: str | None


def gate(params: Params, evaluation: dict[str, Any], champion: Rival | None) -> list[Check]:
    """Check a model.

    Args:
        params: Its parameters, with the bounds in `gate`.
        evaluation: What the stage `evaluate` wrote.
        champion: The present champion, if there is one.
    """
    bounds = params.gate
    name = params.metric
    higher = evaluation["higher_is_better"][name]
    value, naive = _number(evaluation["metrics"][name]), _number(evaluation["naive"][name])
    than = "higher" if higher else "lower"

    def at_least(this: float, bound: float) -> bool:
        return this >= bound if higher else this <= bound

    checks = [
        Check(
            "naive",
            value > naive if higher else value < naive,
            value,
            naive,
            f"{name} {value:.4f} against {naive:.4f} of a naive guess; it must be {than}",
        )
    ]
    if bounds.minimum is not None:
        checks.append(
            Check(
                "minimum",
                at_least(value, bounds.minimum),
                value,
                bounds.minimum,
                f"{name} {value:.4f}; gate.minimum is {bounds.minimum}",
            )
        )
    if champion is not None and champion.value is None:
        why = f"version {champion.version} cannot be compared: {champion.why_not}"
        checks.append(Check("champion", True, value, math.nan, why))
    elif champion is not None and champion.value is not None:
        gain = value - champion.value if higher else champion.value - value
        checks.append(
            Check(
                "champion",
                gain >= bounds.minimum_gain,
                gain,
                bounds.minimum_gain,
                f"{name} {value:.4f} against {champion.value:.4f} of version {champion.version} on the same "
                f"rows; gate.minimum_gain is {bounds.minimum_gain}",
            )
        )
    slices = [each for each in evaluation["slices"] if each["metrics"][name] is not None]
    if bounds.worst_slice is not None and slices:
        worst = (min if higher else max)(slices, key=lambda each: each["metrics"][name])
        its = worst["metrics"][name]
        checks.append(
            Check(
                "worst slice",
                at_least(its, bounds.worst_slice),
                its,
                bounds.worst_slice,
                f"{name} {its:.4f} where {worst['column']} = {worst['value']} ({worst['rows']:,} rows); "
                f"gate.worst_slice is {bounds.worst_slice}",
            )
        )
    parity = _number(evaluation["parity"])
    checks.append(
        Check(
            "parity",
            parity <= bounds.parity,
            parity,
            bounds.parity,
            f"predictions of single rows differ by up to {parity:.2g} from those of a batch; "
            f"gate.parity is {bounds.parity:g}",
        )
    )
    return checks


def _number(value: float | None) -> float:
    """A metric as it came through JSON, where null is one that is not defined: it passes no check."""
    return math.nan if value is None else value
