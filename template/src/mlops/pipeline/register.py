# The template's: `copier update` renews this file.
"""Stage `register`: the judge's decision; a refused model fails the run and leaves its reason in MLflow."""

from mlops.params import Params
from mlops.project import Project
from mlops.registry.judge import judge


def run(project: Project, params: Params) -> None:
    """Register the model as champion, or refuse.

    Raises:
        MlopsError: the gate refused.
    """
    judge(project, params).require_passed()
