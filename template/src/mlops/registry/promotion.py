# The template's: `copier update` renews this file.
"""Which version is champion: the one way in which aliases move, each move approved, recorded and undoable.

The audit log is the truth and the aliases follow it: an entry is claimed first, then the aliases are set. What a
killed process left between the two is completed by the next one.
"""

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from mlops import tracking
from mlops.errors import MlopsError, UsageError
from mlops.lineage import commit_and_author, same_person, whoami
from mlops.project import Project
from mlops.registry.aliases import delete_alias, set_alias
from mlops.registry.audit import (
    FIRST_PREVIOUS,
    LIMIT,
    PREFIX,
    SETTLED_TAG,
    Entry,
    Ledger,
    alone,
    champion_of,
    claim,
    open_log,
    read_ledger,
)
from mlops.settings import Settings

if TYPE_CHECKING:
    from mlflow import MlflowClient
    from mlflow.entities.model_registry import ModelVersion

GATE = "gate"
"""The approver of what is promoted for having passed the gate."""
ATTEMPTS = 20


class OvertakenError(MlopsError):
    """Another champion came in between: what was decided on was not what there is."""


class _Unset:
    """Any champion will do."""


ANY = _Unset()


@dataclass(frozen=True)
class Promotions:
    """The champions of one registered model."""

    client: "MlflowClient"
    project: Project
    settings: Settings

    @property
    def name(self) -> str:
        return self.settings.model_name or self.project.name

    def champion(self) -> str | None:
        """The champion, once what a killed process left half done is completed."""
        with alone(self.settings):
            return self._settle().aliases.get(tracking.CHAMPION)

    def resolve(self, spec: str | None) -> "ModelVersion":
        """The version that is meant: None for the champion, a number, an alias, `NAME/VERSION` or `NAME@ALIAS`.

        Raises:
            UsageError: there is none, or it is another model's.
        """
        name, _, wanted = (spec or tracking.CHAMPION).removeprefix("models:/").replace("@", "/").rpartition("/")
        if name not in ("", self.name):
            raise UsageError(f"'{spec}' is a version of {name}; this project's model is {self.name}")
        if not wanted.isdecimal():
            aliases = read_ledger(self.client, self.name).aliases
            if wanted not in aliases:
                there = f"it has {', '.join(sorted(aliases))}" if aliases else "it has none"
                raise UsageError(f"{self.name} has no version with the alias '{wanted}'; {there}")
            wanted = aliases[wanted]
        return self._version(wanted)

    def history(self) -> list[Entry]:
        """The audit log, oldest first."""
        return read_ledger(self.client, self.name).entries

    def open(self) -> None:
        """Make the registered model and its log unless they are there."""
        experiment = tracking.experiment_id(self.client, self.settings.experiment or self.project.name)
        open_log(self.client, self.name, experiment)

    def register(self, version: str, reason: str, *, trainer: str | None = None) -> Entry | None:
        """Record a new version and its trainer, None for whoever runs this, and make it challenger.

        Returns:
            The entry; None where the version was recorded before.
        """
        with alone(self.settings):
            return self._append("register", version, ANY, approver=None, reason=reason, actor=trainer)

    def promote(
        self, version: str, *, approver: str | None, reason: str, expected: "str | _Unset | None" = ANY
    ) -> Entry | None:
        """Make a version champion.

        Args:
            version: One of the registered model.
            approver: Who answers for it; None for whoever runs this.
            reason: Why.
            expected: The champion on which this was decided.

        Returns:
            The entry; None where the version is champion already.

        Raises:
            OvertakenError: the champion is not the expected one any more.
            MlopsError: the project's rules do not allow it.
            UsageError: there is no such version.
        """
        with alone(self.settings):
            return self._append("promote", version, expected, approver=_person(approver), reason=reason)

    def rollback(self, *, approver: str | None, reason: str, expected: "str | _Unset | None" = ANY) -> Entry:
        """Undo the last promotion that is in force: back to the champion before it, and so on at each call.

        Raises:
            OvertakenError: the champion is not the expected one any more.
            MlopsError: there is no champion before this one.
        """
        with alone(self.settings):
            entry = self._append("rollback", None, expected, approver=_person(approver), reason=reason)
        if entry is None:
            raise MlopsError(f"{self.name} was rolled back by another process")
        return entry

    def waits_for(self, version: str) -> str | None:
        """What has to be done before a version that has passed the gate becomes champion; None if nothing."""
        return self.obstacle(self._version(version), GATE, self.history())

    def obstacle(self, version: "ModelVersion", approver: str | None, entries: list[Entry]) -> str | None:
        """Why the project's rules do not let a version become champion; None where they do.

        Args:
            version: The version.
            approver: Who would answer for it; `gate` is nobody.
            entries: The audit log.
        """
        tags = version.tags
        if self.settings.environment != "local" and tags.get("mlops.dirty") == "true":
            return (
                f"version {version.version} was trained with uncommitted changes, so outside a laptop it cannot become "
                "champion; commit them and run again"
            )
        if self.project.governance != "regulated":
            return None
        registrars = [e.actor for e in entries if e.action == "register" and e.to_version == str(version.version)]
        trainers = list(filter(None, [*registrars, tags.get("mlops.trainer"), tags.get("mlops.author")]))
        if not trainers:
            return f"nobody knows who trained version {version.version}, so nobody else can be told to approve it"
        shown = " and ".join(dict.fromkeys(trainers))
        if approver in (None, GATE):
            return (
                f"the project is regulated, so someone else than {shown} has to approve: "
                f"mlops promote {version.version} --approver NAME --reason TEXT"
            )
        if any(same_person(str(approver), trainer) for trainer in trainers):
            return (
                f"the project is regulated, and '{approver}' has trained version {version.version} ({shown}); "
                "someone else has to approve it with --approver"
            )
        return None

    def _append(
        self,
        action: str,
        version: str | None,
        expected: "str | _Unset | None",
        *,
        approver: str | None,
        reason: str,
        actor: str | None = None,
    ) -> Entry | None:
        """Claim the next entry and let the aliases follow; tried anew where another writer was faster."""
        reason = _one_text(reason)
        if approver is not None and not (approver := _one_text(approver)):
            raise UsageError("--approver is empty; give a name")
        for _ in range(ATTEMPTS):
            ledger = self._settle()
            entries = ledger.entries
            champion = champion_of(entries)
            if action == "promote" and version == champion:
                return None
            if not isinstance(expected, _Unset) and champion != expected:
                raise OvertakenError(
                    f"the champion of {self.name} is {_shown(champion)} now, no longer {_shown(expected)}; "
                    f"look at it ('mlops lineage'), then decide again"
                )
            if action == "register":
                if any(entry.action == action and entry.to_version == version for entry in entries):
                    return None
                target = str(version)
            elif action == "rollback":
                target = self._before(entries)
            else:
                target = str(version)
                if (why := self.obstacle(self._version(target), approver, entries)) is not None:
                    raise MlopsError(why)
            words = {"approver": approver, "reason": reason, "actor": actor or whoami()}
            entry = self._entry(action, champion, target, entries, **words)
            if claim(self.client, ledger, entry):
                self._settle()
                return entry
        raise MlopsError(f"other processes keep writing the audit log of {self.name}; try again later")

    def _entry(self, action: str, before: str | None, to: str | None, entries: list[Entry], **words: Any) -> Entry:
        entry = Entry(
            sequence=entries[-1].sequence + 1 if entries else 1,
            time=datetime.now(UTC).isoformat(timespec="microseconds"),
            action=action,
            model=self.name,
            from_version=before,
            to_version=to,
            commit=commit_and_author()[0],
            environment=self.settings.environment,
            governance=self.project.governance,
            previous=entries[-1].hash if entries else FIRST_PREVIOUS,
            **words,
        )
        if len(entry.text()) > LIMIT:
            over = len(entry.text()) - LIMIT
            raise UsageError(f"the reason is {over:,} characters too long for the audit log; say it shorter")
        return entry

    def _settle(self) -> Ledger:
        """Let copies and aliases follow the log; record what moved the alias past it. Returns the log."""
        client, name = self.client, self.name
        for _ in range(ATTEMPTS):
            ledger = read_ledger(client, name)
            if ledger.run_id is None:
                return ledger
            for number in sorted(set(ledger.claimed) - set(ledger.copies)):
                client.set_registered_model_tag(name, f"{PREFIX}{number:06d}", ledger.claimed[number])
            entries, alias = ledger.entries, ledger.aliases.get(tracking.CHAMPION)
            led = champion_of(entries)
            if entries and ledger.settled < entries[-1].sequence:
                new = [entry for entry in entries if entry.sequence > ledger.settled]
                self._follow(new, led, ledger.aliases)
                client.set_registered_model_tag(name, SETTLED_TAG, str(new[-1].sequence))
            elif alias != led:
                found = self._entry(
                    *("found", led, alias, entries),
                    actor="unknown",
                    approver=None,
                    reason="the alias was moved by other means",
                )
                claim(client, ledger, found)
            else:
                return ledger
        raise MlopsError(f"other processes keep moving the champion of {name}; try again later")

    def _follow(self, entries: list[Entry], champion: str | None, aliases: dict[str, str]) -> None:
        """Set the aliases as entries that have not taken effect say."""
        client, name = self.client, self.name
        challenger = before = aliases.get(tracking.CHALLENGER)
        for entry in entries:
            if entry.action == "register":
                challenger = entry.to_version
            elif entry.to_version == challenger:
                challenger = None
        if champion is not None and aliases.get(tracking.CHAMPION) != champion:
            set_alias(client, name, tracking.CHAMPION, champion)
        if challenger is not None and challenger != before:
            set_alias(client, name, tracking.CHALLENGER, challenger)
        elif challenger is None and before is not None:
            delete_alias(client, name, tracking.CHALLENGER)

    def _before(self, entries: list[Entry]) -> str:
        """The version to roll back to: of the champions in force, the last one that is still there."""
        reigns = reigns_of(entries)
        if not reigns:
            raise MlopsError(f"{self.name} has no champion, so there is nothing to roll back; 'mlops run' makes one")
        gone = []
        for version in reversed(reigns[:-1]):
            if version == reigns[-1] or version is None:
                continue
            if tracking.find_version(self.client, self.name, version) is not None:
                return version
            gone.append(version)
        why = f" (version {gone[0]} was deleted)" if gone else ""
        raise MlopsError(
            f"version {reigns[-1]} of {self.name} has no champion before it{why}; 'mlops promote VERSION' makes one"
        )

    def _version(self, version: str) -> "ModelVersion":
        found = tracking.find_version(self.client, self.name, version)
        if found is None:
            raise UsageError(f"{self.name} has no version {version}; 'mlops ui' shows those it has")
        if not found.run_id:
            raise UsageError(f"{self.name} version {version} has no run: it was not registered by this pipeline")
        return found


def reigns_of(entries: list[Entry]) -> list[str | None]:
    """The champions one on top of the other: a promotion adds one, a rollback takes the last away."""
    reigns: list[str | None] = []
    for entry in entries:
        if entry.action in ("promote", "found"):
            reigns.append(entry.to_version)
        elif entry.action == "rollback":
            reigns.pop()
            while reigns and reigns[-1] != entry.to_version:
                reigns.pop()
            if not reigns:
                reigns.append(entry.to_version)
    return reigns


def champion_before(entries: list[Entry], version: str) -> str | None:
    """The champion that a version took over from when it was last promoted."""
    moves = [entry for entry in entries if entry.action == "promote" and entry.to_version == version]
    return moves[-1].from_version if moves else None


def _person(approver: str | None) -> str:
    return whoami() if approver is None else approver


def _shown(version: str | None) -> str:
    return "none" if version is None else f"version {version}"


def _one_text(text: str) -> str:
    """Text that any store takes: no lone surrogates and no control characters but line ends."""
    clean = text.encode("utf-8", "replace").decode("utf-8")
    return "".join(letter for letter in clean if letter in "\n\t" or letter.isprintable()).strip()
