# The template's: `copier update` renews this file.
"""What nodes cost: a cluster has no list of prices, so the project says what it pays."""

from collections.abc import Mapping

from mlops.platforms.kubeflow.session import Session


def prices(session: Session) -> Mapping[str, float]:
    """US dollars an hour by name of the node, of `[tool.mlops.kubeflow.prices]`; none where nothing is said."""
    return dict(session.pods.prices)
