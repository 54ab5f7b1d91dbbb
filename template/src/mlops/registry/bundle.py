# The template's: `copier update` renews this file.
"""A bundle: a folder with everything that a prediction needs, code of the day included.

bundle.json          task, classes, the columns known when scoring and their types, versions
estimator.joblib     the fitted estimator
code/<package>/      the user's package as it was when the model was trained
requirements.txt     the versions that it was trained with
MLmodel              the same for MLflow, which loads the folder as a pyfunc model
"""

import importlib
import importlib.metadata
import json
import platform
import shutil
import sys
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property
from importlib.machinery import EXTENSION_SUFFIXES, SOURCE_SUFFIXES, ExtensionFileLoader, FileFinder, SourceFileLoader
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING, Any

import numpy as np
import polars as pl

from mlops.errors import MlopsError, UsageError
from mlops.files import read_json, write_json, write_text
from mlops.project import Dataset, Estimator, Project

if TYPE_CHECKING:
    from collections.abc import Callable

    from _typeshed import ReadableBuffer

LIBRARIES = ("scikit-learn", "xgboost", "lightgbm", "numpy", "polars", "pandera", "joblib", "scipy")
"""What a bundle may need at prediction time; a framework that training did not import is left out."""


@dataclass(frozen=True)
class Bundle:
    """A fitted model with its own features code."""

    path: Path
    about: dict[str, Any]
    build_features: "Callable[[pl.DataFrame], pl.DataFrame]"
    estimator: Any

    @property
    def classes(self) -> list[Any] | None:
        """The labels in the order of the probabilities; None in a regression."""
        return self.about["classes"]  # type: ignore[no-any-return]

    @property
    def schema(self) -> dict[str, pl.DataType]:
        """The columns known when scoring, by name, with their types."""
        return {name: named_dtype(dtype) for name, dtype in self.about["inputs"].items()}

    @cached_property
    def dataset(self) -> Dataset:
        """What `dataset.py` declared when the model was trained."""
        try:
            with _own_code(self.path / "code", self.about["package"]) as package:
                declared: Dataset = importlib.import_module(f"{package.__name__}.dataset").DATASET
        except Exception as error:
            raise MlopsError(
                f"the bundle {self.path} has no usable dataset.py ({type(error).__name__}: {error})"
            ) from error
        return declared

    def scores(self, frame: pl.DataFrame) -> np.ndarray[Any, Any]:
        """Predictions as metrics take them: (n, classes) probabilities, or (n,) numbers.

        Columns that are not known when scoring are not passed on.
        """
        features = make_features(self.build_features, frame, list(self.about["inputs"]))
        return estimator_scores(self.estimator, features, self.classes)

    def predict(self, frame: pl.DataFrame) -> pl.DataFrame:
        """A column `prediction` and, in a classification, a column `probability_<class>` each."""
        return as_predictions(self.scores(frame), self.classes)


def make_features(
    build: "Callable[[pl.DataFrame], pl.DataFrame]", frame: pl.DataFrame, known: Sequence[str]
) -> pl.DataFrame:
    """Features of rows, made of the columns known when scoring and nothing else.

    Raises:
        UsageError: `build` asks for another column, gives no table, or does not keep one row a row.
    """
    try:
        features = build(frame[known])
    except pl.exceptions.ColumnNotFoundError as error:
        wanted = str(error).splitlines()[0]
        raise UsageError(
            f"features.py asks for a column that is not known when scoring ({wanted}); add it to "
            "known_when_scoring in dataset.py if it truly is, else do without"
        ) from error
    if not isinstance(features, pl.DataFrame):
        raise UsageError(f"features.py: build gave {type(features).__name__}; it must return a polars DataFrame")
    if len(features) != len(frame):
        raise UsageError(f"features.py made {len(features):,} rows of {len(frame):,}; it must keep one row a row")
    return features


def estimator_scores(estimator: Any, features: pl.DataFrame, classes: list[Any] | None) -> np.ndarray[Any, Any]:
    """Probabilities of shape (n, classes), or numbers of shape (n,), as float64."""
    found = estimator.predict(features) if classes is None else estimator.predict_proba(features)
    return np.asarray(found, dtype=np.float64)


def as_predictions(scores: np.ndarray[Any, Any], classes: list[Any] | None) -> pl.DataFrame:
    if classes is None:
        return pl.DataFrame({"prediction": scores})
    labels = pl.Series("prediction", classes).gather(scores.argmax(axis=1))
    return pl.DataFrame([labels, *(pl.Series(f"probability_{name}", scores[:, at]) for at, name in enumerate(classes))])


def save_bundle(
    folder: Path,
    project: Project,
    estimator: Estimator,
    *,
    task: str,
    classes: list[Any] | None,
    features: pl.Schema,
    about: dict[str, Any],
) -> None:
    """Write a bundle into an empty folder."""
    import joblib

    folder.mkdir(parents=True)
    joblib.dump(estimator, folder / "estimator.joblib", compress=3)
    shutil.copytree(
        project.code,
        folder / "code" / project.package,
        ignore=shutil.ignore_patterns("__pycache__", "*.py[co]", ".*"),
    )
    requirements = {library: version for library in LIBRARIES if (version := _installed(library)) is not None}
    lines = [f"{library}=={version}\n" for library, version in requirements.items()]
    write_text(folder / "requirements.txt", "".join(lines))
    write_text(
        folder / "python_env.yaml",
        f"python: {platform.python_version()}\ndependencies: [-r requirements.txt]\n",
    )
    write_text(folder / "MLmodel", _mlmodel(project.dataset, classes))
    write_json(
        folder / "bundle.json",
        {
            "name": project.name,
            "package": project.package,
            "task": task,
            "classes": classes,
            "label": project.dataset.label,
            "inputs": _inputs(project.dataset),
            "contract": _contract(project.dataset),
            "features": {name: str(dtype) for name, dtype in features.items()},
            "python": platform.python_version(),
            "requirements": requirements,
            **about,
        },
    )


def _mlmodel(dataset: Dataset, classes: list[Any] | None) -> str:
    """MLflow's description of the folder, with the signature; its API would cost an import of seconds."""
    import yaml

    columns = dataset.schema.columns
    inputs = [
        {
            "name": name,
            "type": _mlflow_type(dataset.dtypes[name], nullable=columns[name].nullable),
            "required": not columns[name].nullable,
        }
        for name in dataset.known_when_scoring
    ]
    outputs = [{"name": "prediction", "type": "double"}]
    if classes is not None:
        outputs[0]["type"] = _mlflow_type(pl.Series(classes).dtype)
        outputs += [{"name": f"probability_{name}", "type": "double"} for name in classes]
    text: str = yaml.safe_dump(
        {
            "flavors": {
                "python_function": {
                    "loader_module": __name__,
                    "python_version": platform.python_version(),
                    "env": {"virtualenv": "python_env.yaml"},
                }
            },
            "signature": {"inputs": json.dumps(inputs), "outputs": json.dumps(outputs)},
        }
    )
    return text


def _mlflow_type(dtype: pl.DataType, *, nullable: bool = False) -> str:
    if dtype.is_integer():
        # pandas has no missing integers, so a nullable one arrives as a float.
        return "double" if nullable else "integer" if dtype in _SMALL else "long"
    if dtype.is_temporal():
        return "datetime"
    names: dict[str, str] = {"Float32": "float", "Float64": "double", "Boolean": "boolean"}
    return names.get(str(dtype), "string")


_SMALL = (pl.Int8, pl.Int16, pl.Int32, pl.UInt8, pl.UInt16)


def _contract(dataset: Dataset) -> dict[str, Any]:
    """The contract of a row as a server checks it, so that it need not import pandera."""
    from mlops.serving.compiled import describe
    from mlops.serving.rows import RowContract

    return describe(RowContract(dataset, dataset.known_when_scoring))


def _inputs(dataset: Dataset) -> dict[str, str]:
    return {name: str(dataset.dtypes[name]) for name in dataset.known_when_scoring}


def _installed(library: str) -> str | None:
    if library in ("xgboost", "lightgbm") and library not in sys.modules:
        return None  # installed for something else: the bundle must not differ for it
    try:
        return importlib.metadata.version(library)
    except importlib.metadata.PackageNotFoundError:
        return None


def named_dtype(name: str) -> pl.DataType:
    """The polars type that `str(dtype)` named, such as `Int32` or `Datetime(time_unit='us')`."""
    found: pl.DataType = eval(name, {"__builtins__": {}}, vars(pl))  # noqa: S307 - as trusted as its code
    return found() if isinstance(found, type) else found


def load_bundle(path: Path) -> Bundle:
    """Load a bundle with its own code, whatever version of that code the process has imported.

    Raises:
        MlopsError: it is no bundle, or this environment cannot load it.
    """
    import joblib

    try:
        about = read_json(path / "bundle.json")
    except (OSError, ValueError) as error:
        raise MlopsError(f"{path} is no model bundle: {error}") from error
    try:
        with _own_code(path / "code", about["package"]) as package:
            features = importlib.import_module(f"{package.__name__}.features")
            estimator = joblib.load(path / "estimator.joblib")
    except Exception as error:
        raise MlopsError(
            f"the bundle {path} cannot be loaded here ({type(error).__name__}: {error}); it was made with "
            f"Python {about['python']} and the versions in its requirements.txt"
        ) from error
    return Bundle(path, about, features.build, estimator)


_one_at_a_time = threading.RLock()
"""The modules of a process are one table: a server that loads a bundle in the background takes its turn."""


@contextmanager
def _own_code(code: Path, package: str) -> Iterator[ModuleType]:
    """Import a package from the bundle while another version of it may be imported already.

    What is loaded keeps its own modules; the process gets its own back afterwards.
    """

    def loaded() -> dict[str, ModuleType]:
        names = [name for name in sys.modules if name == package or name.startswith(package + ".")]
        return {name: sys.modules.pop(name) for name in names}

    path = str(code.resolve())

    def unwritten(folder: str) -> FileFinder:
        if not Path(folder).is_relative_to(path):
            raise ImportError
        return FileFinder(folder, (ExtensionFileLoader, EXTENSION_SUFFIXES), (_Unwritten, SOURCE_SUFFIXES))

    with _one_at_a_time:
        before = loaded()
        sys.path_hooks.insert(0, unwritten)
        sys.path.insert(0, path)
        try:
            importlib.invalidate_caches()
            yield importlib.import_module(package)
        finally:
            sys.path.remove(path)
            sys.path_hooks.remove(unwritten)
            loaded()
            sys.modules.update(before)


class _Unwritten(SourceFileLoader):
    """Leaves no bytecode: a bundle is an output of DVC, and reading it must not change it."""

    def set_data(self, path: str, data: "ReadableBuffer", *, _mode: int = 0o666) -> None:
        pass


class _PyfuncModel:
    """The bundle as MLflow's pyfunc flavour wants it: pandas in, pandas out."""

    def __init__(self, bundle: Bundle) -> None:
        self.bundle = bundle

    def predict(self, data: Any, params: dict[str, Any] | None = None) -> Any:
        import pandas as pd

        rows = len(data)
        columns = [
            pl.Series(name, _values(data[name]) if name in data else [None] * rows, strict=False).cast(dtype)
            for name, dtype in self.bundle.schema.items()
        ]
        return pd.DataFrame(self.bundle.predict(pl.DataFrame(columns)).to_dict(as_series=False))


def _values(column: Any) -> list[Any]:
    """A pandas column as a list, with None for what is missing."""
    return [None if missing else value for value, missing in zip(column, column.isna(), strict=True)]


def _load_pyfunc(path: str) -> _PyfuncModel:
    return _PyfuncModel(load_bundle(Path(path)))
