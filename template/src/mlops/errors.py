"""The two ways in which a verb ends badly; each carries one line for the user and an exit code."""


class MlopsError(Exception):
    """A run that failed: bad data, a refused model, a service that does not answer. Exit code 1."""

    exit_code = 1


class UsageError(MlopsError):
    """A wrong path, URL, column, parameter or option: nothing was started. Exit code 2."""

    exit_code = 2
