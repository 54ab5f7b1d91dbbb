# The template's: `copier update` renews this file.
"""`mlops monitor`: what moved since the model was trained, as a page, as JSON and in MLflow."""

import math
import re
from contextlib import nullcontext
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from mlops import tracking
from mlops.errors import MlopsError, UsageError
from mlops.files import canonical_hash, write_json, write_text
from mlops.monitoring.rows import Labels, Period, Rows, open_labels, open_rows
from mlops.monitoring.verdict import Verdict
from mlops.params import Params
from mlops.project import Project
from mlops.settings import Settings

if TYPE_CHECKING:
    from mlflow import MlflowClient

    from mlops.registry.models import ModelRef

FOLDER = Path("reports/monitor")
KIND = "monitoring"


@dataclass(frozen=True)
class Question:
    """What is to be watched."""

    current: str | None = None
    """A file, a folder, a pattern or a URL; None for the log of predictions."""
    labels: str | None = None
    model: str | None = None
    period: Period = field(default_factory=Period)


def monitor(
    current: str | None,
    labels: str | None,
    model: str | None,
    since: str | None,
    until: str | None,
    on: str | None = None,
) -> bool:
    """Watch rows, write the report and print what was found; a platform `on` which alarms act gets the figures.

    Returns:
        Whether somebody has to act.
    """
    from mlops.console import open_console
    from mlops.params import load_params
    from mlops.platforms import connect
    from mlops.project import load_project
    from mlops.settings import load_settings

    project, params, settings = load_project(), load_params(), load_settings()
    question = Question(current, labels, model, Period.parse(since, until))
    platform = connect(on, project, settings) if on is not None else None
    console = open_console()
    client = tracking.open_client(settings)
    content = examine(project, params, settings, client, question, console)
    if platform is not None:
        platform.publish(_signals(content), {"Environment": settings.environment})
    console.print(f"[bold]{'act' if content['verdict'] == 'act' else 'fine'}[/bold]: ", end="")
    console.print(content["summary"], markup=False)
    console.print(f"report: {FOLDER / 'index.html'}", markup=False)
    return bool(content["verdict"] == "act")


def examine(
    project: Project,
    params: Params,
    settings: Settings,
    client: "MlflowClient",
    question: Question,
    console: Any = None,
) -> dict[str, Any]:
    """Watch rows; write the page, the JSON and a run of MLflow; return what the JSON holds.

    Raises:
        MlopsError: there are no rows, or they cannot be read or predicted.
        UsageError: there is no such file, model or label.
    """
    from mlops.registry.models import find_model

    location = where(question.current, settings)
    model = find_model(question.model, project, settings, client)
    content = findings(project, params, client, model, location, question, console)
    write_report(content)
    _record(project, settings, client, model, content)
    return content


def where(current: str | None, settings: Settings) -> str:
    """What is watched: what was named, or the log of predictions."""
    if current is not None:
        return current
    log = settings.log_uri
    if not log:
        raise UsageError(
            "MLOPS_LOG_URI is empty, so there is no log of predictions; name a file, folder or URL of rows"
        )
    if "://" not in log and not any(Path(log).rglob("*.parquet")):
        raise UsageError(
            f"there are no predictions in {log} yet; name a file, folder, pattern or URL of rows to watch, "
            "or serve the model first"
        )
    return log


def findings(
    project: Project,
    params: Params,
    client: "MlflowClient",
    model: "ModelRef",
    location: str,
    question: Question,
    console: Any = None,
) -> dict[str, Any]:
    """Watch rows and say what was found, without writing anything but what is remembered of the model."""
    from mlops.monitoring.importance import importance
    from mlops.monitoring.reference import load_reference
    from mlops.monitoring.watch import Watch
    from mlops.pipeline.evaluate import all_metrics

    reference = load_reference(model, client)
    with open_rows(location, reference, question.period, "CURRENT") as rows:
        if not rows.count:
            within = " in this period" if question.period != Period() else ""
            raise MlopsError(f"{rows.location} has no rows{within}; there is nothing to watch")
        watch = Watch(reference, params, rows)
        with open_labels(question.labels, rows) if question.labels is not None else nullcontext() as labels:
            _walk(watch, labels, rows, console)
        if labels is not None and not watch.now.outcomes.rows and not watch.now.outcomes.unknown:
            raise MlopsError(
                f"none of the {labels.rows:,} labels in {labels.shown} belongs to one of the {rows.count:,} rows in "
                f"{rows.location}; they are joined by {', '.join(labels.by)}"
            )
        weights = importance(reference, watch.metric)
        return Verdict(watch, all_metrics(project, reference.bundle.about["task"]), weights).content()


def _walk(watch: Any, labels: Labels | None, rows: Rows, console: Any) -> None:
    if console is None:
        watch.walk(labels)
        return
    from rich.progress import Progress

    with Progress(console=console, transient=True) as progress:
        task = progress.add_task("rows", total=rows.count)
        watch.walk(labels, lambda done: progress.advance(task, done))


def write_report(content: dict[str, Any]) -> None:
    """Write `reports/monitor/`: the page, the JSON and a short text."""
    from mlops.monitoring.pictures import pictures
    from mlops.report import render_page

    for column in content["columns"]:
        for share in column.get("shares", []):
            share["gap"] = abs(share["current"] - share["reference"])
    page = render_page("monitor.html", report=content, pictures=_Pictures(pictures(content)))
    write_json(FOLDER / "monitor.json", content)
    write_text(FOLDER / "index.html", page)
    write_text(FOLDER / "summary.md", summary(content))


class _Pictures(dict[str, str]):
    """Drawings by name; one that was not drawn is empty."""

    def __missing__(self, name: str) -> str:
        return ""


def summary(content: dict[str, Any]) -> str:
    """The findings as Markdown, for an issue or a message."""
    current = content["current"]
    lines = [
        f"**{'Act' if content['verdict'] == 'act' else 'Fine'}.** {content['summary']}",
        "",
        f"{current['rows']:,} rows, {current['labelled']:,} with a label"
        + (f", from {current['first_day']} to {current['last_day']}" if current["first_day"] else ""),
        "",
        "| what | | what was found | since |",
        "|---|---|---|---|",
    ]
    for each in content["findings"]:
        state = "act" if each["act"] else "moved" if each["moved"] else "fine"
        text = each["text"].replace("|", "\\|")
        lines.append(f"| {each['about']} | {state} | {text} | {each['since'] or ''} |")
    return "\n".join(lines) + "\n"


def _record(
    project: Project, settings: Settings, client: "MlflowClient", model: "ModelRef", content: dict[str, Any]
) -> None:
    """Log the figures and the report to a run; the same question with the same answer has the same run."""
    experiment = tracking.experiment_id(client, settings.experiment or project.name)
    identity = canonical_hash(content)
    found = client.search_runs([experiment], f"tags.mlops.monitoring = '{identity}'", max_results=1)
    if found and found[0].info.status == "FINISHED":
        return
    label = f"monitor-{model.version or model.name}-{content['current']['last_day'] or 'now'}"
    tags = {"mlops.kind": KIND, "mlops.monitoring": identity}
    run = found[0] if found else client.create_run(experiment, run_name=label, tags=tags)
    run_id = run.info.run_id
    tracking.log_values(
        client,
        run_id,
        params={"model": model.name, "version": model.version, "current": content["current"]["location"]},
        metrics=_figures(content),
        tags={
            "mlops.kind": KIND,
            "mlops.verdict": content["verdict"],
            "mlops.summary": content["summary"][: tracking.TAG_LIMIT],
            "mlops.monitored_run": model.run_id or "none",
        },
    )
    tracking.upload(client, run_id, FOLDER, "monitor")
    client.set_terminated(run_id, "FINISHED")


def _figures(content: dict[str, Any]) -> dict[str, float]:
    """What can be drawn over several runs."""
    figures = {
        "rows": float(content["current"]["rows"]),
        "labelled": float(content["current"]["labelled"]),
        "act": float(content["verdict"] == "act"),
        "broken_rows": float(content["quality"]["broken_rows"]),
        "prediction_drift": content["predictions"]["distance"],
    }
    if content["labels"] is not None:
        figures["label_drift"] = content["labels"]["distance"]
    for metric in content["metrics"]:
        figures[f"now_{metric['name']}"] = metric["current"]
    for column in content["columns"]:
        figures["drift_" + re.sub(r"[^\w\-. :/]", "_", column["name"])] = column["effect"]
    return {name: float(value) for name, value in figures.items() if value is not None}


def _signals(content: dict[str, Any]) -> dict[str, float]:
    """What alarms of a platform act on; what could not be said without labels is left out."""
    rows, labels, performance = content["current"]["rows"], content["labels"], content["performance"]
    signals = {
        "Act": content["verdict"] == "act",
        "Performance": performance and performance["relative"],
        "LabelDrift": labels and labels["distance"],
        "PredictionDrift": content["predictions"]["distance"],
        "Quality": content["quality"]["broken_rows"] / rows,
        "Rows": rows,
    }
    return {name: float(value) for name, value in signals.items() if value is not None and math.isfinite(value)}
