"""How a command ends badly, with one line for the user, and how text of others is put into one line."""

import re


class FleetError(Exception):
    """A command that failed: a service that does not answer, say. Exit code 1."""

    exit_code = 1


class UsageError(FleetError):
    """A wrong path, name, version or option: nothing was started. Exit code 2."""

    exit_code = 2


class ProjectError(Exception):
    """What is wrong with one project; the others go on."""


def one_line(text: object, limit: int = 300) -> str:
    """Text of others for one line of a terminal: no line ends, no control characters, not endless."""
    line = re.sub(r"[\s\x00-\x1f\x7f-\x9f]+", " ", str(text)).strip()
    return line if len(line) <= limit else line[: limit - 1] + "…"


def reason(error: BaseException) -> str:
    """Why something failed, in one line: of what a program said, what it calls fatal."""
    told = getattr(error, "stderr", None) or str(error)
    lines = [line for line in str(told).splitlines() if line.strip()]
    fatal = [line for line in lines if line.startswith(("fatal:", "error:"))]
    return one_line((fatal or lines or [type(error).__name__])[0])
