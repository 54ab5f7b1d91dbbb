# The template's: `copier update` renews this file.
"""What `mlops doctor` says of the template: what lags, what diverged, what an update would conflict with."""

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from mlops.errors import MlopsError, redacted
from mlops.template.origin import NotAtHandError, find_origin, read_answers
from mlops.template.render import Divergence, divergences, rendered
from mlops.template.update import Outcome, attempt

Row = tuple[str, str, str | None]
"""What was looked at, what was found, and how to mend it: None where all is well, empty where that is not known."""


@dataclass
class Sight:
    """What is known of this project and its template; None where it was not looked at, or could not be."""

    source: str | None
    version: str | None
    newest: str | None = None
    missed: list[str] | None = None
    """Releases after this project's version, oldest first."""
    diverged: list[Divergence] | None = None
    update: Outcome | None = None
    """What the update to the newest release would do."""
    unknown: str | None = None
    """Why something above could not be found out, and what would help."""
    faults: list[str] = field(default_factory=list)
    """What is wrong and has to be mended first."""

    def to_json(self) -> dict[str, Any]:
        found = asdict(self)
        if self.diverged is not None:
            found["diverged"] = [entry._asdict() for entry in self.diverged]
        return {**found, "source": self.source and redacted(self.source)}


def look(root: Path, *, thorough: bool) -> Sight:
    """Look at the project; `thorough` fetches, renders and tries the update, else it stays at what is at hand."""
    try:
        answers = read_answers(root)
    except MlopsError as error:
        return Sight(None, None, faults=[str(error)])
    sight = Sight(answers.source, answers.version)
    try:
        origin = find_origin(answers, fetch=thorough)
        sight.unknown = origin.stale and f"not the newest state of the template: {origin.stale}"
        sight.newest = origin.releases[-1] if origin.releases else None
        sight.missed = origin.missed
        if not thorough:
            return sight
        with waiting("compares with the template"):
            sight.diverged = divergences(rendered(origin), root)
        if sight.missed and sight.newest:
            with waiting(f"tries the update to {sight.newest}"):
                sight.update = attempt(origin, sight.newest, root)
    except NotAtHandError as error:
        sight.unknown = str(error)
    except MlopsError as error:
        if thorough:
            sight.faults.append(str(error))
    return sight


def tell(sight: Sight) -> Iterator[Row]:
    """The rows for the table of `mlops doctor`."""
    if sight.source:
        yield "template", redacted(f"{sight.version} of {sight.source}"), None
    if sight.unknown:
        yield "template", redacted(sight.unknown), ""
    for fault in sight.faults:
        message, _, advice = fault.partition("; ")
        yield "template", message, advice or "mend it as said"
    if sight.missed:
        behind = "1 release" if len(sight.missed) == 1 else f"{len(sight.missed)} releases"
        yield "lags", f"{behind} behind {sight.missed[-1]}", "mlops template update"
    elif sight.missed is not None:
        yield "lags", "no newer release", None
    if sight.diverged is not None:
        for entry in sight.diverged:
            how = "deleted" if entry.how == "deleted" else f"changed (+{entry.added} -{entry.removed})"
            yield "diverged", f"{entry.path} {how}", f"mlops template diff {entry.path}"
        if not sight.diverged:
            yield "diverged", "no file of the template", None
    if sight.update is not None:
        yield "update", f"to {sight.newest} would change {len(sight.update.changed)} files", None
        for path in sight.update.conflicts:
            yield "conflict", f"{path}: changed here and there", "mlops template update, and settle it"
        for path in sight.update.lost:
            yield "conflict", f"{path}: edited here, and the template deletes it", "keep a copy under another name"


@contextmanager
def waiting(what: str) -> Iterator[None]:
    """Say what takes its time, where somebody looks."""
    if not sys.stderr.isatty():
        yield
        return
    from mlops.console import open_console

    with open_console(stderr=True).status(what):
        yield
