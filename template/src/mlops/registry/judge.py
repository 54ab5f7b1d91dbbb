# The template's: `copier update` renews this file.
"""The judge: compares a model with the champion, gates it, records the run, and registers it or refuses.

Idempotent by content. A receipt beside the tracking store says what was decided of a model, so that
nothing is done, and MLflow not even imported, where nothing is new.
"""

import shutil
import tempfile
from dataclasses import asdict, dataclass, field, fields, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from mlops import tracking
from mlops.errors import MlopsError
from mlops.files import canonical_hash, file_hash, folder_hash, read_json, write_json
from mlops.lineage import PATCH, lineage_tags, uncommitted_patch
from mlops.params import Params
from mlops.pipeline.paths import BUNDLE, EVALUATION, REPORT
from mlops.project import Project
from mlops.registry.card import TEXT, attach_card
from mlops.registry.gate import Check, Rival, gate
from mlops.registry.promotion import GATE, OvertakenError, Promotions, champion_before
from mlops.report import is_reported, write_report
from mlops.settings import Settings, load_settings
from mlops.source import FINGERPRINT

if TYPE_CHECKING:
    from mlflow.entities import Run
    from mlflow.entities.model_registry import ModelVersion

RECEIPTS = Path(".mlops/receipts")
ATTEMPTS = 5


@dataclass(frozen=True)
class Decision:
    """What was decided of a model; `version` is None where it was refused."""

    model: str
    identity: str
    gate_sha256: str
    tracking_uri: str
    run_id: str
    version: str | None
    compared_with: str | None
    """The champion's version at the time."""
    lineage: dict[str, str]
    metric: str
    metrics: dict[str, float | None]
    checks: list[dict[str, Any]]
    waits: str | None = None
    """Why it was registered and not promoted, and what has to be done; None where it was promoted."""
    champion_metrics: dict[str, float | None] = field(default_factory=dict)
    """The champion's on the rows that were compared; empty where there was none."""

    @classmethod
    def read(cls, path: Path) -> "Decision":
        """Read one that this or another version of the machinery has written.

        Raises:
            OSError, ValueError, TypeError: it is not there or no decision.
        """
        known = {field.name for field in fields(cls)}
        return cls(**{name: value for name, value in read_json(path).items() if name in known})

    def stands(self, params: Params, champion: str | None) -> bool:
        """Whether it would be the same today: a refusal only with the gate and the champion of that day."""
        return self.version is not None or (self.gate_sha256, self.compared_with) == (_gate_hash(params), champion)

    @property
    def refusal(self) -> str:
        """Why the gate refused, in one line."""
        failed = [f"{check['name']}: {check['explanation']}" for check in self.checks if not check["passed"]]
        return "; ".join(failed)

    def require_passed(self) -> None:
        """Raise what fails the run where the gate refused the model."""
        if self.version is None:
            raise MlopsError(f"the gate refused the model: {self.refusal}. The run {self.run_id} has the details")


def identity_of_model() -> str:
    """The digest of what `train` and `evaluate` made: the same model has the same one."""
    return identity_of(BUNDLE, EVALUATION)


def identity_of(bundle: Path, evaluation: Path) -> str:
    return canonical_hash([folder_hash(bundle), file_hash(evaluation / "evaluation.json")])


def receipt(project: Project) -> Decision | None:
    """What the receipt says of the present model in this store, whether or not it still stands."""
    settings = load_settings()
    try:
        decision = Decision.read(RECEIPTS / f"{identity_of_model()}.json")
    except (OSError, ValueError, TypeError):
        return None
    here = (tracking.shown_uri(settings), model_name(project, settings))
    return decision if (decision.tracking_uri, decision.model) == here else None


def known_decision(project: Project, params: Params) -> Decision | None:
    """The receipt's decision on the present model if it still stands.

    An embedded store is asked without importing MLflow, a server through it.
    """
    decision = receipt(project)
    if decision is None:
        return None
    state = tracking.registered(load_settings(), decision.model, decision.version, decision.run_id)
    if not state.there or not decision.stands(params, state.champion):
        return None
    return replace(decision, waits=None) if decision.version == state.champion else decision


def model_name(project: Project, settings: Settings) -> str:
    return settings.model_name or project.name


def judge(project: Project, params: Params) -> Decision:
    """Decide on the model in `models/bundle`, or say again what was decided on it."""
    decision = known_decision(project, params)
    if decision is None:
        return _Judgement(project, params).decide()
    if not is_reported(decision):
        write_report(project, params, decision)
    return decision


class _Judgement:
    """One decision, with the store open. Each step can be done again after the process was killed."""

    def __init__(self, project: Project, params: Params) -> None:
        self.project, self.params, self.settings = project, params, load_settings()
        self.name, self.identity = model_name(project, self.settings), identity_of_model()
        self.evaluation = read_json(EVALUATION / "evaluation.json")
        self.client = tracking.open_client(self.settings)
        self.promotions = Promotions(self.client, project, self.settings)

    def decide(self) -> Decision:
        with tracking.answering(self.settings):
            experiment = tracking.experiment_id(self.client, self.settings.experiment or self.project.name)
            for _ in range(ATTEMPTS):
                try:
                    decision = self._decide(experiment)
                except OvertakenError:
                    continue  # it was compared with a champion that is none any more
                write_json(self._receipt, asdict(decision))
                return decision
        raise MlopsError(f"the champion of {self.name} kept changing while this model was judged; run again")

    def _decide(self, experiment: str) -> Decision:
        client = self.client
        run, version = self._earlier(experiment)
        history, champion = self.promotions.history(), self.promotions.champion()
        if run and run.info.status == "FINISHED":
            # An old model come back, by a parameter changed and changed back: it was judged then.
            decision = self._recorded(run.info.run_id)
            if decision and decision.stands(self.params, champion) and (version or decision.version is None):
                write_report(self.project, self.params, decision)
                return decision
        promoted = version is not None and any(
            entry.action == "promote" and entry.to_version == str(version.version) for entry in history
        )
        # Where a killed process had promoted it, it is compared with the champion of then, not with itself.
        compared = champion_before(history, str(version.version)) if version and promoted else champion
        found = tracking.find_version(client, self.name, compared) if compared else None
        rival = self._rival(found) if found else None
        checks = gate(self.params, self.evaluation, rival, self._latency())
        passed = promoted or all(check.passed for check in checks)
        if run is None:
            tags = {"mlops.model": self.identity, "mlops.params_sha256": self.params.hash}
            run = client.create_run(experiment, run_name=f"{self.project.name}-{self.identity[:8]}", tags=tags)
        run_id = run.info.run_id
        lineage = self._record(run, checks, rival)
        waits = None
        if passed:
            self.promotions.open()
            version = version or tracking.create_version(self.client, self.name, run_id)
            for key, value in lineage.items():
                client.set_model_version_tag(self.name, version.version, key, value)
            if not promoted:
                waits = self._promote(str(version.version), checks, champion)
        decision = Decision(
            model=self.name,
            identity=self.identity,
            gate_sha256=_gate_hash(self.params),
            tracking_uri=tracking.shown_uri(self.settings),
            run_id=run_id,
            version=str(version.version) if passed and version else None,
            compared_with=compared,
            lineage=lineage,
            metric=self.params.metric,
            metrics=self.evaluation["metrics"],
            checks=[asdict(check) for check in checks],
            waits=waits,
            champion_metrics=dict(rival.metrics) if rival else {},
        )
        write_report(self.project, self.params, decision)
        tracking.upload(client, run_id, REPORT)
        with tempfile.TemporaryDirectory() as folder:
            write_json(Path(folder) / "decision.json", asdict(decision))
            tracking.upload(client, run_id, Path(folder) / "decision.json")
        if version and decision.version:
            attach_card(self.promotions, version)
        client.set_terminated(run_id, "FINISHED")
        return decision

    def _earlier(self, experiment: str) -> "tuple[Run | None, ModelVersion | None]":
        """The run to go on with, and its version: one that was registered, else one with the same parameters."""
        runs = tracking.find_runs(self.client, experiment, self.identity)
        for run in runs:
            if version := tracking.version_of_run(self.client, self.name, run.info.run_id):
                return run, version
        # MLflow does not let a run's parameters be changed, so another gate is another run.
        same = [run for run in runs if run.data.tags.get("mlops.params_sha256") == self.params.hash]
        return (same[0] if same else None), None

    def _recorded(self, run_id: str) -> Decision | None:
        from mlflow.exceptions import MlflowException

        try:
            return Decision.read(tracking.download(self.client, run_id, "decision.json"))
        except (MlflowException, OSError, ValueError, TypeError):
            return None

    def _promote(self, version: str, checks: list[Check], champion: str | None) -> str | None:
        """Register a version that has passed, and promote it unless someone has to approve: then say who."""
        reason = f"passed the gate: {'; '.join(f'{check.name}: {check.explanation}' for check in checks)}"[:1500]
        self.promotions.register(version, reason)
        waits = self.promotions.waits_for(version)
        if waits is None:
            than = f" against version {champion}" if champion else ""
            self.promotions.promote(version, approver=GATE, reason=f"passed the gate{than}", expected=champion)
        return waits

    @property
    def _receipt(self) -> Path:
        return RECEIPTS / f"{self.identity}.json"

    def _rival(self, champion: "ModelVersion") -> Rival:
        from mlops.registry.rival import rival_of

        return rival_of(self.client, champion, self.project, self.params, self.evaluation)

    def _latency(self) -> float | None:
        from mlops.registry.latency import latency_ms

        return None if self.params.gate.latency_ms is None else latency_ms()

    def _record(self, run: "Run", checks: list[Check], rival: Rival | None) -> dict[str, str]:
        """Log the run; return its lineage, which its version carries too."""
        client, params, evaluation = self.client, self.params, self.evaluation
        run_id = run.info.run_id
        client.update_run(run_id, status="RUNNING")
        passed = all(check.passed for check in checks)
        reasons = [f"{check.name}: {check.explanation}" for check in checks if check.passed == passed]
        patch = uncommitted_patch()
        lineage = lineage_tags(params, dirty=bool(patch))
        tags = {
            **lineage,
            "mlflow.source.git.commit": lineage["mlops.commit"],
            "mlops.gate": "passed" if passed else "refused",
            "mlops.gate.reason": "; ".join(reasons)[: tracking.TAG_LIMIT],
        }
        values = {
            **evaluation["metrics"],
            **{f"naive_{name}": value for name, value in evaluation["naive"].items()},
            "parity": evaluation["parity"],
        }
        if rival and rival.value is not None:
            values |= {f"champion_{name}": value for name, value in rival.metrics.items()} | rival.figures
        tracking.log_values(
            client,
            run_id,
            params={name: value for name, value in flat(params.model_dump()).items() if name not in run.data.params},
            metrics={name: value for name, value in values.items() if value is not None},
            tags=tags,
        )
        tracking.log_datasets(client, run_id, self._datasets(lineage["mlops.data_md5"]))
        tracking.upload(client, run_id, BUNDLE, "model")
        tracking.upload(client, run_id, EVALUATION, "evaluation")
        with tempfile.TemporaryDirectory() as folder:
            for name in ("params.yaml", "dvc.yaml", "dvc.lock", "uv.lock", FINGERPRINT, TEXT):
                if Path(name).is_file():
                    shutil.copyfile(name, Path(folder) / Path(name).name)
            if patch:
                (Path(folder) / PATCH).write_bytes(patch)
            tracking.upload(client, run_id, Path(folder), "source")
        return lineage

    def _datasets(self, data_md5: str) -> list[tracking.Input]:
        about = read_json(BUNDLE / "bundle.json")
        source = read_json(FINGERPRINT)["source"] if FINGERPRINT.is_file() else self.params.data.source
        shape = {"columns": about["inputs"], "label": about["label"], "data_md5": data_md5}
        return [
            tracking.Input("train", about["training_sha256"], source, shape, about["training_rows"], "training"),
            tracking.Input(
                "test", self.evaluation["test_sha256"], source, shape, self.evaluation["rows"], "evaluation"
            ),
        ]


def _gate_hash(params: Params) -> str:
    return canonical_hash(params.gate.model_dump())


def flat(values: dict[str, Any], prefix: str = "") -> dict[str, Any]:
    """Nested values by their path, such as `gate.minimum`: the names under which MLflow has parameters."""
    found: dict[str, Any] = {}
    for key, value in values.items():
        found |= flat(value, f"{prefix}{key}.") if isinstance(value, dict) else {f"{prefix}{key}": value}
    return found
