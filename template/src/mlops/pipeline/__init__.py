# The template's: `copier update` renews this file.
"""The stages of ours that `dvc.yaml` names, one module each; `ingest` to `evaluate` are pure."""

import importlib

from mlops.errors import UsageError

STAGES = ("ingest", "validate", "split", "train", "evaluate", "register")


def run_stage(name: str) -> None:
    """Run one stage in the project around the current folder.

    Raises:
        UsageError: no such stage, or a wrong `params.yaml`.
        MlopsError: the stage failed.
    """
    if name not in STAGES:
        raise UsageError(f"'{name}' is no stage of ours; choose from {', '.join(STAGES)}")
    from mlops.params import load_params
    from mlops.project import load_project

    project = load_project()
    try:
        importlib.import_module(f"mlops.pipeline.{name}").run(project, load_params())
    except FileNotFoundError as error:
        raise UsageError(f"the stage {name} lacks a file ({error}); 'mlops run {name}' makes what it needs") from error
