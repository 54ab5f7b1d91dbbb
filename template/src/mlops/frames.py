# The template's: `copier update` renews this file.
"""Room for the frames of Python's calls."""

from collections.abc import Callable
from typing import Any, TypeVar

Function = TypeVar("Function", bound=Callable[..., Any])
WORDS = 2**16


def roomy(function: Function) -> Function:
    """Give an entry point a frame so large that those of its calls, and theirs, lie together in one piece of memory.

    CPython keeps frames in pieces of 16 KiB, and returns a piece with the last frame in it: a loop whose calls cross
    the end of one takes and returns memory each time, and is up to 200 times as slow as the same loop a few calls
    further up or down. To import the libraries of a verb, which is deep and full of calls, takes a tenth longer for
    it. A frame of this many words fits into no such piece; it is given a megabyte, in which its calls follow.
    """
    function.__code__ = function.__code__.replace(co_stacksize=WORDS)
    return function
