# The template's: `copier update` renews this file.
"""The console that verbs print on."""

import sys

from rich.console import Console

UNFOLDED = 10_000
"""Columns of what is no terminal."""


def open_console(*, stderr: bool = False) -> Console:
    """A console on which sentences, names and commands stay in one line, so that they can be copied and found.

    A terminal folds sentences itself. What is laid out in columns is printed with `soft_wrap=False`, which fits it to a
    terminal; in a file or a pipe that has as many columns as it needs.
    """
    stream = sys.stderr if stderr else sys.stdout
    return Console(highlight=False, soft_wrap=True, stderr=stderr, width=None if stream.isatty() else UNFOLDED)
