"""Fixtures: a template with three versions, two hundred projects of them, and the program."""

import json
import os
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import pytest
from support import fleet as fleets
from support.environment import changed, run
from support.template import ROOT


@pytest.fixture(scope="session")
def versions(template, once):
    """A clone of the template with the versions of `support.fleet.VERSIONS`."""
    with once("fleet-template") as folder:
        if folder:
            fleets.versions(template, folder)
    return once.path("fleet-template")


@pytest.fixture(scope="session")
def clones(versions, once):
    """Two hundred projects, which no test changes, and what is true of them."""
    with once("fleet-clones") as folder:
        if folder:
            fleets.build(versions, folder, 200)
    return Clones(once.path("fleet-clones"), [fleets.member(number) for number in range(200)])


@dataclass(frozen=True)
class Clones:
    path: Path
    members: list


@pytest.fixture(scope="session")
def cache(once):
    """Renders that all tests share, as a person's are kept from one day to the next."""
    return once.path("fleet-cache")


@pytest.fixture(scope="session")
def look(clones, versions, cache, once):
    """The two hundred, looked at once: the JSON, the page, and whether anything in the clones changed."""
    with once("fleet-look") as folder:
        if folder:
            folder.mkdir()
            before = fleets.state(clones.path)
            command = [sys.executable, ROOT / "fleet", "list", clones.path, "--repository", versions]
            command += ["--cache", cache, "--json", "--html", folder / "fleet.html"]
            done = subprocess.run(command, env=dict(os.environ), capture_output=True, check=True)
            (folder / "fleet.json").write_bytes(done.stdout)
            (folder / "same.json").write_text(json.dumps(fleets.state(clones.path) == before))
    return once.path("fleet-look")


@pytest.fixture
def small(clones, tmp_path):
    """A few projects of a test's own: `small(3)` copies the first three into a folder."""

    def small(count, folder=tmp_path / "small"):
        members = [fleets.member(number) for number in range(count)]
        for member in members:
            shutil.copytree(clones.path / member.name, folder / member.name, symlinks=True, copy_function=os.link)
        return Clones(folder, members)

    return small


@pytest.fixture
def fleet(versions, cache):
    """`fleet("list", FOLDER)` runs the program as a person does, and returns what it printed."""

    def fleet(*arguments, code=0, repository=versions, cache=cache, timeout=300, **env):
        command = [sys.executable, ROOT / "fleet", *arguments]
        if arguments and not str(arguments[0]).startswith("-"):
            command += ["--repository", repository, "--cache", cache]
        env = changed(dict(os.environ), {"GITHUB_TOKEN": None, "GITHUB_API_URL": None, **env})
        done = run(*command, cwd=ROOT, env=env, timeout=timeout)
        assert code is None or done.code == code, done
        assert "Traceback" not in done.out + done.err, done
        return done

    return fleet


@pytest.fixture
def refuses(fleet):
    """Runs what must end with one line for the user, which is returned."""

    def refuses(*arguments, code, **how):
        done = fleet(*arguments, code=code, **how)
        told = [line for line in done.err.splitlines() if line.strip()]
        assert len(told) == 1 and told[0].startswith("fleet: "), done
        assert done.out == "", done
        return told[0]

    return refuses


@pytest.fixture
def listed(fleet):
    """What `fleet list --json` says of a source: the whole, and the projects by name."""

    def listed(source, *arguments, **how):
        data = json.loads(fleet("list", source, "--json", *arguments, **how).out)
        return data, {project["name"]: project for project in data["projects"]}

    return listed
