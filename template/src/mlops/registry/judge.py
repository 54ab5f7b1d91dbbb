"""The judge: compares a model with the champion, gates it, records the run, and registers it or refuses.

Idempotent by content. A receipt beside the tracking store says what was decided of a model, so that
nothing is done, and MLflow not even imported, where nothing is new.
"""

import tempfile
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from mlops import tracking
from mlops.errors import MlopsError
from mlops.files import canonical_hash, file_hash, folder_hash, read_json, write_json
from mlops.lineage import lineage_tags, uncommitted_patch
from mlops.params import Params
from mlops.pipeline.paths import BUNDLE, EVALUATION, REPORT, TEST
from mlops.project import Project
from mlops.registry.gate import Check, Rival, gate
from mlops.report import write_report
from mlops.settings import Settings, load_settings
from mlops.source import FINGERPRINT

if TYPE_CHECKING:
    from mlflow.entities.model_registry import ModelVersion

RECEIPTS = Path(".mlops/receipts")


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
    return canonical_hash([folder_hash(BUNDLE), file_hash(EVALUATION / "evaluation.json")])


def known_decision(project: Project, params: Params) -> Decision | None:
    """The receipt's decision on the present model if it still stands, without importing MLflow."""
    from mlops.tracking import registered

    settings = load_settings()
    try:
        decision = Decision(**read_json(RECEIPTS / f"{identity_of_model()}.json"))
    except (OSError, ValueError, TypeError):
        return None
    if (decision.tracking_uri, decision.model) != (settings.tracking_uri, model_name(project, settings)):
        return None
    state = registered(settings, decision.model, decision.version)
    if state is None or not state.there:
        return None
    if decision.version is not None:
        return decision
    # A refusal stands as long as the gate and the champion are those of that day.
    same = decision.gate_sha256 == _gate_hash(params) and decision.compared_with == state.champion
    return decision if same else None


def model_name(project: Project, settings: Settings) -> str:
    return settings.model_name or project.name


def judge(project: Project, params: Params) -> Decision:
    """Decide on the model in `models/bundle`, or say again what was decided on it."""
    decision = known_decision(project, params)
    if decision is None:
        return _Judgement(project, params).decide()
    if not REPORT.is_file():
        write_report(project, params, decision)
    return decision


class _Judgement:
    """One decision, with the store open. Each step can be done again after the process was killed."""

    def __init__(self, project: Project, params: Params) -> None:
        self.project, self.params, self.settings = project, params, load_settings()
        self.name, self.identity = model_name(project, self.settings), identity_of_model()
        self.evaluation = read_json(EVALUATION / "evaluation.json")
        self.client = tracking.open_client(self.settings)

    def decide(self) -> Decision:
        client = self.client
        experiment = tracking.experiment_id(client, self.settings.experiment or self.project.name)
        run = tracking.find_run(client, experiment, self.identity)
        version = tracking.version_of_run(client, self.name, run.info.run_id) if run else None
        if run and version and run.info.status == "FINISHED":
            # An old model come back, by a parameter changed and changed back: it was judged then.
            decision = Decision(**read_json(tracking.download(client, run.info.run_id, "decision.json")))
            write_json(self._receipt, asdict(decision))
            write_report(self.project, self.params, decision)
            return decision
        champion = tracking.champion_version(client, self.name)
        if champion and version and str(champion.version) == str(version.version):
            champion = None  # killed after the alias was set: a model is not compared with itself
        rival = self._rival(champion) if champion else None
        checks = gate(self.params, self.evaluation, rival)
        passed = all(check.passed for check in checks)
        if run is None:
            label = f"{self.project.name}-{self.identity[:8]}"
            run = client.create_run(experiment, run_name=label, tags={"mlops.model": self.identity})
        run_id = run.info.run_id
        lineage = self._record(run_id, checks, rival)
        if passed:
            version = version or self._create_version(run_id)
            for key, value in lineage.items():
                client.set_model_version_tag(self.name, version.version, key, value)
            client.set_registered_model_alias(self.name, tracking.CHAMPION, version.version)
        decision = Decision(
            model=self.name,
            identity=self.identity,
            gate_sha256=_gate_hash(self.params),
            tracking_uri=self.settings.tracking_uri,
            run_id=run_id,
            version=str(version.version) if passed and version else None,
            compared_with=str(champion.version) if champion else None,
            lineage=lineage,
            metric=self.params.metric,
            metrics=self.evaluation["metrics"],
            checks=[asdict(check) for check in checks],
        )
        write_report(self.project, self.params, decision)
        client.log_artifact(run_id, str(REPORT))
        with tempfile.TemporaryDirectory() as folder:
            write_json(Path(folder) / "decision.json", asdict(decision))
            client.log_artifact(run_id, f"{folder}/decision.json")
        client.set_terminated(run_id, "FINISHED")
        write_json(self._receipt, asdict(decision))
        return decision

    @property
    def _receipt(self) -> Path:
        return RECEIPTS / f"{self.identity}.json"

    def _rival(self, champion: "ModelVersion") -> Rival:
        """The champion's value of the gate's metric on our test set, or why there is none."""
        import numpy as np
        import polars as pl

        from mlops.metrics import measure
        from mlops.pipeline.evaluate import all_metrics
        from mlops.pipeline.train import encode
        from mlops.registry.bundle import load_bundle

        version = str(champion.version)
        metric = self.params.metric
        if champion.run_id is None:
            return Rival(version, None, "it was not registered by this pipeline")
        bundle = load_bundle(tracking.download(self.client, champion.run_id, "model"))
        ours = read_json(BUNDLE / "bundle.json")
        for what in ("task", "label"):
            if bundle.about[what] != ours[what]:
                return Rival(version, None, f"its {what} was {bundle.about[what]}, now it is {ours[what]}")
        frame = pl.read_parquet(TEST)
        if missing := sorted(set(bundle.schema) - set(frame.columns)):
            return Rival(version, None, f"it needs the column '{missing[0]}', which the data lack now")
        scores = bundle.scores(frame.with_columns(pl.col(name).cast(kind) for name, kind in bundle.schema.items()))
        if ours["classes"] is not None:
            # A class that the champion does not know has no probability from it.
            known = {label: scores[:, at] for at, label in enumerate(bundle.classes or [])}
            none = np.zeros(len(frame))
            scores = np.column_stack([known.get(label, none) for label in ours["classes"]])
        truth = encode(frame[self.project.dataset.label], ours["classes"])
        value = measure({metric: all_metrics(self.project, self.params.task)[metric]}, truth, scores)
        return Rival(version, value[metric], None)

    def _record(self, run_id: str, checks: list[Check], rival: Rival | None) -> dict[str, str]:
        """Log the run; return its lineage, which its version carries too."""
        client, params, evaluation = self.client, self.params, self.evaluation
        client.update_run(run_id, status="RUNNING")
        passed = all(check.passed for check in checks)
        told = [check for check in checks if check.passed == passed]
        patch = uncommitted_patch()
        lineage = lineage_tags(params, patch)
        tags = {
            **lineage,
            "mlflow.source.git.commit": lineage["mlops.commit"],
            "mlops.gate": "passed" if passed else "refused",
            "mlops.gate.reason": "; ".join(f"{check.name}: {check.explanation}" for check in told)[:4900],
        }
        values = {
            **evaluation["metrics"],
            **{f"naive_{name}": value for name, value in evaluation["naive"].items()},
            "parity": evaluation["parity"],
        }
        if rival and rival.value is not None:
            values["champion_" + params.metric] = rival.value
        tracking.log_values(
            client,
            run_id,
            params=_flat(params.model_dump()),
            metrics={name: value for name, value in values.items() if value is not None},
            tags=tags,
        )
        tracking.log_datasets(client, run_id, self._datasets(lineage["mlops.data_md5"]))
        client.log_artifacts(run_id, str(BUNDLE), "model")
        client.log_artifacts(run_id, str(EVALUATION), "evaluation")
        for name in ("params.yaml", "dvc.yaml", "dvc.lock", "uv.lock", FINGERPRINT):
            if Path(name).is_file():
                client.log_artifact(run_id, str(name), "source")
        if patch:
            client.log_text(run_id, patch, "source/uncommitted.patch")
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

    def _create_version(self, run_id: str) -> "ModelVersion":
        tracking.ensure_model(self.client, self.name, "")
        uri = self.client.get_run(run_id).info.artifact_uri
        return self.client.create_model_version(self.name, f"{uri}/model", run_id)


def _gate_hash(params: Params) -> str:
    return canonical_hash(params.gate.model_dump())


def _flat(values: dict[str, Any], prefix: str = "") -> dict[str, Any]:
    flat: dict[str, Any] = {}
    for key, value in values.items():
        if isinstance(value, dict):
            flat |= _flat(value, f"{prefix}{key}.")
        else:
            flat[f"{prefix}{key}"] = value
    return flat
