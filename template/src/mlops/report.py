# The template's: `copier update` renews this file.
"""The report on a model: one HTML page with everything in it, for a browser or a mail."""

import math
import re
from pathlib import Path
from typing import TYPE_CHECKING, Any

from mlops.files import read_json, write_text
from mlops.params import Params
from mlops.pipeline.paths import BUNDLE, EVALUATION, REPORT, SUMMARY
from mlops.project import Project

if TYPE_CHECKING:
    from jinja2 import Environment

    from mlops.registry.judge import Decision

PLOTS = {
    "calibration": "Calibration: what was predicted beside what came",
    "predictions": "Predictions against the truth",
    "slices": "Slices, worst first",
}


def write_report(project: Project, params: Params, decision: "Decision") -> None:
    """Write `reports/index.html` from what the stages left."""
    plots = {
        title: inline_plot(file.read_text(encoding="utf-8"), name)
        for name, title in PLOTS.items()
        if (file := EVALUATION / f"{name}.svg").is_file()
    }
    page = render_page(
        "model.html",
        project=project.name,
        params=params.model_dump(),
        evaluation=read_json(EVALUATION / "evaluation.json"),
        bundle=read_json(BUNDLE / "bundle.json"),
        decision=decision,
        plots=plots,
    )
    write_text(REPORT, page)
    write_text(SUMMARY, summary(decision))


def is_reported(decision: "Decision") -> bool:
    """Whether `reports/index.html` tells of this decision, and not of that on another model."""
    return REPORT.is_file() and decision.run_id in REPORT.read_text(encoding="utf-8")


def inline_plot(drawing: str, name: str) -> str:
    """An SVG file as an element of a page, its ids kept apart from those of other plots by a name."""
    element = drawing[drawing.index("<svg") :]
    element = re.sub(r"<metadata>.*?</metadata>", "", element, flags=re.DOTALL)
    return re.sub(r'(\bid="|href="#|url\(#)', rf"\g<1>{name}-", element)


def summary(decision: "Decision") -> str:
    """The decision as Markdown, for a comment or a message."""
    rival = decision.champion_metrics
    verdict = (
        f"**Refused.** {decision.refusal}."
        if decision.version is None
        else f"**Passed**, as version {decision.version} of {decision.model}."
    )
    against = f" champion (version {decision.compared_with}) |" if rival else ""
    lines = [verdict, "", f"| metric | this model |{against}", "|---|--:|" + ("--:|" if rival else "")]
    for name, value in sorted(decision.metrics.items(), key=lambda item: (item[0] != decision.metric, item[0])):
        deciding = " (decides)" if name == decision.metric else ""
        theirs = f" {shown(rival.get(name))} |" if rival else ""
        lines.append(f"| {name}{deciding} | {shown(value)} |{theirs}")
    lines += ["", "| check | | what was found |", "|---|---|---|"]
    for check in decision.checks:
        told = str(check["explanation"]).replace("|", "\\|")
        lines.append(f"| {check['name']} | {'passed' if check['passed'] else '**failed**'} | {told} |")
    return "\n".join(lines) + "\n"


def render_page(template: str, **values: Any) -> str:
    """Fill in one of the pages in `html/`; every value is escaped, save plots of our own."""
    return page_environment().get_template(template).render(values)


def page_environment(*, autoescape: bool = True) -> "Environment":
    """Where the pages in `html/` are filled in; text that is not HTML wants no escapes."""
    from jinja2 import Environment, FileSystemLoader, StrictUndefined

    environment = Environment(
        loader=FileSystemLoader(Path(__file__).parent / "html"),
        autoescape=autoescape,  # noqa: S701 - off for Markdown alone
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters["number"] = shown
    return environment


def shown(value: Any) -> str:
    """A value as a person reads it."""
    if value is None or (isinstance(value, float) and math.isnan(value)):
        return "-"
    if isinstance(value, float):
        size = abs(value)
        if size and not 0.001 <= size < 1000:
            return f"{value:.3g}" if size < 1 else f"{value:,.0f}"
        return f"{value:.4f}" if size < 10 else f"{value:.2f}"
    if isinstance(value, int) and not isinstance(value, bool):
        return f"{value:,}"
    return str(value)
