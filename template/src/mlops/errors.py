# The template's: `copier update` renews this file.
"""The two ways in which a verb ends badly; each carries one line for the user and an exit code."""

import re

HIDDEN = "***"
CREDENTIALS = re.compile(r"(?<=://)[^/\s'\"@]*:(?!\d{1,5}/)[^\s'\"]*@(?=[^\s'\"@])")
QUERY = re.compile(r"(?<=\?)[^\s'\"?/]*=[^\s'\"]*")


def redacted(text: str) -> str:
    """A text without the passwords and signatures of the URLs in it."""
    return QUERY.sub(HIDDEN, CREDENTIALS.sub(f"{HIDDEN}@", text)) if "://" in text else text


def is_foreign(error: BaseException) -> bool:
    """Whether a library raised it, which mostly tells of a service, rather than Python or code of ours.

    Some raise a bare `Exception`, which neither does.
    """
    return type(error) is Exception or type(error).__module__.partition(".")[0] not in ("builtins", "mlops")


def said(error: BaseException) -> str:
    """The first line of what an error says, its name where it says nothing."""
    return next(filter(None, map(str.strip, str(error).splitlines())), type(error).__name__)


class MlopsError(Exception):
    """A run that failed: bad data, a refused model, a service that does not answer. Exit code 1."""

    exit_code = 1

    def __init__(self, message: str) -> None:
        """Make the message one line, with nothing secret in it: it often quotes what others said."""
        super().__init__(redacted(" ".join(filter(None, map(str.strip, str(message).splitlines())))))


class UsageError(MlopsError):
    """A wrong path, URL, column, parameter or option: nothing was started. Exit code 2."""

    exit_code = 2
