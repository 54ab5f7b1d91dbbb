"""Cut a release of the template: `nox -s release -- 0.2.0`.

Two commits: one that dates the section of CHANGELOG.md, which gets the tag and is the release, and one after it that
adds the release to releases.toml, for a commit cannot name itself. Nothing is pushed.
"""

import argparse
import re
import subprocess
import sys
import tomllib
from datetime import UTC, date, datetime
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
CHANGELOG, RELEASES = "CHANGELOG.md", "releases.toml"
BRANCH = "main"


class RefusedError(Exception):
    """Why no release is cut, in a line."""


def main() -> int:
    parser = argparse.ArgumentParser(prog="nox -s release --", description=__doc__.splitlines()[0])
    parser.add_argument("version", help="the new version, such as 0.2.0")
    parser.add_argument("--date", type=date.fromisoformat, default=datetime.now(UTC).date(), help="by default today")
    chosen = parser.parse_args()
    try:
        release(chosen.version, chosen.date)
    except RefusedError as refusal:
        print(f"release: {refusal}", file=sys.stderr)
        return 2
    print(f"v{chosen.version} is cut. Look at it, then publish it: git push --atomic origin {BRANCH} v{chosen.version}")
    return 0


def release(version: str, day: date) -> None:
    """Check all, then commit, tag and list.

    Raises:
        RefusedError: something stands against it; nothing was changed.
    """
    released = tomllib.loads(read(RELEASES)).get("release", [])
    check(version, released)
    changelog = dated(read(CHANGELOG), version, day, [entry["version"] for entry in released])
    commit(CHANGELOG, changelog, f"Release {version}")
    head = git("rev-parse", "HEAD")
    git("tag", "--annotate", "--message", f"Release {version}", f"v{version}")
    entry = f'\n[[release]]\nversion = "{version}"\ndate = {day}\ncommit = "{head}"\n'
    commit(RELEASES, read(RELEASES) + entry, f"List release {version}")


def check(version: str, released: list[dict[str, str]]) -> None:
    if not re.fullmatch(r"(0|[1-9]\d*)(\.(0|[1-9]\d*)){2}", version):
        raise RefusedError(f"'{version}' is no version: give three numbers, such as 0.2.0")
    newest = released[-1]["version"] if released else None
    if newest and numbers(version) <= numbers(newest):
        raise RefusedError(f"{version} does not come after {newest}, the newest release")
    if git("tag", "--list", f"v{version}"):
        raise RefusedError(f"the tag v{version} is there already: git tag --delete v{version} takes it away")
    if git("status", "--porcelain"):
        raise RefusedError("there are changes that are not committed: commit them first")
    branch = git("rev-parse", "--abbrev-ref", "HEAD")
    if branch != BRANCH:
        raise RefusedError(f"releases are cut from {BRANCH}, and this is {branch}: git switch {BRANCH}")


def dated(changelog: str, version: str, day: date, listed: list[str]) -> str:
    """The changelog with what was unreleased under the version, and an empty section for what comes."""
    heads = re.findall(r"^## \[(.+?)\]", changelog, re.MULTILINE)
    if heads != ["Unreleased", *reversed(listed)]:
        raise RefusedError(f"{CHANGELOG} has sections {heads}, and {RELEASES} lists {listed}: they have to agree")
    head = "## [Unreleased]\n"
    before, _, rest = changelog.partition(head)
    if not re.search(r"^- ", rest.partition("\n## [")[0], re.MULTILINE):
        raise RefusedError(f"{CHANGELOG} has nothing under Unreleased: a release says what changes for users")
    return f"{before}{head}\n## [{version}] - {day}\n{rest}"


def numbers(version: str) -> list[int]:
    return [int(number) for number in version.split(".")]


def commit(name: str, text: str, message: str) -> None:
    """Write a file and commit it alone; where git refuses, the file is as it was."""
    before = read(name)
    Path(ROOT, name).write_text(text, encoding="utf-8")
    try:
        git("commit", "--quiet", "--message", message, "--", name)
    except RefusedError:
        git("reset", "--quiet", "--", name)
        Path(ROOT, name).write_text(before, encoding="utf-8")
        raise


def read(name: str) -> str:
    return Path(ROOT, name).read_text(encoding="utf-8")


def git(*arguments: str) -> str:
    done = subprocess.run(["git", *arguments], cwd=ROOT, capture_output=True, text=True, check=False)
    if done.returncode:
        raise RefusedError(f"git {arguments[0]} failed: {' '.join((done.stderr or done.stdout).split())}")
    return done.stdout.strip()


if __name__ == "__main__":
    sys.exit(main())
