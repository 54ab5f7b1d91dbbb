# The template's: `copier update` renews this file.
"""`params.yaml` as typed values; each key has a default, so that an old file goes on working."""

from datetime import date, datetime
from pathlib import Path
from typing import Annotated, Any, Literal, Self, TypeVar

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, ValidationError, field_validator, model_validator

from mlops.errors import UsageError, redacted
from mlops.files import canonical_hash

Task = Literal["classification", "regression"]
Model = TypeVar("Model", bound=BaseModel)


class _Section(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)


def read_moment(value: Any) -> Any:
    """A date or a time from text; YAML's own dates are refused, for DVC cannot take them."""
    if isinstance(value, date):
        raise ValueError(f"write it in quotes, '{value}'")
    return datetime.fromisoformat(value) if isinstance(value, str) else value


Moment = Annotated[datetime, BeforeValidator(read_moment)]


class Data(_Section):
    source: str = Field(default="data/sample/flights.parquet", min_length=1)
    """A path, a folder, a pattern or any fsspec URL of Parquet or CSV files."""
    since: Moment | None = None
    """The first moment of the rows to learn from, by the data set's time."""
    until: Moment | None = None
    """The moment before which they end."""
    window_days: int | None = Field(default=None, ge=1)
    """So many days up to `until`, or to the last row where that is not set: a window that moves on with the data."""

    @field_validator("source")
    @classmethod
    def _no_secret(cls, value: str) -> str:
        if redacted(value) != value:
            raise ValueError(
                "it carries a password or a signature, which would be kept in git and in MLflow; take it out, and give "
                "credentials by the service's own variables or by fsspec's settings"
            )
        return value

    @model_validator(mode="after")
    def _one_start(self) -> Self:
        if self.since is not None and self.window_days is not None:
            raise ValueError("since and window_days both say where the window starts; take one out")
        if self.since is not None and self.until is not None and self.since >= self.until:
            raise ValueError("since is not before until")
        return self


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
    confidence: float = Field(default=0.95, gt=0.5, lt=1)
    """Of the interval that the gain over the champion lies in."""
    significant: bool = False
    """Whether the whole interval has to reach `minimum_gain`, and not the gain alone."""
    slice_drop: float | None = Field(default=None, gt=0)
    """How much worse than the champion's any reported slice may be, where that is surely no chance."""
    latency_ms: float | None = Field(default=None, gt=0)
    """Milliseconds that the prediction of a single row may take, the quickest of a few."""
    parity: float = Field(default=1e-6, ge=0)
    """How far predictions of single rows may lie from those of the same rows in one batch."""


class Monitor(_Section):
    metric: Literal["brier", "log_loss", "mae", "mse"] | None = None
    """The loss of a row whose mean is watched; default: `brier` in a classification, `mae` in a regression."""
    worse: float = Field(default=0.05, ge=0)
    """By which share the loss may grow before it counts."""
    label_drift: float | None = Field(default=None, ge=0, le=1)
    """How far the labels may move: Jensen-Shannon distance of classes (default 0.05), KS of numbers (0.1)."""
    prediction_drift: float = Field(default=0.1, ge=0, le=1)
    """How far the predictions may move where no labels say more: KS of numbers, Jensen-Shannon of classes."""
    feature_drift: float = Field(default=0.1, ge=0, le=1)
    """The same for each column; it is reported, and decides nothing."""
    quality: float = Field(default=0.01, ge=0, le=1)
    """The share of rows that may break the contract."""
    confidence: float = Field(default=0.95, gt=0.5, lt=1)
    """How sure a change must be to count."""
    recent_days: int = Field(default=28, ge=1)
    """The last days are looked at by themselves, where the rows span twice as many or more."""
    rows: int = Field(default=200, ge=1)
    """With fewer rows than these nothing is decided."""


class Retrain(_Section):
    max_age_days: int | None = Field(default=90, ge=1)
    """A champion whose data end so many days before the newest row is trained anew."""
    new_rows: float | None = Field(default=0.25, gt=0)
    """So is one since whose data so many labelled rows have come, as a share of what it was trained on."""


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
    monitor: Monitor = Monitor()
    retrain: Retrain = Retrain()

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
    content = read_yaml(path)
    if not isinstance(content, dict):
        raise UsageError(f"{path} holds no keys; it needs at least 'task'")
    return checked(Params, content, path)


def read_yaml(path: Path) -> Any:
    """Read a file of the user's.

    Raises:
        UsageError: it is not there, or no YAML.
    """
    import yaml

    try:
        return yaml.safe_load(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, yaml.YAMLError) as error:
        raise UsageError(f"{path} cannot be read: {' '.join(str(error).split())}") from error


def checked(model: type[Model], content: Any, path: Path, *within: str) -> Model:
    """The content of a user's file, or of the section `within` it, as typed values.

    Raises:
        UsageError: a key is unknown, missing or has an impossible value.
    """
    try:
        return model.model_validate(content)
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join([*within, *(str(part) for part in first["loc"])])
        if first["type"] == "extra_forbidden":
            raise UsageError(f"{path}: unknown key '{where}'; take it out or mend its spelling") from error
        shown = "" if first["type"] == "missing" else f" is {first['input']!r}"
        fault = str(first["ctx"]["error"]) if first["type"] == "value_error" else first["msg"].lower()
        raise UsageError(f"{path}: {where}{shown}: {fault}") from error
