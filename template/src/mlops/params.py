"""`params.yaml` as typed values; each key has a default, so that an old file goes on working."""

from pathlib import Path
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from mlops.errors import UsageError
from mlops.files import canonical_hash

Task = Literal["classification", "regression"]


class _Section(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)


class Data(_Section):
    source: str = Field(default="data/sample/flights.parquet", min_length=1)
    """A path, a folder, a pattern or any fsspec URL of Parquet or CSV files."""


class Split(_Section):
    by: Literal["auto", "time", "random", "stratified", "group"] = "auto"
    """`auto`: by time where the data set has a time column, else at random."""
    test: float = Field(default=0.2, gt=0, lt=1)
    """The share of rows (of groups, `by: group`) that is held out; the latest ones `by: time`."""


class Evaluate(_Section):
    slice_rows: int = Field(default=200, ge=1)
    """A slice with fewer rows of the test set is not reported: its metrics would be noise."""


class Gate(_Section):
    metric: str | None = None
    """What decides; default: `roc_auc` in a classification, `mae` in a regression."""
    minimum: float | None = None
    """The worst value that may pass."""
    minimum_gain: float = 0.0
    """How much better than the champion, on the same rows; 0 lets an equal model pass."""
    worst_slice: float | None = None
    """The worst value that any reported slice may have."""
    parity: float = Field(default=1e-6, ge=0)
    """How far predictions of single rows may lie from those of the same rows in one batch."""


class Params(_Section):
    """Everything that changes a model, as in `params.yaml`."""

    task: Task
    seed: int = Field(default=42, ge=0, lt=2**32)
    data: Data = Data()
    split: Split = Split()
    estimator: dict[str, Any] = {}
    """Handed to `build` in `estimator.py` as keywords."""
    evaluate: Evaluate = Evaluate()
    gate: Gate = Gate()

    @property
    def metric(self) -> str:
        """The metric that decides: the gate's, or the task's default."""
        return self.gate.metric or ("mae" if self.task == "regression" else "roc_auc")

    @property
    def hash(self) -> str:
        """The digest of all values, defaults included."""
        return canonical_hash(self.model_dump())


def load_params(path: Path = Path("params.yaml")) -> Params:
    """Read and check `params.yaml`.

    Raises:
        UsageError: it is no YAML, or a key is unknown, missing or has an impossible value.
    """
    import yaml

    try:
        content = yaml.safe_load(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, yaml.YAMLError) as error:
        raise UsageError(f"{path} cannot be read: {' '.join(str(error).split())}") from error
    if not isinstance(content, dict):
        raise UsageError(f"{path} holds no keys; it needs at least 'task'")
    try:
        return Params.model_validate(content)
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(str(part) for part in first["loc"])
        if first["type"] == "extra_forbidden":
            raise UsageError(f"{path}: unknown key '{where}'; take it out or mend its spelling") from error
        shown = "" if first["type"] == "missing" else f" is {first['input']!r}"
        raise UsageError(f"{path}: {where}{shown}: {first['msg'].lower()}") from error
