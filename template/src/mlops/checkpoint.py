# The template's: `copier update` renews this file.
"""Training that was interrupted goes on: boosters save themselves as they grow, in the folder MLOPS_CHECKPOINTS.

A platform sets that folder where it takes machines away in the middle of a stage and starts the stage again.
"""

import sys
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any, TypeVar

from mlops.files import replacing
from mlops.settings import load_settings

PIECES = 20
"""How often a booster is saved while it grows: so much of the work is lost at most, as a share."""

Model = TypeVar("Model")
Save = Callable[[Any, int], None]


def resumable(model: Model) -> Model:
    """The model, whose `fit` goes on from where one on the same data with the same parameters was interrupted.

    Without MLOPS_CHECKPOINTS, and where it is no estimator of XGBoost or LightGBM, the model as it is.
    """
    folder = load_settings().checkpoints
    library = next((FITS[name] for name in _libraries(model) if name in FITS), None)
    if folder is not None and library is not None:
        model.fit = partial(_fit, model, folder, *library)  # type: ignore[attr-defined]
    return model


def _libraries(model: object) -> list[str]:
    return [base.__module__.partition(".")[0] for base in type(model).__mro__]


def _fit(
    model: Any,
    folder: Path,
    suffix: str,
    rounds_in: Callable[[str], int],
    fit: Callable[..., None],
    features: Any,
    target: Any,
    **options: Any,
) -> Any:
    import joblib

    del model.fit  # what is kept of the model is the same with checkpoints and without
    asked = model.n_estimators
    total = asked or 100  # what XGBoost makes of None
    key = joblib.hash([type(model).__qualname__, model.get_params(), features, target])
    file, start = folder / f"{key}{suffix}", None

    def save(booster: Any, rounds: int) -> None:
        if rounds < total and rounds % max(1, total // PIECES) == 0:
            with replacing(file) as fresh:
                booster.save_model(fresh)

    if file.is_file():
        try:
            start = rounds_in(str(file))
        except Exception:  # of another version of the library
            file.unlink()
    if start is not None:
        print(f"training goes on from round {start} of {total}", file=sys.stderr)
        model.n_estimators = total - start
    try:
        fit(model, save, str(file) if start is not None else None, features, target, options)
    finally:
        model.n_estimators = asked
    file.unlink(missing_ok=True)
    return model


def _fit_xgboost(
    model: Any, save: Save, start: str | None, features: Any, target: Any, options: dict[str, Any]
) -> None:
    from xgboost.callback import TrainingCallback

    def after(_: Any, booster: Any, epoch: int, log: Any) -> bool:
        save(booster, epoch + 1)
        return False  # do not stop

    # Made so because type checkers see the base class only where XGBoost is installed.
    checkpoints = type("Checkpoints", (TrainingCallback,), {"after_iteration": after})()
    own = model.callbacks
    model.callbacks = [*(own or []), checkpoints]
    try:
        model.fit(features, target, xgb_model=start, **options)
    finally:
        model.callbacks = own


def _fit_lightgbm(
    model: Any, save: Save, start: str | None, features: Any, target: Any, options: dict[str, Any]
) -> None:
    callbacks = [*options.pop("callbacks", []), lambda env: save(env.model, env.iteration + 1)]
    model.fit(features, target, callbacks=callbacks, init_model=start, **options)


def _xgboost_rounds(file: str) -> int:
    from xgboost import Booster

    return int(Booster(model_file=file).num_boosted_rounds())


def _lightgbm_rounds(file: str) -> int:
    from lightgbm import Booster

    return int(Booster(model_file=file).current_iteration())


FITS = {
    "xgboost": (".ubj", _xgboost_rounds, _fit_xgboost),
    "lightgbm": (".txt", _lightgbm_rounds, _fit_lightgbm),
}
