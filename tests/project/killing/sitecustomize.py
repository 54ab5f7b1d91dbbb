"""Kills the run at a place that KILL_AT names: `before MODULE:FUNCTION` or `after MODULE:CLASS.METHOD`.

On PYTHONPATH, Python imports this as it starts. It replaces the function as soon as its module is
loaded, so that nothing in the project knows of it. The whole process group goes, as when a machine does.
"""

import importlib.util
import os
import signal
import sys

when, _, place = os.environ.get("KILL_AT", "").partition(" ")
module, _, path = place.partition(":")


def kill():
    os.killpg(os.getpgrp(), signal.SIGKILL)


def arm(loaded):
    *owners, name = path.split(".")
    owner = loaded
    for each in owners:
        owner = getattr(owner, each)
    original = getattr(owner, name)

    def deadly(*arguments, **options):
        if when == "before":
            kill()
        result = original(*arguments, **options)
        kill()
        return result

    setattr(owner, name, deadly)


class Finder:
    """Finds the module as Python would, and arms it after it has been executed."""

    def find_spec(self, name, folders, target=None):
        if name != module:
            return None
        sys.meta_path.remove(self)
        spec = importlib.util.find_spec(name)
        execute = spec.loader.exec_module

        def exec_module(loaded):
            execute(loaded)
            arm(loaded)

        spec.loader.exec_module = exec_module
        return spec


if module:
    sys.meta_path.insert(0, Finder())
