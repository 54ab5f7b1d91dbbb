# The template's: `copier update` renews this file.
"""Cloud Monitoring, whose own package would be one more for two questions."""

from typing import Any

from mlops.platforms.gcp.session import Session

ADDRESS = "https://monitoring.googleapis.com/v3"


def ask(session: Session, method: str, what: str, **request: Any) -> Any:
    """What Cloud Monitoring says of something of the project; raises what Google's packages do."""
    return session.ask(method, f"{ADDRESS}/projects/{session.setting('project')}/{what}", **request)
