# The template's: `copier update` renews this file.
"""The gate: the checks that a model has to pass before it may become champion. Pure."""

import math
from dataclasses import dataclass, field
from typing import Any

from mlops.params import Params
from mlops.registry.paired import Paired


@dataclass(frozen=True)
class Check:
    """One question to the model, with the numbers it was decided on."""

    name: str
    passed: bool
    value: float
    bound: float
    explanation: str


@dataclass(frozen=True)
class SliceDrop:
    """A slice in which the model does worse than the champion, by the gate's metric."""

    column: str
    value: str
    rows: int
    ours: float
    theirs: float
    sure: bool
    """Whether it is surely no chance."""


@dataclass(frozen=True)
class Rival:
    """The champion, with its value of the gate's metric on the same rows or why it has none."""

    version: str
    value: float | None
    why_not: str | None
    ours: float | None = None
    """The model's own value where only some of the rows could be compared; else that of all rows counts."""
    note: str = ""
    """Which rows were compared, if not all."""
    paired: Paired | None = None
    mcnemar: tuple[int, int, float] | None = None
    """Rows that only the model, only the champion classifies rightly, and the p-value."""
    slices: tuple[SliceDrop, ...] = ()
    """Slices that do worse by more than `gate.slice_drop`, worst first."""
    metrics: dict[str, float] = field(default_factory=dict)
    """All its metrics on these rows."""

    @property
    def figures(self) -> dict[str, float]:
        """What is logged of the comparison."""
        found: dict[str, float] = {}
        if self.paired is not None:
            found |= {"gain": self.paired.gain, "gain_low": self.paired.low, "gain_high": self.paired.high}
        if self.mcnemar is not None:
            found["mcnemar_p"] = self.mcnemar[2]
        return found


def gate(
    params: Params, evaluation: dict[str, Any], champion: Rival | None, latency_ms: float | None = None
) -> list[Check]:
    """Check a model.

    Args:
        params: Its parameters, with the bounds in `gate`.
        evaluation: What the stage `evaluate` wrote.
        champion: The present champion, if there is one.
        latency_ms: How long the prediction of a single row takes, if that was measured.
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
    elif champion is not None:
        checks += _against(champion, params, value, higher)
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
    if bounds.latency_ms is not None and latency_ms is not None:
        checks.append(
            Check(
                "latency",
                latency_ms <= bounds.latency_ms,
                latency_ms,
                bounds.latency_ms,
                f"the prediction of a single row takes {latency_ms:.1f} ms; gate.latency_ms is {bounds.latency_ms:g}",
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


def _against(champion: Rival, params: Params, value: float, higher: bool) -> list[Check]:
    """The comparison with the champion, over all rows and by slice."""
    bounds, name = params.gate, params.metric
    ours, theirs = champion.ours if champion.ours is not None else value, _number(champion.value)
    gain = ours - theirs if higher else theirs - ours
    told = f"{name} {ours:.4f} against {theirs:.4f} of version {champion.version}"
    told += f" {champion.note or 'on the same rows'}; gate.minimum_gain is {bounds.minimum_gain}"
    counted = gain
    if champion.paired is not None and not math.isnan(champion.paired.low):
        told += f", {champion.paired.text}"
        if bounds.significant:
            counted = champion.paired.low
            told += ", all of which has to reach it"
    if champion.mcnemar is not None:
        right, wrong, p_value = champion.mcnemar
        told += f"; right where the other is wrong {right:,} times, wrong where it is right {wrong:,} (p {p_value:.2g})"
    checks = [Check("champion", counted >= bounds.minimum_gain, gain, bounds.minimum_gain, told)]
    if bounds.slice_drop is not None and champion.slices:
        sure = [drop for drop in champion.slices if drop.sure]
        worst = (sure or list(champion.slices))[0]
        drop = worst.theirs - worst.ours if higher else worst.ours - worst.theirs
        text = (
            f"{name} {worst.ours:.4f} where {worst.column} = {worst.value} ({worst.rows:,} rows) against "
            f"{worst.theirs:.4f} of version {champion.version}; gate.slice_drop is {bounds.slice_drop:g}"
        )
        text += "" if sure else ", and the difference may be chance"
        checks.append(Check("slice against champion", not sure, drop, bounds.slice_drop, text))
    return checks


def _number(value: float | None) -> float:
    """A metric as it came through JSON, where null is one that is not defined: it passes no check."""
    return math.nan if value is None else value
