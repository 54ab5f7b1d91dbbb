# The template's: `copier update` renews this file.
"""What `mlops promote`, `rollback`, `audit` and `card` do and print."""

import sys
from pathlib import Path

from mlops import tracking
from mlops.errors import MlopsError, UsageError
from mlops.files import write_text
from mlops.project import load_project
from mlops.registry.audit import Entry, ledger_problems, problems, read_ledger
from mlops.registry.card import attach_card, write_card
from mlops.registry.promotion import GATE, Promotions
from mlops.settings import load_settings

CARDS = Path("reports/cards")


def promote(spec: str, approver: str | None, reason: str) -> None:
    """Make a version champion and say so.

    Raises:
        UsageError: there is no such version, or the approver is nobody.
        MlopsError: the project's rules do not allow it, or another champion came in between.
    """
    _require_person(approver)
    if not reason.strip():
        raise UsageError("--reason is empty; say why")
    promotions = _open()
    with tracking.answering(promotions.settings):
        before = promotions.champion()
        version = str(promotions.resolve(spec).version)
        entry = promotions.promote(version, approver=approver, reason=reason, expected=before)
        if entry is None:
            print(f"Nothing to do: version {version} of {promotions.name} is the champion.")
            return
        _tell(promotions, entry)


def rollback(approver: str | None, reason: str) -> None:
    """Go back to the champion before and say so.

    Raises:
        MlopsError: there is none, or another champion came in between.
    """
    _require_person(approver)
    promotions = _open()
    with tracking.answering(promotions.settings):
        entry = promotions.rollback(approver=approver, reason=reason, expected=promotions.champion())
        _tell(promotions, entry)


def _require_person(approver: str | None) -> None:
    if approver is not None and approver.strip().casefold() in ("", GATE):
        raise UsageError(f"--approver '{approver}' is nobody; give a person's name or address")


def _tell(promotions: Promotions, entry: Entry) -> None:
    was = f", after version {entry.from_version}" if entry.from_version else ""
    print(f"Version {entry.to_version} of {entry.model} is the champion{was}; approved by {entry.approver}.")
    try:
        attach_card(promotions, promotions.resolve(entry.to_version))
    except (MlopsError, OSError) as error:
        print(f"Its card is still the one from before ({error}); 'mlops card {entry.to_version}' makes a new one.")


def export_log(file: Path | None) -> None:
    """Write the audit log as JSON Lines, to standard output where no file is given."""
    file = file and file.absolute()  # before the project's folder becomes the working directory
    promotions = _open()
    with tracking.answering(promotions.settings):
        ledger = read_ledger(promotions.client, promotions.name)
    text = "".join(f"{line}\n" for _, line in sorted(ledger.claimed.items()))
    if file is None:
        sys.stdout.write(text)
        return
    try:
        write_text(file, text)
    except OSError as error:
        raise UsageError(f"{file} cannot be written: {error.strerror}") from error
    print(f"{len(ledger.claimed)} entries of {promotions.name} in {file}")


def verify_log(file: Path | None) -> None:
    """Check the chain of an exported file, or of the registry with what it shows beside the log.

    Raises:
        UsageError: the file cannot be read.
        MlopsError: the log is broken.
    """
    if file is not None:
        try:
            lines = file.read_text(encoding="utf-8").removesuffix("\n").split("\n")
        except (OSError, UnicodeDecodeError) as error:
            raise UsageError(f"{file} cannot be read: {error}") from error
        texts = [(f"line {number}", line) for number, line in enumerate(lines, 1) if lines != [""]]
        found = problems(texts)
    else:
        promotions = _open()
        with tracking.answering(promotions.settings):
            ledger = read_ledger(promotions.client, promotions.name)
        texts = [(str(number), text) for number, text in sorted(ledger.claimed.items())]
        found = ledger_problems(promotions.name, ledger, tracking.CHAMPION)
    if found:
        more = f"; and {len(found) - 3} more" if len(found) > 3 else ""
        raise MlopsError(f"the audit log is broken: {'; '.join(found[:3])}{more}")
    last = f"; the last one's hash is {Entry.parse(texts[-1][1]).hash}" if texts else ""
    print(f"{len(texts)} entries, each follows from the one before{last}")


def make_card(spec: str | None) -> None:
    """Write the card of a version under `reports/`, and into its run.

    Raises:
        UsageError: there is no such version.
    """
    promotions = _open()
    with tracking.answering(promotions.settings):
        version = promotions.resolve(spec)
        attach_card(promotions, version)
        for file in write_card(promotions, version, CARDS):
            print(file)


def _open() -> Promotions:
    project, settings = load_project(), load_settings()
    return Promotions(tracking.open_client(settings), project, settings)
