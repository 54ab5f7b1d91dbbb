"""Released versions of the template, as releases.toml lists them, and those from which an update has to work."""

import subprocess
import tomllib
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
MONTHS_12 = timedelta(days=366)
AT_LEAST = 2


@dataclass(frozen=True)
class Release:
    """A released version, the day on which it was cut, and its commit."""

    version: str
    date: date
    commit: str

    @property
    def tag(self):
        return f"v{self.version}"

    @property
    def order(self):
        return tuple(int(number) for number in self.version.split("."))


def listed(text=None):
    """The releases, oldest first."""
    if text is None:
        text = (ROOT / "releases.toml").read_text(encoding="utf-8")
    return [Release(**entry) for entry in tomllib.loads(text).get("release", [])]


def window(releases, today):
    """Those of the last twelve months, and the newest two however old: docs/how-to/update.md promises them."""
    return [
        release
        for number, release in enumerate(reversed(releases))
        if number < AT_LEAST or release.date >= today - MONTHS_12
    ][::-1]


def supported():
    """The releases from which the state under test has to be reached.

    As of its day: what passes now passes when the same commit is tested in a year.
    """
    command = ["git", "log", "-1", "--format=%cs"]
    day = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True).stdout.strip()
    return window(listed(), date.fromisoformat(day))
