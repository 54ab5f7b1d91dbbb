# The template's: `copier update` renews this file.
"""The audit log: who registered, promoted and rolled back what, and why, as a chain of hashes in the registry.

It lives on whatever MLflow server has the registry. An entry is claimed as a parameter of a run of its own, which
MLflow lets nobody change and of which only one writer can log a number: so two writers cannot fork the chain. A copy
is kept as a tag of the registered model, where people see it.

An entry's `hash` is the SHA-256 of the entry without it, as JSON with sorted keys, no spaces and ASCII only;
`previous` is the hash of the entry before.
"""

import json
import sqlite3
from collections.abc import Iterable, Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from mlops import tracking
from mlops.errors import MlopsError
from mlops.files import canonical_hash
from mlops.registry.aliases import aliases_of
from mlops.settings import Settings

if TYPE_CHECKING:
    from mlflow import MlflowClient

PREFIX = "mlops.audit."
RUN_TAG = f"{PREFIX}run"
SETTLED_TAG = f"{PREFIX}settled"
"""How many entries have taken effect: what is claimed after them was cut short and is done again."""
FIRST_PREVIOUS = "0" * 64
LIMIT = 4900
"""Characters of an entry: tags of registered models end at 5,000 on older servers."""
PATIENCE = 30.0
"""Seconds to wait for another process that moves a champion of the same store."""


@dataclass(frozen=True, kw_only=True)
class Entry:
    """One thing that was done to the registry."""

    sequence: int
    time: str
    action: str
    """`register`, `promote`, `rollback`, or `found`: the alias was moved by something else than this project."""
    model: str
    from_version: str | None
    """The champion before."""
    to_version: str | None
    """The champion after; of `register` the new version."""
    actor: str
    """Who ran the command."""
    approver: str | None
    reason: str
    commit: str
    environment: str
    governance: str
    previous: str
    hash: str = ""

    def content(self) -> dict[str, Any]:
        """As JSON has it, without the hash."""
        fields = {name: value for name, value in vars(self).items() if name != "hash"}
        return {name.removesuffix("_version"): value for name, value in fields.items()}

    def text(self) -> str:
        content = self.content()
        return json.dumps(content | {"hash": canonical_hash(content)}, ensure_ascii=False, separators=(",", ":"))

    @classmethod
    def parse(cls, text: str) -> "Entry":
        """Read an entry.

        Raises:
            ValueError: it is none.
        """
        content = json.loads(text)
        try:
            renamed = {{"from": "from_version", "to": "to_version"}.get(name, name): content[name] for name in content}
            return cls(**renamed)
        except (TypeError, AttributeError) as error:
            raise ValueError(f"not an entry: {error}") from error


@dataclass(frozen=True)
class Ledger:
    """The log and what the registry shows, as they were at one moment."""

    run_id: str | None
    claimed: dict[int, str]
    """Entries as text by number."""
    copies: dict[int, str]
    settled: int
    aliases: dict[str, str]

    @property
    def entries(self) -> list[Entry]:
        """The entries in order.

        Raises:
            MlopsError: the log is damaged.
        """
        try:
            return [Entry.parse(text) for _, text in sorted(self.claimed.items())]
        except ValueError as error:
            raise MlopsError(f"the audit log is damaged ({error}); 'mlops audit verify' says where") from error


def read_ledger(client: "MlflowClient", name: str) -> Ledger:
    """Read the log of a registered model; it is empty where there is no such model."""
    from mlflow.exceptions import MlflowException

    try:
        model = client.get_registered_model(name)
    except MlflowException as error:
        if error.error_code == "RESOURCE_DOES_NOT_EXIST":
            return Ledger(None, {}, {}, 0, {})
        raise
    tags: dict[str, str] = dict(model.tags)
    run_id = tags.get(RUN_TAG)
    claimed: dict[int, str] = {}
    if run_id is not None:
        try:
            claimed = _numbered(client.get_run(run_id).data.params)
        except MlflowException as error:
            raise MlopsError(
                f"the audit log of {name} cannot be read: its run {run_id} {error.message}; restore it from a backup"
            ) from error
    return Ledger(run_id, claimed, _numbered(tags), int(tags.get(SETTLED_TAG, 0)), aliases_of(model))


def _numbered(values: dict[str, str]) -> dict[int, str]:
    found = {key.removeprefix(PREFIX): value for key, value in values.items() if key.startswith(PREFIX)}
    return {int(number): value for number, value in found.items() if number.isdecimal()}


def open_log(client: "MlflowClient", name: str, experiment: str) -> None:
    """Make the registered model and its log unless they are there; of two at once, one makes both."""
    from mlflow.exceptions import MlflowException

    def new_run() -> str:
        run = client.create_run(experiment, run_name=f"{name} audit log", tags={f"{PREFIX}log": name})
        client.set_terminated(run.info.run_id)
        return str(run.info.run_id)

    try:
        if RUN_TAG not in client.get_registered_model(name).tags:
            client.set_registered_model_tag(name, RUN_TAG, new_run())
        return
    except MlflowException as error:
        if error.error_code != "RESOURCE_DOES_NOT_EXIST":
            raise
    run_id = new_run()
    try:
        client.create_registered_model(name, tags={RUN_TAG: run_id})
    except MlflowException as error:
        client.delete_run(run_id)
        if error.error_code != "RESOURCE_ALREADY_EXISTS":
            raise


def claim(client: "MlflowClient", ledger: Ledger, entry: Entry) -> bool:
    """Write an entry as the next one; False where another writer was faster."""
    from mlflow.exceptions import MlflowException

    if ledger.run_id is None:
        raise MlopsError(f"{entry.model} has no audit log; run 'mlops run' to register a model first")
    key, text = f"{PREFIX}{entry.sequence:06d}", entry.text()
    try:
        client.log_param(ledger.run_id, key, text)
    except MlflowException as error:
        there = client.get_run(ledger.run_id).data.params.get(key)
        if there is None:
            raise MlopsError(f"the audit log of {entry.model} cannot be written: {_first_line(error)}") from error
        return bool(there == text)
    return True


def _first_line(error: Exception) -> str:
    return (str(error).splitlines() or [type(error).__name__])[0]


def problems(texts: Iterable[tuple[str, str]]) -> list[str]:
    """What is wrong with a chain of entries, each given as where it stands and its text."""
    found: list[str] = []
    before: Entry | None = None
    for number, (place, text) in enumerate(texts, 1):
        try:
            entry = Entry.parse(text)
        except ValueError as error:
            found.append(f"{place} is no entry: {error}")
            before = None
            continue
        named = place if place == f"entry {entry.sequence}" else f"{place} (entry {entry.sequence})"
        if canonical_hash(entry.content()) != entry.hash:
            found.append(f"{named} was changed: its content does not have its hash")
        if number == 1 and entry.sequence != 1:
            found.append(f"{named} comes first: the entries before it are missing")
        elif number == 1 and entry.previous != FIRST_PREVIOUS:
            found.append(f"{named} says that there is one before it, and there can be none")
        elif before is not None and entry.sequence != before.sequence + 1:
            found.append(f"{named} comes after entry {before.sequence}: one is missing or repeated")
        elif before is not None and entry.previous != before.hash:
            found.append(f"{named} does not follow from entry {before.sequence}")
        elif before is not None and entry.model != before.model:
            found.append(f"{named} is of the model {entry.model}, not {before.model}")
        before = entry
    return found


def ledger_problems(name: str, ledger: Ledger, champion_alias: str) -> list[str]:
    """What is wrong with the log in a registry: the chain, its copies, and the alias that it leads to."""
    found = problems((f"entry {number}", text) for number, text in sorted(ledger.claimed.items()))
    numbers = sorted(ledger.claimed)
    if numbers and (lost := sorted(set(range(1, ledger.settled + 1)) - set(numbers))):
        found.append(f"entry {lost[0]} is missing, and {ledger.settled} have taken effect")
    if not numbers and ledger.copies:
        found.append(f"the log of {name} is empty, and the registered model has copies of {len(ledger.copies)} entries")
    for number in numbers:
        if number <= ledger.settled and ledger.copies.get(number) != ledger.claimed[number]:
            what = "was changed" if number in ledger.copies else "is missing"
            found.append(f"entry {number}: its copy on the registered model {what}")
    if extra := sorted(set(ledger.copies) - set(numbers)):
        found.append(f"entry {extra[0]} is on the registered model, but not in the log")
    if not found and numbers and ledger.settled >= numbers[-1]:
        led = champion_of(ledger.entries)
        if (now := ledger.aliases.get(champion_alias)) != led:
            found.append(
                f"the champion is {_version(now)}, and the log leads to {_version(led)}: the alias was moved past it"
            )
    return found


def _version(version: str | None) -> str:
    return "none" if version is None else f"version {version}"


def champion_of(entries: Iterable[Entry]) -> str | None:
    """The champion that the entries lead to."""
    champion = None
    for entry in entries:
        if entry.action != "register":
            champion = entry.to_version
    return champion


@contextmanager
def alone(settings: Settings) -> Iterator[None]:
    """Let one process at a time move champions of an embedded store; a killed one lets go at once.

    On a server it does nothing: there a lock would bind one machine only, and `claim` decides.

    Raises:
        MlopsError: another process keeps the store for too long.
    """
    file = tracking.database(settings)
    if file is None:
        yield
        return
    with locked(file.with_name(f"{file.name}.lock"), "another process is moving the champion", PATIENCE):
        yield


@contextmanager
def locked(file: Path, why: str, patience: float) -> Iterator[None]:
    """Hold a file that one process can hold, for SQLite locks alike on all systems.

    Raises:
        MlopsError: another holds it still after `patience` seconds.
    """
    file.parent.mkdir(parents=True, exist_ok=True)
    with closing(sqlite3.connect(file, timeout=patience, isolation_level=None)) as connection:
        try:
            connection.execute("BEGIN EXCLUSIVE")
        except sqlite3.OperationalError as error:
            raise MlopsError(f"{why}; wait for it or end it, then try again") from error
        yield
