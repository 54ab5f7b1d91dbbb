"""Whose each rendered path is, as the manifest has it: hooks/exclude.jinja and hooks/shared.txt."""

from functools import cache

import jinja2
import pathspec

from support.template import ROOT

YOU, BOTH, TEMPLATE = "you", "both", "template"


def owner(path, *, template=ROOT, package="flight_delays"):
    """`you` for a seed, `both` for a shared file, else `template`."""
    if path in shared(template):
        return BOTH
    return YOU if seeds(template, package).match_file(path) else TEMPLATE


@cache
def shared(template=ROOT):
    lines = (template / "hooks" / "shared.txt").read_text(encoding="utf-8").splitlines()
    return frozenset(line for line in lines if line and not line.startswith("#"))


@cache
def seeds(template=ROOT, package="flight_delays"):
    """What an update leaves out and a copy does not, as patterns."""
    of_update, of_copy = (set(patterns(template, package, operation)) for operation in ("update", "copy"))
    assert of_update > of_copy
    return pathspec.PathSpec.from_lines("gitignore", of_update - of_copy)


def patterns(template, package, operation):
    environment = jinja2.Environment(undefined=jinja2.StrictUndefined, trim_blocks=True, lstrip_blocks=True)  # noqa: S701
    manifest = environment.from_string((template / "hooks" / "exclude.jinja").read_text(encoding="utf-8"))
    lines = manifest.render(_copier_operation=operation, package_name=package).splitlines()
    return [line for line in lines if line.strip()]
