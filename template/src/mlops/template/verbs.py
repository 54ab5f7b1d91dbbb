# The template's: `copier update` renews this file.
"""The verbs `mlops template diff` and `mlops template update`."""

import json
import os
import sys
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path

from mlops.errors import MlopsError, UsageError, redacted
from mlops.project import find_root
from mlops.template.findings import waiting
from mlops.template.origin import find_origin, read_answers
from mlops.template.render import diff_of, divergences, rendered
from mlops.template.update import update


def show_diff(names: Sequence[str]) -> None:
    """Print how files differ from the template's; all that diverged where none is named.

    Raises:
        UsageError: a file is not one of the template's, or the template is not at hand.
    """
    here, root = Path.cwd(), find_root()
    os.chdir(root)
    origin = find_origin(read_answers(root))
    with waiting("compares with the template"):
        render = rendered(origin)
    wanted = [entry.path for entry in divergences(render, root)]
    if names:
        wanted = [_named(name, here, root) for name in names]
    for name in wanted:
        if name not in render.files:
            whose = "yours: an update never touches it" if (root / name).exists() else "not there"
            raise UsageError(f"{name} is no file of the template at {origin.answers.version}; it is {whose}")
    text = "".join(diff_of(render, root, name) for name in wanted)
    if sys.stdout.isatty() and "NO_COLOR" not in os.environ:
        text = "".join(map(_coloured, text.splitlines(keepends=True)))
    sys.stdout.buffer.write(text.encode("utf-8", "surrogateescape"))


def _named(name: str, here: Path, root: Path) -> str:
    path = Path(os.path.normpath(here / name))
    return path.relative_to(root).as_posix() if path.is_relative_to(root) else name


def _coloured(line: str) -> str:
    if line.startswith(("diff ", "+++", "---", "deleted ")):
        code = "1"
    else:
        code = {"+": "32", "-": "31", "@": "36"}.get(line[:1], "")
    return f"\x1b[{code}m{line.rstrip(chr(10))}\x1b[0m\n" if code else line


def update_project(to: str | None, *, as_json: bool) -> bool:
    """Update the project and say what happened; True where a person has something to settle.

    Raises:
        UsageError: there are uncommitted changes, or version or template are not there; nothing has changed.
        MlopsError: the update fails; nothing has changed.
    """
    root = find_root()
    os.chdir(root)
    origin = find_origin(read_answers(root))
    if origin.stale:
        raise MlopsError(f"the template {origin.answers.source} does not answer: {origin.stale}")
    with waiting("updates from the template"):
        done = update(origin, to or None, root)
    outcome = done.outcome
    settle = bool(outcome.conflicts or outcome.lost)
    if as_json:
        told = {"from": done.version, "to": done.to, **asdict(outcome), "notes": done.notes}
        text = {"title": redacted(done.title), "body": redacted(done.body)}
        print(json.dumps({**told, **text, "update": bool(outcome.changed), "settle": settle}))
    elif not outcome.changed:
        print(f"nothing to do: the project is at {done.to}")
    else:
        print(f"from {done.version} to {done.to}: {len(outcome.changed)} files changed")
        for path in outcome.conflicts:
            print(f"conflict: {path}: settle what is between the markers, then git add {path}")
        for path in outcome.lost:
            print(f"deleted, though you had edited it: {path}: see git diff HEAD -- {path}")
        for note in done.notes:
            print(note)
    return settle
