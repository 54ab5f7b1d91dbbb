"""`fleet try`: says truly what an upgrade would conflict with, changes nothing, and can be ended at any time."""

import contextlib
import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import pytest
from fleet.attempt import attempt
from fleet.template import load_template
from support import fleet as fleets
from support.environment import run
from support.template import ROOT, git

NEWEST = fleets.VERSIONS[-1]


@pytest.fixture
def tried(fleet):
    """What `fleet try --json` says of each project's upgrade, by name."""

    def tried(source, *arguments, **how):
        done = fleet("try", source, "--json", *arguments, **how)
        return {project["name"]: project["upgrade"] for project in json.loads(done.out)["projects"]}

    return tried


def expected(member, to=NEWEST):
    if fleets.VERSIONS.index(member.version) == fleets.VERSIONS.index(to):
        return ("current", [])
    return ("conflicts" if member.conflicts else "clean", member.conflicts)


def test_conflicts_are_told_truly_and_nothing_changes(clones, tried, tmp_path):
    """One of each kind of edit, at each version."""
    members = [
        member for member in clones.members[:27] if member.kind.name not in {"seed", "shared"} or member.lag == 2
    ]
    only = [part for member in members for part in ("--only", member.name)]
    before = {member.name: fleets.state(clones.path / member.name) for member in members}
    page = tmp_path / "page.html"
    found = tried(clones.path, *only, "--html", page, code=3)
    assert {name: (one["outcome"], one["conflicts"]) for name, one in found.items()} == {
        member.name: expected(member) for member in members
    }
    assert all(one["changed"] > 1 for one in found.values() if one["outcome"] != "current")
    assert {member.name: fleets.state(clones.path / member.name) for member in members} == before
    assert "would conflict" in page.read_text(encoding="utf-8")


def test_to_an_older_version(clones, tried):
    """Only the line of noxfile.py is another one there."""
    found = tried(clones.path, "--to", "v9998.0.0", "--only", "model-02[4-6]", code=1)
    assert (found["model-024"]["outcome"], found["model-024"]["conflicts"]) == ("conflicts", ["noxfile.py"])
    assert found["model-025"]["outcome"] == "current"
    assert found["model-026"]["outcome"] == "failed" and "downgrading" in found["model-026"]["reason"]


def test_it_is_what_copier_itself_does(clones, versions, tmp_path, monkeypatch):
    """Copier's own command, with nothing remembered, leaves the same files, byte for byte."""
    member = clones.members[6]
    assert member.conflicts
    theirs = tmp_path / "theirs" / member.name
    git("clone", "-q", str(clones.path / member.name), str(theirs), cwd=tmp_path)
    fleets.write_answers(theirs, _src_path=str(versions))
    who = ["-c", "user.name=Tests", "-c", "user.email=tests@example.com"]
    git(*who, "commit", "-q", "-a", "--allow-empty", "-m", "Here", cwd=theirs)
    commit = git("rev-parse", "HEAD", cwd=theirs)
    kept, remove = {}, shutil.rmtree

    def keep(work, *arguments, **how):
        if Path(work).name.startswith("try-"):
            kept.update(fleets.state(work / member.name))
        remove(work, *arguments, **how)

    monkeypatch.setattr(shutil, "rmtree", keep)
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    template = load_template(versions)
    result = attempt(template, template.resolve(NEWEST), theirs, "", commit)
    monkeypatch.undo()
    command = [sys.executable, "-m", "copier", "update", "--defaults", "--quiet", "--vcs-ref", NEWEST]
    done = run(*command, cwd=theirs, env=dict(os.environ))
    assert done.code == 0, done
    assert git("diff", "--name-only", "--diff-filter=U", cwd=theirs).splitlines() == result.conflicts
    ours = {name: content for name, content in kept.items() if not name.startswith(".git/")}
    assert ours == {name: content for name, content in fleets.state(theirs).items() if not name.startswith(".git/")}


def test_a_project_that_cannot_be_tried_is_told_and_stops_nothing(small, tried):
    made = small(4)
    broken, dirty, shallow = (made.path / member.name for member in made.members[1:])
    fleets.write_answers(broken, package_name="class")
    git("-c", "user.name=T", "-c", "user.email=t@example.com", "commit", "-q", "-am", "Spoil", cwd=broken)
    (dirty / "README.md").unlink()
    git("clone", "-q", "--depth=1", f"file://{shallow}", str(made.path / "shallow"), cwd=made.path)
    found = tried(made.path, code=1)
    assert found[broken.name]["outcome"] == "failed"
    assert "class" in found[broken.name]["reason"] or "package_name" in found[broken.name]["reason"]
    # Work in progress does not count: what is committed is tried.
    assert found[made.members[0].name]["outcome"] == "clean"
    assert found[dirty.name]["outcome"] == "current"
    assert found["shallow"]["outcome"] == "clean"


def test_what_was_tried_is_kept_until_the_project_moves_on(small, tried, tmp_path):
    made, cache = small(1), tmp_path / "cache"
    (member,) = made.members
    first = tried(made.path, cache=cache)
    (kept,) = (cache / "tries").glob("*.json")
    kept.write_text(kept.read_text(encoding="utf-8").replace('"changed": ', '"changed": 7'), encoding="utf-8")
    again = tried(made.path, cache=cache)
    assert again[member.name]["changed"] == int(f"7{first[member.name]['changed']}")
    kept.write_text("{", encoding="utf-8")  # as if the disk had been full
    assert tried(made.path, cache=cache) == first
    project = made.path / member.name
    git("-c", "user.name=T", "-c", "user.email=t@example.com", "commit", "-q", "--allow-empty", "-m", "On", cwd=project)
    tried(made.path, cache=cache)
    assert len(list((cache / "tries").glob("*.json"))) == 2


def test_killed_half_way_it_can_be_run_again(clones, versions, tried, tmp_path):
    cache, temporary = tmp_path / "cache", tmp_path / "temporary"
    temporary.mkdir()
    only = ["--only", "model-00[0134679]", "--only", "model-01[0258]"]
    command = [sys.executable, ROOT / "fleet", "try", clones.path, *only, "--jobs", "2"]
    command += ["--repository", versions, "--cache", cache]
    process = subprocess.Popen(
        command, env={**os.environ, "TMPDIR": str(temporary)}, stdout=subprocess.DEVNULL, start_new_session=True
    )
    deadline = time.monotonic() + 120
    while len(list((cache / "tries").glob("*.json"))) < 2 and process.poll() is None:
        assert time.monotonic() < deadline
        time.sleep(0.05)
    assert process.poll() is None, "it was done before it was killed"
    process.kill()  # the process alone: those that it started must end by themselves
    process.wait()
    while _group(process.pid):
        assert time.monotonic() < deadline
        time.sleep(0.05)
    kept = {path: path.stat().st_mtime_ns for path in (cache / "tries").glob("*.json")}
    assert list(temporary.iterdir()) and list((cache / "runs").iterdir())
    found = tried(clones.path, *only, cache=cache, code=3, TMPDIR=str(temporary))
    members = [member for member in clones.members if member.name in found]
    assert len(members) == 11
    assert {name: (one["outcome"], one["conflicts"]) for name, one in found.items()} == {
        member.name: expected(member) for member in members
    }
    assert {path: path.stat().st_mtime_ns for path in kept} == kept
    assert list(temporary.iterdir()) == []
    assert list((cache / "runs").iterdir()) == []


def _group(leader):
    with contextlib.suppress(ProcessLookupError):
        os.killpg(leader, 0)
        return True
    return False


def test_wrong_versions_and_sources_get_one_line(refuses, clones):
    assert "there is no version v1; the newest are v9997.0.0, v9998.0.0, v9999.0.0" in refuses(
        "try", clones.path, "--to", "v1", code=2
    )
    assert "there is no version --all" in refuses("try", clones.path, "--to=--all", code=2)
    assert "give the folder that they are in" in refuses("try", "github:someone", code=2)
