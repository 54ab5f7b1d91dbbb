# The template's: `copier update` renews this file.
"""What the machinery knows of the user's package: where it is, its name, and the declarations in it."""

import importlib
import os
import sys
import tomllib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

from mlops.errors import MlopsError, UsageError

if TYPE_CHECKING:
    from types import ModuleType

    import numpy as np
    import pandera.polars as pa
    import polars as pl

GOVERNANCE = ("standard", "regulated")


@dataclass(frozen=True, kw_only=True)
class Dataset:
    """What `dataset.py` declares of the data.

    Raises:
        UsageError: a field is of another kind, a named column is not in the contract, the key is empty, or the
            target is known when scoring.
    """

    contract: "type[pa.DataFrameModel] | pa.DataFrameSchema"
    """Names, types and possible values of the columns, as a pandera model or schema."""
    key: Sequence[str]
    """The columns that name a row: no two rows may share them."""
    target: "pl.Expr"
    """What is to be predicted, from the contract's columns; null where a row has no label."""
    known_when_scoring: Sequence[str]
    """The columns that exist at the moment of a prediction: features are made of these alone."""
    time: str | None = None
    """When a row happened, if the data has such a column."""
    group: str | None = None
    """Rows that share this column never lie on both sides of a split `by: group`."""
    slices: Sequence[str] = ()
    """Columns by whose values metrics are reported, and the gate's worst slice is found."""
    classes: Sequence[Any] | None = None
    """The labels of a classification in order; of two the last is the positive one. Default: sorted."""

    def __post_init__(self) -> None:
        import pandera.polars as pa
        import polars as pl

        model = isinstance(self.contract, type) and issubclass(self.contract, pa.DataFrameModel)
        if not model and not isinstance(self.contract, pa.DataFrameSchema):
            raise UsageError(
                f"dataset.py: contract is {self.contract!r}; give it a DataFrameModel or a DataFrameSchema of pandera"
            )
        if not isinstance(self.target, pl.Expr):
            raise UsageError(f"dataset.py: target is {self.target!r}; write an expression, such as pl.col('label')")
        columns = set(self.schema.columns)
        named = {
            "key": self.key,
            "target": self.target.meta.root_names(),
            "known_when_scoring": self.known_when_scoring,
            "time": [self.time] if self.time else [],
            "group": [self.group] if self.group else [],
            "slices": self.slices,
        }
        for field, names in named.items():
            if isinstance(names, str):
                raise UsageError(f"dataset.py: {field} is the text '{names}'; write a list of columns")
            if unknown := sorted(set(names) - columns):
                raise UsageError(
                    f"dataset.py: {field} names '{unknown[0]}', which the contract lacks; "
                    f"add it to the contract or take it out of {field}"
                )
        if leaks := sorted(set(named["target"]) & set(self.known_when_scoring)):
            raise UsageError(
                f"dataset.py: the target is made of '{leaks[0]}', so it cannot be in "
                "known_when_scoring; take it out there"
            )
        if not self.known_when_scoring:
            raise UsageError("dataset.py: known_when_scoring is empty; name the columns features may use")
        if not self.key:
            raise UsageError("dataset.py: key is empty; name the columns that no two rows share")

    @cached_property
    def schema(self) -> "pa.DataFrameSchema":
        """The contract as a pandera schema."""
        return self.contract.to_schema() if isinstance(self.contract, type) else self.contract

    @cached_property
    def label(self) -> str:
        """The name of the target's column."""
        return self.target.meta.output_name()

    @property
    def dtypes(self) -> "dict[str, pl.DataType]":
        """The polars type of each column of the contract."""
        types = {name: column.dtype.type for name, column in self.schema.columns.items()}
        return {name: dtype() if isinstance(dtype, type) else dtype for name, dtype in types.items()}

    @property
    def kept(self) -> list[str]:
        """The columns that training, evaluation and monitoring need, in the contract's order."""
        wanted = {*self.key, *self.known_when_scoring, *self.slices, self.time, self.group}
        return [name for name in self.schema.columns if name in wanted]


class Estimator(Protocol):
    """A scikit-learn estimator; a classifier has `predict_proba` as well."""

    def fit(self, features: "pl.DataFrame", target: "np.ndarray[Any, Any]") -> Any: ...

    def predict(self, features: "pl.DataFrame") -> "np.ndarray[Any, Any]": ...


@dataclass(frozen=True)
class Metric:
    """A metric of the user's: `function(truth, prediction)`.

    `truth` has shape (n,): numbers in a regression, indices of classes in a classification.
    `prediction` has shape (n,) in a regression and (n, classes), probabilities, in a classification.
    """

    function: "Callable[[np.ndarray[Any, Any], np.ndarray[Any, Any]], float]"
    higher_is_better: bool = True


@dataclass(frozen=True)
class Project:
    """This project: its folder, its name (of the registered model and the experiment), its package."""

    root: Path
    name: str
    package: str
    governance: str = "standard"
    """`standard`: what passes the gate is promoted. `regulated`: someone who did not train it has to approve."""
    primary_cloud: str | None = None
    """The cloud that has the data and the tracking server; None where there are not several."""

    @cached_property
    def dataset(self) -> Dataset:
        return self._attribute("dataset", "DATASET", Dataset)  # type: ignore[no-any-return]

    @property
    def metrics(self) -> Mapping[str, Metric]:
        found = self._attribute("metrics", "METRICS", Mapping)
        if wrong := [name for name, metric in found.items() if not isinstance(metric, Metric)]:
            raise UsageError(
                f"src/{self.package}/metrics.py: METRICS['{wrong[0]}'] is no Metric; write Metric(function)"
            )
        return found  # type: ignore[no-any-return]

    @property
    def build_features(self) -> "Callable[[pl.DataFrame], pl.DataFrame]":
        return self._attribute("features", "build", Callable)  # type: ignore[no-any-return]

    @property
    def build_estimator(self) -> Callable[..., Estimator]:
        return self._attribute("estimator", "build", Callable)  # type: ignore[no-any-return]

    @property
    def code(self) -> Path:
        """The folder of the user's package."""
        return self.root / "src" / self.package

    def _attribute(self, module: str, name: str, kind: Any) -> Any:
        loaded = import_user_module(f"{self.package}.{module}")
        if not hasattr(loaded, name):
            raise UsageError(f"src/{self.package}/{module}.py has no {name}; define it there")
        value = getattr(loaded, name)
        if not isinstance(value, kind):
            raise UsageError(f"src/{self.package}/{module}.py: {name} is {value!r}; it must be a {kind.__name__}")
        return value


def import_user_module(name: str) -> "ModuleType":
    """Import a module of the user's package; what is wrong in it becomes one line with the place."""
    try:
        return importlib.import_module(name)
    except MlopsError:
        raise
    except Exception as error:
        raise UsageError(f"{name} cannot be imported: {type(error).__name__}: {error}") from error


def find_root() -> Path:
    """The nearest folder from here upwards that holds `dvc.yaml` and `params.yaml`."""
    here = Path.cwd()
    for folder in (here, *here.parents):
        if (folder / "dvc.yaml").is_file() and (folder / "params.yaml").is_file():
            return folder
    raise UsageError(f"{here} is not in a project: no dvc.yaml and params.yaml here or above; change to its folder")


def load_project() -> Project:
    """The project around the current folder, which becomes the working directory."""
    root = find_root()
    os.chdir(root)
    pyproject = root / "pyproject.toml"
    try:
        named = tomllib.loads(pyproject.read_text(encoding="utf-8"))
        points = named["project"]["entry-points"]["mlops.project"]
    except (OSError, KeyError, tomllib.TOMLDecodeError) as error:
        raise UsageError(
            f"{pyproject} does not say which package is the project's ({error!r}); it needs "
            '[project.entry-points."mlops.project"] with a line name = "package"'
        ) from error
    if len(points) != 1:
        raise UsageError(f'{pyproject} names {len(points)} packages under entry-points."mlops.project"; name one')
    ((name, package),) = points.items()
    if not (root / "src" / package).is_dir():
        raise UsageError(f"pyproject.toml names the package '{package}', but there is no src/{package}")
    table = named.get("tool", {}).get("mlops", {})
    governance = table.get("governance", GOVERNANCE[0])
    if governance not in GOVERNANCE:
        raise UsageError(
            f"pyproject.toml: governance in [tool.mlops] is {governance!r}; choose {' or '.join(GOVERNANCE)}"
        )
    if sys.path[:1] != [str(root / "src")]:
        sys.path.insert(0, str(root / "src"))
    return Project(root, name, package, governance, table.get("primary_cloud"))


def extras() -> str:
    """Advice for where a package is missing: how the extras of this project are installed; empty if it has none."""
    try:
        named = tomllib.loads((find_root() / "pyproject.toml").read_text(encoding="utf-8"))
    except (OSError, UsageError, tomllib.TOMLDecodeError):
        return ""
    names = sorted(named.get("project", {}).get("optional-dependencies", {}))
    return f"; uv sync {' '.join(f'--extra {name}' for name in names)}" if names else ""
