# The template's: `copier update` renews this file.
"""The model card: what a version is for, what it learnt from, how well it does and who let it into use."""

import tempfile
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from mlops import tracking
from mlops.errors import MlopsError
from mlops.files import read_json, write_text
from mlops.registry.audit import Entry
from mlops.registry.promotion import Promotions
from mlops.report import PLOTS, inline_plot, page_environment, render_page

if TYPE_CHECKING:
    from mlflow import MlflowClient
    from mlflow.entities import Run
    from mlflow.entities.model_registry import ModelVersion

TEXT = Path("docs/model-card.md")
"""The part of the card that only its owners know; the run keeps it as it was when the model was trained."""
ARTIFACT = "card"
SLICES = 40


def render_card(promotions: Promotions, version: "ModelVersion") -> tuple[str, str]:
    """The card of a version as Markdown and as an HTML page with everything in it.

    Raises:
        MlopsError: its run lacks what every run of the pipeline has.
    """
    from markdown_it import MarkdownIt

    about = _facts(promotions, version)
    environment = page_environment(autoescape=False)
    environment.filters |= {"cell": _cell, "moment": moment}
    markdown = environment.get_template("card.md").render(about)
    body = MarkdownIt("commonmark", {"html": False}).enable("table").render(markdown)
    page = render_page(
        "card.html", title=f"{about['name']} version {about['version']}: model card", body=body, plots=about["plots"]
    )
    return markdown, page


def attach_card(promotions: Promotions, version: "ModelVersion") -> None:
    """Write the card of a version into the artifacts of its run, in place of the one from before."""
    with tempfile.TemporaryDirectory() as folder:
        for name, text in zip(("card.md", "card.html"), render_card(promotions, version), strict=True):
            write_text(Path(folder) / name, text)
        tracking.upload(promotions.client, str(version.run_id), Path(folder), ARTIFACT)


def write_card(promotions: Promotions, version: "ModelVersion", folder: Path) -> list[Path]:
    """Write the card of a version into a folder; returns the files."""
    files = [folder / f"version-{version.version}.{ending}" for ending in ("md", "html")]
    for file, text in zip(files, render_card(promotions, version), strict=True):
        write_text(file, text)
    return files


def _facts(promotions: Promotions, version: "ModelVersion") -> dict[str, Any]:
    from mlflow.exceptions import MlflowException

    client, number = promotions.client, str(version.version)
    run_id = str(version.run_id)
    try:
        run = client.get_run(run_id)
        evaluation = read_json(tracking.download(client, run_id, "evaluation/evaluation.json"))
        bundle = read_json(tracking.download(client, run_id, "model/bundle.json"))
    except (MlflowException, OSError, ValueError) as error:
        raise MlopsError(f"version {number} has no evaluation in its run {run_id}, so no card: {error}") from error
    entries = promotions.history()
    about = [entry for entry in entries if number in (entry.from_version, entry.to_version)]
    return {
        "name": promotions.name,
        "version": number,
        "status": status_of(number, entries),
        "owners_text": _owners_text(client, run_id),
        "run_id": run_id,
        "tags": run.data.tags,
        "params": run.data.params,
        "registered": moment(version.creation_timestamp),
        "evaluation": evaluation,
        "bundle": bundle,
        "slices": evaluation["slices"][:SLICES],
        "more_slices": max(0, len(evaluation["slices"]) - SLICES),
        "drift": latest_monitoring(client, run),
        "entries": about,
        "plots": _plots(client, run_id),
    }


def status_of(version: str, entries: list[Entry]) -> str:
    """What a version is now, by the audit log."""
    last: Entry | None = None
    for entry in entries:
        if entry.action != "register" and version in (entry.from_version, entry.to_version):
            last = entry
    if last is None:
        return "registered, never champion"
    when = last.time[:10]
    if last.to_version == version:
        return f"champion since {when}"
    how = "rolled back" if last.action == "rollback" else "replaced"
    return f"{how} on {when} by version {last.to_version}" if last.to_version else f"champion until {when}"


def moment(milliseconds: int) -> str:
    return datetime.fromtimestamp(milliseconds / 1000, UTC).strftime("%Y-%m-%d %H:%M UTC")


def latest_monitoring(client: "MlflowClient", run: "Run") -> "Run | None":
    """The newest run of `mlops monitor` on the model of a run, if there is any."""
    wanted = f"tags.mlops.monitored_run = '{run.info.run_id}'"
    found = client.search_runs([run.info.experiment_id], wanted, max_results=1, order_by=["attributes.start_time DESC"])
    return found[0] if found else None


def _owners_text(client: "MlflowClient", run_id: str) -> str:
    from mlflow.exceptions import MlflowException

    try:
        text = tracking.download(client, run_id, f"source/{TEXT.name}").read_text(encoding="utf-8")
    except (MlflowException, OSError, UnicodeDecodeError):
        return f"Nobody has said yet: write it in `{TEXT}`."
    return text.strip()


def _plots(client: "MlflowClient", run_id: str) -> dict[str, str]:
    """The drawings of the evaluation by title."""
    from mlflow.exceptions import MlflowException

    found = {}
    for name, title in PLOTS.items():
        with suppress(MlflowException, OSError):  # there are no slices to draw, say
            drawing = tracking.download(client, run_id, f"evaluation/{name}.svg").read_text(encoding="utf-8")
            found[title] = inline_plot(drawing, name)
    return found


def _cell(value: Any) -> str:
    """Text as a cell of a Markdown table shows it: as it is, and in one line."""
    text = " ".join(str(value).split())
    return "".join(f"\\{letter}" if letter in "\\`*_[]<>|" else letter for letter in text)
