# The template's: `copier update` renews this file.
"""The pictures of an evaluation, as SVG files that are the same bytes for the same numbers."""

from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from matplotlib.axes import Axes

INK, ACCENT, MUTED = "#1f2933", "#2563eb", "#9aa5b1"
SHOWN_SLICES = 20
NAMED_CLASSES, LONGEST_NAME = 10, 16
STYLE: dict[Any, Any] = {
    "svg.hashsalt": "mlops",
    "font.family": "sans-serif",
    "font.size": 10,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.edgecolor": MUTED,
    "axes.labelcolor": INK,
    "text.color": INK,
    "xtick.color": INK,
    "ytick.color": INK,
    "legend.frameon": False,
}


def evaluation_plots(
    folder: Path,
    task: str,
    evaluation: dict[str, Any],
    truth: np.ndarray[Any, Any],
    scores: np.ndarray[Any, Any],
    metric: str,
    classes: list[Any] | None,
) -> None:
    """Draw `calibration.svg`, `predictions.svg` and, where there are slices, `slices.svg`."""
    import matplotlib as mpl
    from matplotlib.figure import Figure

    with mpl.rc_context(STYLE):
        drawings = {"calibration": lambda axes: _calibration(axes, task, evaluation["calibration"])}
        if task == "regression":
            drawings["predictions"] = lambda axes: _residuals(axes, truth - scores)
        elif scores.shape[1] == 2:
            drawings["predictions"] = lambda axes: _roc(axes, truth, scores[:, 1])
        else:
            drawings["predictions"] = lambda axes: _confusion(axes, truth, scores.argmax(axis=1), classes or [])
        if evaluation["slices"]:
            drawings["slices"] = lambda axes: _slices(axes, evaluation, metric)
        for name, draw in drawings.items():
            tall = min(len(evaluation["slices"]), SHOWN_SLICES) * 0.22 + 1 if name == "slices" else 0
            figure = Figure(figsize=(5, max(3.4, tall)), layout="constrained")
            draw(figure.add_subplot())  # type: ignore[no-untyped-call]
            figure.savefig(folder / f"{name}.svg", metadata={"Date": None})


def _calibration(axes: "Axes", task: str, bins: list[dict[str, float]]) -> None:
    predicted, observed = ([each[side] for each in bins] for side in ("predicted", "observed"))
    low, high = min(predicted + observed), max(predicted + observed)
    axes.plot([low, high], [low, high], color=MUTED, linestyle="--", label="perfect")
    axes.plot(predicted, observed, color=ACCENT, marker="o", label="model")
    unit = "" if task == "regression" else " share"
    axes.set(xlabel=f"predicted{unit} (a tenth of the rows each)", ylabel=f"observed{unit}")
    axes.legend()


def _roc(axes: "Axes", truth: np.ndarray[Any, Any], scores: np.ndarray[Any, Any]) -> None:
    from sklearn.metrics import roc_curve

    false, true, _ = roc_curve(truth, scores)
    axes.plot([0, 1], [0, 1], color=MUTED, linestyle="--", label="naive")
    axes.plot(false, true, color=ACCENT, label="model")
    axes.set(xlabel="false positive rate", ylabel="true positive rate")
    axes.legend()


def _confusion(axes: "Axes", truth: np.ndarray[Any, Any], predicted: np.ndarray[Any, Any], classes: list[Any]) -> None:
    from sklearn.metrics import confusion_matrix

    shares = confusion_matrix(truth, predicted, labels=range(len(classes)), normalize="true")
    axes.imshow(shares, cmap="Blues", vmin=0, vmax=1)
    if len(classes) <= NAMED_CLASSES:
        names = [name if len(name) <= LONGEST_NAME else f"{name[: LONGEST_NAME - 1]}…" for name in map(str, classes)]
        axes.set_xticks(range(len(names)), names, rotation=30 if max(map(len, names)) > 8 else 0)
        axes.set_yticks(range(len(names)), names)
        for (row, column), share in np.ndenumerate(shares):
            color = "white" if share > 0.5 else INK
            axes.text(column, row, f"{share:.2f}", ha="center", va="center", color=color)
    axes.set(xlabel="predicted class", ylabel="true class")


def _residuals(axes: "Axes", residuals: np.ndarray[Any, Any]) -> None:
    low, high = np.percentile(residuals, [1, 99])
    axes.hist(residuals.clip(low, high), bins=60, color=ACCENT)
    axes.axvline(0, color=INK, linestyle="--")
    axes.set(xlabel="truth minus prediction (clipped at the 1st and 99th percentile)", ylabel="rows")


def _slices(axes: "Axes", evaluation: dict[str, Any], metric: str) -> None:
    higher = evaluation["higher_is_better"][metric]
    ranked = sorted(evaluation["slices"], key=lambda each: each["metrics"][metric], reverse=not higher)
    shown = ranked[:SHOWN_SLICES]
    names = [f"{each['column']} = {each['value']} ({each['rows']:,})" for each in shown]
    axes.barh(names, [each["metrics"][metric] for each in shown], color=ACCENT)
    axes.axvline(evaluation["metrics"][metric], color=INK, linestyle="--")
    axes.invert_yaxis()
    axes.set(xlabel=f"{metric}, worst first; dashed: all rows")
