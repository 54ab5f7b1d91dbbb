# The template's: `copier update` renews this file.
"""The pictures of a monitoring report: what moved, by how much, since when, and whether it matters."""

import io
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import numpy as np

from mlops.plots import ACCENT, INK, MUTED, STYLE
from mlops.report import inline_plot

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

WARN, PALE = "#b42318", "#c7d2e0"
SHOWN_COLUMNS, SHOWN_SHAPES = 15, 6
SHADES = "YlOrRd"


def pictures(content: dict[str, Any]) -> dict[str, str]:
    """SVG drawings by name: `time`, `columns`, `heat` and `shapes`, as far as there is something to draw."""
    import matplotlib as mpl

    drawn: dict[str, str] = {}
    with mpl.rc_context(STYLE):
        if len(content["periods"]) > 1:
            drawn["time"] = _figure((8.6, 5.4), lambda figure: _over_time(figure, content))
        columns = [column for column in content["columns"] if _finite(column["effect"])]
        if columns:
            tall = 0.3 * min(len(columns), SHOWN_COLUMNS) + 1.1
            drawn["columns"] = _figure((8.6, tall), lambda figure: _columns(figure, columns, content))
            if len(content["periods"]) > 1:
                drawn["heat"] = _figure((8.6, tall + 0.5), lambda figure: _heat(figure, columns, content))
            drawn["shapes"] = _figure((8.6, 4.8), lambda figure: _shapes(figure, columns))
    return {name: inline_plot(drawing, name) for name, drawing in drawn.items()}


def _figure(size: tuple[float, float], draw: "Callable[[Figure], None]") -> str:
    from matplotlib.figure import Figure

    figure = Figure(figsize=size, layout="constrained")
    draw(figure)
    stream = io.StringIO()
    figure.savefig(stream, format="svg", metadata={"Date": None})
    return stream.getvalue()


def _finite(value: float | None) -> bool:
    return value is not None and bool(np.isfinite(value))


def _series(periods: list[dict[str, Any]], key: str) -> np.ndarray[Any, Any]:
    return np.array([np.nan if each[key] is None else each[key] for each in periods], dtype=float)


def _ticks(axes: "Axes", names: list[str]) -> None:
    places = np.unique(np.linspace(0, len(names) - 1, min(len(names), 10)).astype(int))
    axes.set_xticks(places, [names[place] for place in places], rotation=30, ha="right")


def _over_time(figure: "Figure", content: dict[str, Any]) -> None:
    periods, names = content["periods"], [each["start"] for each in content["periods"]]
    at = np.arange(len(periods))
    losses, performance = _series(periods, "loss"), content["performance"]
    labelled = performance is not None and np.isfinite(losses).any()
    panels = figure.subplots(2 if labelled else 1, 1, sharex=True, squeeze=False)[:, 0]
    means = panels[-1]
    if labelled:
        upper = panels[0]
        was = performance["reference"]
        bound = was * (1 + content["bounds"]["worse"])
        upper.axhspan(bound, max(bound, np.nanmax(losses)) * 1.06, color=WARN, alpha=0.07, lw=0)
        upper.axhline(was, color=INK, linestyle="--", lw=1, label=f"in the test: {was:.4g}")
        upper.plot(at, losses, color=ACCENT, marker="o", ms=4, label=f"each {content['unit']}")
        worse = losses >= bound
        upper.plot(at[worse], losses[worse], "o", color=WARN, ms=6, label="worse than the bound")
        upper.set_ylim(max(0.0, np.nanmin([*losses, was]) * 0.85), max(bound, np.nanmax(losses)) * 1.06)
        upper.set(title="Performance: the loss, where lower is better", ylabel=performance["metric"])
        upper.legend(fontsize=8, loc="best")
    labels = _series(periods, "label")
    predicted = _series(periods, "prediction")
    if np.isfinite(labels).any():
        means.plot(at, labels, color=INK, marker="o", ms=4, label="what came (labels)")
    means.plot(at, predicted, color=ACCENT, marker="o", ms=4, label="what was predicted")
    was = content["predictions"]["reference_mean"]
    means.axhline(was, color=MUTED, linestyle="--", lw=1, label=f"predicted in the test: {was:.4g}")
    means.set(title="Labels and predictions, mean", ylabel="")
    means.legend(fontsize=8, loc="best")
    _ticks(means, names)


def _columns(figure: "Figure", columns: list[dict[str, Any]], content: dict[str, Any]) -> None:
    shown = columns[:SHOWN_COLUMNS]
    axes = figure.subplots()
    top = max(1e-9, *(column["importance"] for column in shown))
    colors = [_shade(column["importance"] / top) for column in shown]
    axes.barh([column["name"] for column in shown], [column["effect"] for column in shown], color=colors)
    bare = {"facecolor": "white", "edgecolor": "none", "pad": 1}  # over the bound's line, too, it can be read
    for place, column in enumerate(shown):
        told = f"importance {column['importance']:.0%}"
        axes.text(column["effect"] + 0.008, place, told, va="center", fontsize=8, bbox=bare)
    bound = content["bounds"]["feature_drift"]
    axes.axvline(bound, color=WARN, linestyle="--", lw=1, label=f"bound {bound:g}")
    axes.invert_yaxis()
    axes.set_xlim(0, min(1.15, max(bound * 1.5, max(column["effect"] for column in shown) * 1.25)))
    axes.set(xlabel="how far it moved: 0 not at all, 1 nothing in common; the darker, the more the model relies on it")
    axes.legend(fontsize=8, loc="lower right")


def _shade(weight: float) -> Any:
    from matplotlib.colors import LinearSegmentedColormap

    return LinearSegmentedColormap.from_list("weight", [PALE, ACCENT])(0.1 + 0.9 * weight)


def _heat(figure: "Figure", columns: list[dict[str, Any]], content: dict[str, Any]) -> None:
    shown = columns[:SHOWN_COLUMNS]
    names = [each["start"] for each in content["periods"]]
    table = np.array([[np.nan if value is None else value for value in each["by_period"]] for each in shown])
    axes = figure.subplots()
    picture = axes.pcolormesh(
        np.arange(len(names) + 1) - 0.5,
        np.arange(len(shown) + 1) - 0.5,
        table,
        cmap=SHADES,
        vmin=0,
        vmax=max(0.5, float(np.nanmax(table)) if np.isfinite(table).any() else 0.5),
    )
    axes.set_yticks(range(len(shown)), [column["name"] for column in shown])
    axes.invert_yaxis()
    axes.tick_params(length=0)
    for side in axes.spines.values():
        side.set_visible(False)
    _ticks(axes, names)
    figure.colorbar(picture, ax=axes, label="how far it moved", shrink=0.8)


def _shapes(figure: "Figure", columns: list[dict[str, Any]]) -> None:
    shown = columns[:SHOWN_SHAPES]
    across = 3 if len(shown) > 2 else len(shown)
    grid = figure.subplots(-(-len(shown) // across), across, squeeze=False)
    for axes in grid.flat[len(shown) :]:
        axes.set_visible(False)
    for axes, column in zip(grid.flat, shown, strict=False):
        if column["kind"] == "numbers":
            _histogram(axes, column["histogram"])
        else:
            _shares(axes, column["shares"][:8])
        axes.set_title(f"{column['name']}", fontsize=10)
        axes.set_yticks([])
        axes.tick_params(labelsize=8)
    handles, labels = grid.flat[0].get_legend_handles_labels()
    figure.legend(handles, labels, loc="outside lower center", ncols=2, fontsize=9)


def _histogram(axes: "Axes", shape: dict[str, list[float]]) -> None:
    if len(shape["edges"]) < 2:
        return
    axes.stairs(shape["reference"], shape["edges"], fill=True, color=PALE, label="training")
    axes.stairs(shape["current"], shape["edges"], color=ACCENT, lw=1.6, label="now")


def _shares(axes: "Axes", shares: list[dict[str, Any]]) -> None:
    at = np.arange(len(shares))
    axes.bar(at - 0.2, [each["reference"] for each in shares], width=0.4, color=PALE, label="training")
    axes.bar(at + 0.2, [each["current"] for each in shares], width=0.4, color=ACCENT, label="now")
    axes.set_xticks(at, [str(each["value"])[:12] for each in shares], rotation=45 if len(shares) > 5 else 0)
