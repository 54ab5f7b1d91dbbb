# The template's: `copier update` renews this file.
"""`mlops retrain`: decide whether to train anew, let the pipeline and the judge do it, and say why in a paragraph.

Safe to kill and to repeat: why it trains is written down before it trains, the pipeline goes on where it was, and the
judge promotes only against the champion that it compared with.
"""

import shutil
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass, field
from datetime import datetime
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any

import polars as pl

from mlops import tracking
from mlops.contract import conform
from mlops.errors import MlopsError, UsageError
from mlops.files import read_json, write_json, write_text
from mlops.monitoring.monitor import FOLDER as MONITOR
from mlops.monitoring.monitor import Question, examine, where
from mlops.monitoring.rows import Period
from mlops.params import Params
from mlops.pipeline.ingest import in_window, moment
from mlops.pipeline.paths import BUNDLE
from mlops.project import Project
from mlops.registry.audit import locked
from mlops.settings import Settings
from mlops.source import open_source, scan_source, write_fingerprint

if TYPE_CHECKING:
    from mlflow import MlflowClient
    from rich.console import Console

    from mlops.registry.judge import Decision
    from mlops.registry.models import ModelRef

FOLDER = Path("reports/retrain")
LOCK = Path(".mlops/retrain.lock")
UNFINISHED = Path(".mlops/retrain.json")
"""Why a retraining was begun that has not ended."""
PROMOTED, REFUSED, SAME, WAITS, NOTHING, EARLIER = "promoted", "refused", "same", "waits", "nothing", "earlier"


@dataclass(frozen=True)
class Plan:
    """Why to train anew, if at all."""

    champion: str | None
    reasons: list[str]
    broken: str | None = None
    """What is wrong with the data, if something is: then training anew would not help."""
    seen: list[str] = field(default_factory=list)
    """What was looked at and is no reason."""


@dataclass(frozen=True)
class Outcome:
    """What came of it."""

    outcome: str
    champion_before: str | None
    champion: str | None
    version: str | None
    run_id: str | None
    reasons: list[str]
    paragraph: str

    @property
    def act(self) -> bool:
        """Whether somebody has to see to it: there was a reason to train, and no better model came of it."""
        return self.outcome in (REFUSED, EARLIER) or (self.outcome in (SAME, NOTHING) and bool(self.reasons))


def retrain(current: str | None, labels: str | None, since: str | None, until: str | None, *, force: bool) -> bool:
    """Train anew if there is a reason; print what came of it.

    Returns:
        Whether somebody has to act.

    Raises:
        MlopsError: another one is at work here, or a stage failed.
    """
    from mlops.console import open_console
    from mlops.params import load_params
    from mlops.project import load_project
    from mlops.settings import load_settings

    project, params, settings = load_project(), load_params(), load_settings()
    question = Question(current, labels, None, Period.parse(since, until))
    console = open_console()
    with locked(LOCK, "another 'mlops retrain' is at work in this project", patience=0.5):
        outcome = _Retraining(project, params, settings, console).run(question, force=force)
    console.print(f"[bold]{outcome.outcome}[/bold]: ", end="")
    console.print(outcome.paragraph, markup=False)
    return outcome.act


class _Retraining:
    def __init__(self, project: Project, params: Params, settings: Settings, console: "Console") -> None:
        from mlops.registry.promotion import Promotions

        self.project, self.params, self.settings, self.console = project, params, settings, console
        self.client: MlflowClient = tracking.open_client(settings)
        self.promotions = Promotions(self.client, project, settings)

    def run(self, question: Question, *, force: bool) -> Outcome:
        plan = self._unfinished() or self._plan(question, force=force)
        if plan.broken is not None and not force:
            return self._ended(plan, NOTHING, None, f"Nothing was trained: {plan.broken}.", reasons=[plan.broken])
        if not plan.reasons:
            seen = f" {_sentence(plan.seen)}" if plan.seen else ""
            return self._ended(plan, NOTHING, None, f"There is no reason to train anew.{seen}")
        for reason in plan.reasons:
            self.console.print(f"because {reason}", markup=False)
        write_json(UNFINISHED, asdict(plan))
        outcome = self._conclude(plan, self._train())
        UNFINISHED.unlink(missing_ok=True)
        return outcome

    def _unfinished(self) -> Plan | None:
        """The plan of one that was killed."""
        with suppress(OSError, ValueError, TypeError):
            plan = Plan(**read_json(UNFINISHED))
            self.console.print("going on with a retraining that was interrupted", markup=False)
            return plan
        return None

    def _plan(self, question: Question, *, force: bool) -> Plan:
        from mlops.registry.models import find_model

        champion = self.promotions.champion()
        if champion is None:
            return Plan(None, ["there is no champion yet"])
        model = find_model(None, self.project, self.settings, self.client)
        reasons, seen, broken = self._watched(question)
        newer, older = self._news(model)
        reasons, seen = reasons + newer, seen + older
        if force:
            reasons.append("it was asked for with --force")
        return Plan(champion, reasons, broken, seen)

    def _watched(self, question: Question) -> tuple[list[str], list[str], str | None]:
        """What the monitor says: reasons to train, what is fine, and what is wrong with the data."""
        try:
            where(question.current, self.settings)
        except UsageError:
            return [], ["there are no predictions yet to watch"], None
        content = examine(self.project, self.params, self.settings, self.client, question, self.console)
        acting = [each for each in content["findings"] if each["act"]]
        reasons = [each["text"] for each in acting if each["retrain"]]
        broken = [each["text"] for each in acting if not each["retrain"]]
        seen = [] if acting else [content["summary"].rstrip(".")]
        return reasons, seen, broken[0] if broken else None

    def _news(self, model: "ModelRef") -> tuple[list[str], list[str]]:
        """What is new in the source since the champion's data: reasons to train, and what is none."""
        bounds, dataset = self.params.retrain, self.project.dataset
        about = read_json(model.path / "bundle.json")
        write_fingerprint(self.params.data.source)
        end, held = self._known_until(model, about)
        needed = [*dataset.target.meta.root_names(), *([dataset.time] if dataset.time else [])]
        with scan_source(open_source(self.params.data.source)) as frame:
            there = [name for name in dict.fromkeys(needed) if name in frame.collect_schema()]
            rows = in_window(conform(frame.select(there), dataset), dataset, self.params.data)
            rows = rows.with_columns(dataset.target).filter(pl.col(dataset.label).is_not_null())
            if end is None or dataset.time is None:
                found = rows.select(pl.len()).collect(engine="streaming").item() - about["training_rows"] - held
                newest = None
            else:
                time = pl.col(dataset.time)
                later = (time > moment(end, dataset.dtypes[dataset.time])).sum()
                found, newest = rows.select(later, time.max().alias("newest")).collect(engine="streaming").row(0)
        share = max(0, found) / max(1, about["training_rows"])
        since = f" since {end:%Y-%m-%d}" if end else ""
        told = f"{max(0, found):,} labelled rows came{since}: {share:.0%} of what version {model.version} learnt from"
        is_new = bounds.new_rows is not None and share >= bounds.new_rows
        reasons, seen = ([told], []) if is_new else ([], [told])
        if newest is not None and end is not None and bounds.max_age_days is not None:
            days = (_naive(newest) - _naive(end)).days
            if days > bounds.max_age_days:
                reasons.append(
                    f"the data of version {model.version} end {days} days before the newest row; "
                    f"retrain.max_age_days is {bounds.max_age_days}"
                )
        return reasons, seen

    def _known_until(self, model: "ModelRef", about: dict[str, Any]) -> tuple[datetime | None, int]:
        """The last moment that the champion was trained or tested on, if there is time, and its test rows."""
        evaluation = read_json(tracking.download(self.client, str(model.run_id), "evaluation/evaluation.json"))
        ends = [span[1] for span in (about["training_span"], evaluation["test_span"]) if span]
        parsed = []
        for end in ends:
            with suppress(ValueError):  # of a time that is no date, such as a year's number
                parsed.append(datetime.fromisoformat(end))
        return max(parsed, default=None), int(evaluation["rows"])

    def _train(self) -> "Decision":
        """Bring the pipeline up to date, the judge included; a refusal is a decision too."""
        from mlops.registry.judge import receipt
        from mlops.repro import reproduce

        write_fingerprint(self.params.data.source)
        try:
            reproduce(self._watch)
        except MlopsError as error:
            decision = receipt(self.project)
            if decision is None or decision.version is not None or decision.refusal not in str(error):
                raise
            return decision
        decision = receipt(self.project)
        if decision is None:
            raise MlopsError("the pipeline has no stage 'register', so nothing was decided; see dvc.yaml")
        return decision

    @contextmanager
    def _watch(self, name: str) -> Iterator[None]:
        with self.console.status(f"{name} ..."):
            yield
        self.console.print(f"[green]✓[/green] {name}")

    def _conclude(self, plan: Plan, decision: "Decision") -> Outcome:
        model, version, champion = decision.model, decision.version, self.promotions.champion()
        because = f"It was trained because {_joined(plan.reasons)}."
        if version is None:
            text = f"The challenger was refused, and {_named(champion)} of {model} stays champion."
            return self._ended(plan, REFUSED, decision, f"{text} {because} {_learnt()} Refused: {decision.refusal}.")
        if version == plan.champion:
            text = (
                f"The champion, version {version} of {model}, is what this code and these data give, so there is "
                f"nothing newer to learn from. There was a reason to train: {_joined(plan.reasons)}."
            )
            return self._ended(plan, SAME, decision, text)
        checks = "; ".join(f"{check['name']}: {check['explanation']}" for check in decision.checks)
        if champion == version:
            instead = f" in place of version {plan.champion}" if plan.champion else ""
            text = f"Version {version} of {model} became champion{instead}. {because} {_learnt()} It passed: {checks}."
            return self._ended(plan, PROMOTED, decision, text)
        if decision.waits:
            text = (
                f"Version {version} of {model} passed the gate and is not champion yet: {decision.waits}. "
                f"{because} {_learnt()} It passed: {checks}."
            )
            return self._ended(plan, WAITS, decision, text)
        text = (
            f"This code and these data give version {version} of {model} again, which was judged before and is not "
            f"the champion; that is {_named(champion)}. {because} If it should be champion: mlops promote {version}."
        )
        return self._ended(plan, EARLIER, decision, text)

    def _ended(
        self,
        plan: Plan,
        outcome: str,
        decision: "Decision | None",
        paragraph: str,
        reasons: list[str] | None = None,
    ) -> Outcome:
        """Write down what came of it: under `reports/retrain` and, where a model was judged, in its run."""
        ended = Outcome(
            outcome,
            plan.champion,
            self.promotions.champion(),
            decision.version if decision else None,
            decision.run_id if decision else None,
            plan.reasons if reasons is None else reasons,
            paragraph,
        )
        write_json(FOLDER / "retrain.json", asdict(ended))
        write_text(FOLDER / "summary.md", f"**{outcome}.** {paragraph}\n")
        if decision is not None and outcome not in (SAME, EARLIER):
            run_id = decision.run_id
            self.client.set_tag(run_id, "mlops.retrain", outcome)
            self.client.set_tag(run_id, "mlops.retrain.reason", _joined(plan.reasons)[: tracking.TAG_LIMIT])
            self.client.set_tag(run_id, "mlops.retrain.paragraph", paragraph[: tracking.TAG_LIMIT])
            with TemporaryDirectory() as folder:
                shutil.copytree(FOLDER, folder, dirs_exist_ok=True)
                if (MONITOR / "monitor.json").is_file():
                    shutil.copyfile(MONITOR / "monitor.json", f"{folder}/monitor.json")
                tracking.upload(self.client, run_id, Path(folder), "retrain")
        return ended


def _learnt() -> str:
    """What the challenger in `models/bundle` has learnt from."""
    about = read_json(BUNDLE / "bundle.json")
    span = about["training_span"]
    when = f" from {span[0][:10]} to {span[1][:10]}" if span else ""
    return f"It learnt from {about['training_rows']:,} rows{when}."


def _naive(when: Any) -> datetime:
    """A date or a time without its zone: days are counted, not minutes."""
    if isinstance(when, datetime):
        return when.replace(tzinfo=None)
    return datetime(when.year, when.month, when.day)


def _named(version: str | None) -> str:
    return "no version" if version is None else f"version {version}"


def _joined(reasons: list[str]) -> str:
    return "; and ".join(reasons)


def _sentence(parts: list[str]) -> str:
    text = "; ".join(parts)
    return f"{text[:1].upper()}{text[1:]}."
