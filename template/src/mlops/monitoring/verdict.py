# The template's: `copier update` renews this file.
"""What the counts say, in figures and in words, and whether somebody has to act.

Worse performance and labels that drift decide; while labels are missing, predictions that drift do. Columns that drift
are reported and decide nothing by themselves: seasons move them every year.
"""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from mlops.metrics import measure
from mlops.monitoring.calendar import day_name, since_when
from mlops.monitoring.changes import Change, holm, mean_change, shares_p_value
from mlops.monitoring.columns import FEWEST_ROWS
from mlops.monitoring.outcomes import ByDay
from mlops.monitoring.sketch import Numbers, shannon_distance
from mlops.monitoring.watch import Watch
from mlops.project import Metric

Array = np.ndarray[Any, Any]
LOSSES = {"brier": "Brier score", "log_loss": "log loss", "mae": "mean absolute error", "mse": "mean squared error"}


@dataclass(frozen=True)
class Finding:
    """Something that was looked at, over all rows or the last days."""

    about: str
    """`performance`, `labels`, `predictions`, `quality` or `rows`."""
    moved: bool
    act: bool
    text: str
    since: str | None = None
    retrain: bool = True
    """Whether training anew could help."""


class Verdict:
    """The findings on what was watched."""

    def __init__(self, watch: Watch, metrics: dict[str, Metric], importance: dict[str, float]) -> None:
        self.watch, self.metrics, self.importance = watch, metrics, importance
        self.bounds = watch.params.monitor
        self.alpha = 1 - self.bounds.confidence
        self.names = watch.calendar.names()
        self.periods = self._periods()
        self.columns = self._columns()
        self.slices = self._slices()
        self.findings = [*self._few(), *self._performance(), *self._labels(), *self._predictions(), *self._quality()]

    @property
    def act(self) -> bool:
        return any(finding.act for finding in self.findings)

    @property
    def labelled(self) -> bool:
        """Whether enough labels are there to say something by them."""
        return self._labelled_since(self.watch.fresh)

    def _labelled_since(self, since: int | None) -> bool:
        return self._rows_of(self.watch.now.outcomes.label_sums, since) >= self.bounds.rows

    @property
    def windows(self) -> list[tuple[str, int | None]]:
        """What is looked at: all rows, or those that are news, and the last days where there are many more."""
        fresh = self.watch.fresh
        whole: list[tuple[str, int | None]] = [(f"the rows since {day_name(fresh)}" if fresh else "all rows", fresh)]
        if self.watch.recent is None:
            return whole
        return [*whole, (f"the last {self.bounds.recent_days} days", self.watch.recent)]

    def _is_recent(self, since: int | None) -> bool:
        return since is not None and since == self.watch.recent

    def _few(self) -> list[Finding]:
        rows = self.watch.rows.tally.rows
        if rows >= self.bounds.rows:
            return []
        text = f"{rows:,} rows are too few to decide on; monitor.rows is {self.bounds.rows:,}"
        return [Finding("rows", False, False, text)]

    def _rows_of(self, days: ByDay, since: int | None) -> float:
        return float(days.table(since).sum(axis=0)[0]) if days.table(since).size else 0.0

    def _performance(self) -> list[Finding]:
        was, now = self.watch.was.outcomes, self.watch.now.outcomes
        if not was.rows:
            return []
        windows = [each for each in self.windows if self._rows_of(now.loss, each[1]) >= self.bounds.rows]
        changes = [mean_change(was.loss.table(), now.loss.table(since), self.bounds.confidence) for _, since in windows]
        corrected = holm([change.p_worse for change in changes])
        findings = []
        for (where, _), change, p_value in zip(windows, changes, corrected, strict=True):
            moved = bool(p_value <= self.alpha and change.relative >= self.bounds.worse)
            name = LOSSES[self.watch.metric]
            sure = "" if moved else ", within what is expected" if change.difference > 0 else ""
            text = (
                f"the {name} of {where} is {change.current:.4g} against {change.reference:.4g} in the test "
                f"({change.relative:+.0%}, interval of the change {change.low:+.3g} to {change.high:+.3g}){sure}"
            )
            since = since_when(self._worse_periods(), self.names) if moved else None
            findings.append(Finding("performance", moved, moved, text, since))
        return findings

    def _worse_periods(self) -> list[bool | None]:
        was = self.watch.was.outcomes.loss.table().sum(axis=0)
        bound = was[1] / was[0] * (1 + self.bounds.worse)
        return [None if each["loss"] is None else each["loss"] >= bound for each in self.periods]

    def _labels(self) -> list[Finding]:
        watch, now = self.watch, self.watch.now.outcomes
        if watch.all_known and self.labelled:
            text = "the labels are of days that the model was trained and tested on, so they are no news"
            return [Finding("labels", False, False, text)]
        regression = watch.classes is None
        threshold = self.bounds.label_drift
        threshold = threshold if threshold is not None else 0.1 if regression else 0.05
        windows = [each for each in self.windows if self._rows_of(now.label_sums, each[1]) >= self.bounds.rows]
        p_values = holm(
            [shares_p_value(watch.label_table, now.labels.table(since), ordered=regression) for _, since in windows]
        )
        findings = []
        for (where, since), p_value in zip(windows, p_values, strict=True):
            effect, told = self._label_change(since)
            moved = bool(p_value <= self.alpha and effect >= threshold)
            measure_name = "KS" if regression else "Jensen-Shannon"
            text = f"{told} in {where} ({measure_name} {effect:.3f}, bound {threshold:g})"
            rose = self._rose(now.label_sums, since, self._mean_label())
            when = (
                since_when(self._drifted("label", threshold, self._mean_label(), rose), self.names) if moved else None
            )
            findings.append(Finding("labels", moved, moved, text, when))
        return findings

    def _drifted(self, what: str, threshold: float, mean: float, rose: bool) -> list[bool | None]:
        """Which periods have drifted that way: up, or down; of several classes, which have drifted."""
        moved: list[bool | None] = []
        for each in self.periods:
            distance = each[f"{what}_distance"]
            same_way = self.watch.several or (each[what] is not None and (each[what] > mean) == rose)
            moved.append(None if distance is None else distance >= threshold and same_way)
        return moved

    @staticmethod
    def _rose(sums: ByDay, since: int | None, mean: float) -> bool:
        total = sums.table(since).sum(axis=0)
        return bool(total[1] / total[0] > mean)

    def _mean_label(self) -> float:
        watch = self.watch
        if watch.classes is None:
            return watch.label_numbers.reference_mean
        counts = watch.label_table.sum(axis=0)
        return float(counts[-1] / counts.sum())

    def _label_change(self, since: int | None) -> tuple[float, str]:
        """How far labels moved, and from what to what."""
        watch, label = self.watch, self.watch.reference.label
        table = watch.now.outcomes.labels.table(since).sum(axis=0)
        if watch.classes is None:
            sketch = watch.recent_label_numbers if self._is_recent(since) else watch.label_numbers
            return sketch.ks, f"{label} went from {sketch.reference_mean:.4g} to {sketch.mean:.4g} on average"
        before = watch.label_table.sum(axis=0)
        shares = before / before.sum(), table / table.sum()
        most = int(np.abs(shares[1] - shares[0]).argmax()) if len(before) > 2 else len(before) - 1
        told = f"the share of {label} = {watch.classes[most]} went from {shares[0][most]:.1%} to {shares[1][most]:.1%}"
        return shannon_distance(before, table), told

    def _predictions(self) -> list[Finding]:
        watch, bounds = self.watch, self.bounds
        windows = [each for each in self.windows if self._rows_of(watch.now.predictions.sums, each[1]) >= bounds.rows]
        was, now = watch.was.predictions.cells, watch.now.predictions.cells
        p_values = holm(
            [shares_p_value(was.table(), now.table(since), ordered=not watch.several) for _, since in windows]
        )
        findings = []
        for (where, since), p_value in zip(windows, p_values, strict=True):
            sketch: Numbers = watch.recent_scores if self._is_recent(since) else watch.scores
            if watch.several:
                effect = shannon_distance(was.table().sum(axis=0), now.table(since).sum(axis=0))
                told = "the predicted classes moved"
            else:
                effect = sketch.ks
                told = f"predictions went from {sketch.reference_mean:.4g} to {sketch.mean:.4g} on average"
            moved = bool(p_value <= self.alpha and effect >= bounds.prediction_drift)
            measure_name = "Jensen-Shannon" if watch.several else "KS"
            text = f"{told} in {where} ({measure_name} {effect:.3f}, bound {bounds.prediction_drift:g})"
            labelled = self._labelled_since(since)
            if moved and labelled:
                text += "; the labels decide"
            mean = watch.scores.reference_mean
            rose = self._rose(watch.now.predictions.sums, since, mean)
            when = self._drifted("prediction", bounds.prediction_drift, mean, rose)
            start = since_when(when, self.names) if moved else None
            findings.append(Finding("predictions", moved, moved and not labelled, text, start))
        return findings

    def _quality(self) -> list[Finding]:
        tally = self.watch.rows.tally
        share = tally.broken / max(1, tally.rows)
        unknown = self.watch.now.outcomes.unknown
        findings = []
        if tally.broken:
            worst = max(tally.breaches.values(), key=lambda breach: breach.rows)
            act = share > self.bounds.quality
            text = f"{share:.1%} of the rows break the contract, most of all {worst} (bound {self.bounds.quality:.1%})"
            if act:
                text += "; mend the data, for training anew will not help"
            findings.append(Finding("quality", act, act, text, retrain=False))
        if unknown:
            text = f"{unknown:,} labels are of a class that the model does not know"
            findings.append(Finding("quality", True, True, text))
        return findings

    def _columns(self) -> list[dict[str, Any]]:
        """All columns, those first whose change matters most to the model."""
        columns = self.watch.columns
        p_values = holm([column.p_value for column in columns])
        described = []
        for column, p_value in zip(columns, p_values, strict=True):
            about = column.describe(self.bounds.feature_drift)
            moved = bool(about["effect"] >= self.bounds.feature_drift and p_value <= self.alpha)
            weight = self.importance.get(column.name, 0.0)
            effect = about["effect"] if np.isfinite(about["effect"]) else 0.0
            about |= {"p_corrected": p_value, "moved": moved, "importance": weight, "impact": effect * weight}
            about["since"] = about["since"] if moved else None
            described.append(about)
        return sorted(described, key=lambda each: (-each["impact"], -np.nan_to_num(each["effect"]), each["name"]))

    def _slices(self) -> list[dict[str, Any]]:
        was, now = self.watch.was.outcomes.slices, self.watch.now.outcomes.slices
        least = self.watch.params.evaluate.slice_rows
        found: list[tuple[tuple[str, str], int, Change]] = []
        for key in sorted(set(was) & set(now)):
            tables = was[key].table(), now[key].table()
            rows = [int(table[:, 0].sum()) for table in tables]
            if min(rows) >= least:
                found.append((key, rows[1], mean_change(tables[0], tables[1], self.bounds.confidence)))
        corrected = holm([change.p_worse for _, _, change in found])
        described = [
            {
                "column": key[0],
                "value": key[1],
                "rows": rows,
                **asdict(change),
                "difference": change.difference,
                "relative": change.relative,
                "p_corrected": p_value,
                "worse": bool(p_value <= self.alpha and change.relative >= self.bounds.worse),
            }
            for (key, rows, change), p_value in zip(found, corrected, strict=True)
        ]
        return sorted(described, key=lambda each: -each["relative"])

    def _periods(self) -> list[dict[str, Any]]:
        """What is drawn over time; None where a period has too few rows."""
        watch = self.watch
        calendar, now = watch.calendar, watch.now
        period_of = calendar.period_of(np.arange(calendar.first, calendar.last + 1))

        def cut(days: ByDay) -> Array:
            return days.in_periods(period_of, calendar.first, calendar.periods)

        sums, loss, label = cut(now.predictions.sums), cut(now.outcomes.loss), cut(now.outcomes.label_sums)
        cells, labels = cut(now.predictions.cells), cut(now.outcomes.labels)
        was = watch.was.predictions.cells.table().sum(axis=0)
        told = []
        for at, name in enumerate(self.names):
            labelled = label[at, 0] >= FEWEST_ROWS
            told.append(
                {
                    "start": name,
                    "rows": int(sums[at, 0]),
                    "labelled": int(label[at, 0]),
                    "prediction": sums[at, 1] / sums[at, 0] if sums[at, 0] >= FEWEST_ROWS else None,
                    "label": label[at, 1] / label[at, 0] if labelled else None,
                    "loss": loss[at, 1] / loss[at, 0] if labelled else None,
                    "prediction_distance": self._distance(was, cells[at], ordered=not watch.several),
                    "label_distance": self._distance(
                        watch.label_table.sum(axis=0), labels[at], ordered=watch.classes is None
                    ),
                }
            )
        return told

    @staticmethod
    def _distance(was: Array, now: Array, *, ordered: bool) -> float | None:
        if now.sum() < FEWEST_ROWS or not was.sum():
            return None
        if ordered:
            return float(np.abs(np.cumsum(was / was.sum() - now / now.sum())).max())
        return shannon_distance(was, now)

    def metric_values(self) -> list[dict[str, Any]]:
        """All metrics beside those of the test set; of many rows on some drawn at random."""
        was, now = self.watch.was.outcomes, self.watch.now.outcomes
        if not now.rows:
            return []
        ours = measure(self.metrics, *now.kept())
        theirs = measure(self.metrics, *was.kept()) if was.rows else {}
        return [
            {
                "name": name,
                "reference": theirs.get(name),
                "current": value,
                "better": "higher" if self.metrics[name].higher_is_better else "lower",
            }
            for name, value in ours.items()
        ]

    def change(self) -> dict[str, Any] | None:
        """The change of the loss, over the rows that are news."""
        was, now = self.watch.was.outcomes, self.watch.now.outcomes
        rows = int(self._rows_of(now.loss, self.watch.fresh))
        if not was.rows or not rows:
            return None
        change = mean_change(was.loss.table(), now.loss.table(self.watch.fresh), self.bounds.confidence)
        return {
            "metric": self.watch.metric,
            **asdict(change),
            "difference": change.difference,
            "relative": change.relative,
            "reference_rows": was.rows,
            "rows": rows,
        }

    @property
    def summary(self) -> str:
        """One paragraph."""
        model = self.watch.reference.model
        name = f"{model.name} version {model.version}" if model.version else model.name
        acting = [finding for finding in self.findings if finding.act]
        if acting:
            reasons = "; ".join(
                finding.text + (f", since {finding.since}" if finding.since else "") for finding in acting
            )
            return f"{name} needs somebody to act: {reasons}."
        drifted = [column["name"] for column in self.columns if column["moved"]]
        seen = f" {_named(drifted)} drifted, which alone is no reason to act." if drifted else ""
        if self.watch.rows.tally.rows < self.bounds.rows:
            return f"{self.findings[0].text}.{seen}"
        by = "by its labels" if self.labelled else "as far as can be said without labels"
        return f"{name} is fine, {by}.{seen}"

    def content(self) -> dict[str, Any]:
        """Everything as JSON has it."""
        watch, tally, model = self.watch, self.watch.rows.tally, self.watch.reference.model
        first, last = watch.calendar.first, watch.calendar.last
        return {
            "verdict": "act" if self.act else "fine",
            "retrain": any(finding.act and finding.retrain for finding in self.findings),
            "summary": self.summary,
            "model": {"name": model.name, "version": model.version, "run_id": model.run_id},
            "current": {
                "location": watch.rows.location,
                "rows": tally.rows,
                "labelled": watch.now.outcomes.rows,
                "first_day": day_name(first) if watch.rows.time else None,
                "last_day": day_name(last) if watch.rows.time else None,
                "time": watch.rows.time,
                "versions": dict(sorted(tally.versions.items())),
                "scored_now": tally.scored,
                "absent": watch.rows.absent,
            },
            "findings": [asdict(finding) for finding in self.findings],
            "performance": self.change(),
            "metrics": self.metric_values(),
            "labels": self._label_summary(),
            "predictions": self._prediction_summary(),
            "columns": self.columns,
            "slices": self.slices,
            "quality": {
                "broken_rows": tally.broken,
                "breaches": [
                    {"column": breach.column, "what": breach.what, "rows": breach.rows}
                    for breach in sorted(tally.breaches.values(), key=lambda breach: -breach.rows)
                ],
                "unknown_labels": watch.now.outcomes.unknown,
            },
            "unit": watch.calendar.unit,
            "periods": self.periods,
            "bounds": self.bounds.model_dump(),
        }

    def _label_summary(self) -> dict[str, Any] | None:
        watch = self.watch
        if not self._rows_of(watch.now.outcomes.label_sums, watch.fresh):
            return None
        effect, told = self._label_change(self.watch.fresh)
        return {
            "name": watch.reference.label,
            "distance": effect,
            "text": told,
            "reference": _shares(watch.label_table, watch.classes),
            "current": _shares(watch.now.outcomes.labels.table(watch.fresh), watch.classes),
        }

    def _prediction_summary(self) -> dict[str, Any]:
        watch = self.watch
        was, now = watch.was.predictions.cells.table(), watch.now.predictions.cells.table()
        several = watch.several
        return {
            "distance": shannon_distance(was.sum(axis=0), now.sum(axis=0)) if several else watch.scores.ks,
            "measure": "Jensen-Shannon" if several else "KS",
            "reference_mean": watch.scores.reference_mean,
            "mean": watch.scores.mean,
            "histogram": None if several else watch.scores.histogram(),
        }


def _shares(table: Array, classes: Sequence[Any] | None) -> dict[str, float] | None:
    if classes is None:
        return None
    counts = table.sum(axis=0)
    return {str(name): float(count / counts.sum()) for name, count in zip(classes, counts, strict=True)}


def _named(names: Sequence[str]) -> str:
    return ", ".join(names[:5]) + (f" and {len(names) - 5} more" if len(names) > 5 else "")
