# The template's: `copier update` renews this file.
"""What a pipeline of Kubeflow's form runs behind its steps: tells how they ended, where the platform's alarms look.

    python -m mlops.platforms.outcome PLATFORM STATUS

STATUS is what the engine says of the steps, as JSON.
"""

import json
import sys

from mlops.errors import MlopsError
from mlops.platforms import connect
from mlops.project import load_project
from mlops.settings import load_settings


def tell(platform: str, status: str) -> None:
    """Print why the run failed, if it did, and publish `PipelineFailed`, 1 or 0.

    Raises:
        MlopsError: the status cannot be read, or the platform did not take the metric.
    """
    try:
        told = json.loads(status)
        state, run = told["state"], told.get("pipelineJobResourceName") or told.get("pipelineJobName")
        reason = (told.get("error") or {}).get("message")
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise MlopsError(f"the status of the run cannot be read: {error!r} in '{status}'") from error
    failed = state == "FAILED"
    print(f"the run {run}: {state.lower()}{f': {reason}' if failed and reason else ''}", flush=True)
    settings = load_settings()
    connect(platform, load_project(), settings).publish(
        {"PipelineFailed": float(failed)}, {"Environment": settings.environment}
    )


if __name__ == "__main__":
    try:
        tell(*sys.argv[1:])
    except MlopsError as error:
        sys.exit(f"mlops: {error}")
