"""Whose each rendered path is, as the manifest has it: hooks/exclude.jinja and hooks/shared.txt."""

import jinja2
import pathspec

from support.template import ROOT

YOU, BOTH, TEMPLATE = "you", "both", "template"


def owner(path, *, template=ROOT, package="flight_delays"):
    """`you` for a seed, `both` for a shared file, else `template`."""
    if path in shared(template):
        return BOTH
    return YOU if seeds(template, package).match_file(path) else TEMPLATE


def shared(template=ROOT):
    lines = (template / "hooks" / "shared.txt").read_text(encoding="utf-8").splitlines()
    return {line for line in lines if line and not line.startswith("#")}


def seeds(template=ROOT, package="flight_delays"):
    """What an update leaves out and a copy does not, as patterns."""
    left_out = patterns(template, package, "update")
    assert set(left_out) > set(patterns(template, package, "copy"))
    return pathspec.PathSpec.from_lines("gitignore", set(left_out) - set(patterns(template, package, "copy")))


def patterns(template, package, operation):
    environment = jinja2.Environment(undefined=jinja2.StrictUndefined, trim_blocks=True, lstrip_blocks=True)  # noqa: S701
    manifest = environment.from_string((template / "hooks" / "exclude.jinja").read_text(encoding="utf-8"))
    lines = manifest.render(_copier_operation=operation, package_name=package).splitlines()
    return [line for line in lines if line.strip()]
