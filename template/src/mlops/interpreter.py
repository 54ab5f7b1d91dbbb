# The template's: `copier update` renews this file.
"""What the interpreter is told for the sake of speed: where frames lie, and when garbage is looked for."""

import atexit
import gc
from collections.abc import Callable
from typing import Any, TypeVar

Function = TypeVar("Function", bound=Callable[..., Any])
WORDS = 2**16
OBJECTS = 100_000


def roomy(function: Function) -> Function:
    """Give an entry point a frame so large that those of its calls, and theirs, lie together in one piece of memory.

    CPython keeps frames in pieces of 16 KiB, and returns a piece with the last frame in it: a loop whose calls cross
    the end of one takes and returns memory each time, and is up to 200 times as slow as the same loop a few calls
    further up or down. To import the libraries of a verb, which is deep and full of calls, takes a tenth longer for
    it. A frame of this many words fits into no such piece; it is given a megabyte, in which its calls follow.
    """
    function.__code__ = function.__code__.replace(co_stacksize=WORDS)
    return function


def spare_collections() -> None:
    """Look for garbage after so many new objects, and not at the end.

    A verb imports more than a thousand modules, none of which is garbage. To look through them after each 700 new
    objects, as Python does, takes a tenth of the import, and to do so again before the process ends, when nothing is
    gained by it, takes most of a second where MLflow is among them.
    """
    gc.set_threshold(OBJECTS)
    atexit.register(gc.freeze)
