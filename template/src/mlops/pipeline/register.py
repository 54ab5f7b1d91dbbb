"""Stage `register`: the judge's decision; a refused model fails the run and leaves its reason in MLflow."""

from mlops.errors import MlopsError
from mlops.params import Params
from mlops.project import Project
from mlops.registry.judge import judge


def run(project: Project, params: Params) -> None:
    """Register the model as champion, or refuse.

    Raises:
        MlopsError: the gate refused.
    """
    decision = judge(project, params)
    if decision.version is None:
        raise MlopsError(f"the gate refused the model: {decision.refusal}. The run {decision.run_id} has the details")
