"""Nothing is lost, whatever a user did to whichever files: random edits, then an update."""

import shutil
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from support import user, versions
from support.ownership import YOU, owner
from support.template import update

ANSWERS = ".copier-answers.yml"
# A line of anything but line ends and what git takes for a binary file.
CHARACTERS = st.characters(codec="utf-8", exclude_categories=["Cc", "Cs", "Zl", "Zp"], include_characters="\t")
LINES = st.text(CHARACTERS, max_size=30)
NAMES = st.sampled_from(
    [
        "mine.txt",
        'a b/c\'d "e".md',
        "src/mlops/mine.py",
        "src/flight_delays/mine.py",
        "tests/machinery/test_mine.py",
        "docs/Übersicht/航班.md",
        ".github/workflows/mine.yml",
        "{{ braces }}/{% if %}.txt",
        "-dash",
        "#hash",
        versions.NOT_YET[0],
        versions.COMING[0],
    ]
)
PLACES = st.floats(0, 1)
EDITS = st.lists(
    st.one_of(
        st.tuples(st.just("insert"), PLACES, PLACES, st.lists(LINES, min_size=1, max_size=3)),
        st.tuples(st.just("replace"), PLACES, PLACES, st.lists(LINES, min_size=1, max_size=3)),
        st.tuples(st.just("remove"), PLACES, PLACES, st.integers(1, 30)),
        st.tuples(st.just("delete"), PLACES),
        st.tuples(st.just("empty"), PLACES),
        st.tuples(st.just("cut the last line end"), PLACES),
        st.tuples(st.just("new"), NAMES, st.lists(LINES, min_size=1, max_size=5)),
        st.tuples(st.just("binary"), NAMES, st.binary(min_size=1, max_size=50).map(lambda content: b"\0" + content)),
    ),
    min_size=1,
    max_size=12,
)


@pytest.fixture(scope="module")
def base(started):
    return started(versions.OLDER)


@given(edits=EDITS)
@settings(
    max_examples=15,
    deadline=None,
    derandomize=True,
    database=None,
    suppress_health_check=list(HealthCheck),
)
def test_nothing_is_lost(base, fresh, tmp_path_factory, edits):
    project = user.copied(base, tmp_path_factory.mktemp("anything") / "project")
    original = user.tree(project)
    added = [line for number, edit in enumerate(edits) for line in do(project, number, edit, sorted(original))]
    user.commit(project)
    mine = user.tree(project)
    update(project)
    found, new = user.tree(project), user.tree(fresh())
    conflicts = user.unmerged(project)

    for name, line in added:
        if line in mine.get(name, b"").splitlines():  # a later edit may have taken it away again
            assert line in found[name].splitlines(), f"{name} has lost {line!r}"
    for name in sorted(mine.keys() | original.keys() | new.keys()):
        if name == ANSWERS:
            continue
        if owner(name) == YOU or name not in original.keys() | new.keys():
            assert found.get(name) == mine.get(name), f"{name} is the user's"
        elif mine.get(name) == original.get(name):
            assert found.get(name) == new.get(name), f"{name} is not the template's, though nobody edited it"
        elif name in mine:
            assert name in found, f"{name} is gone, though it was edited"
        else:
            assert name not in found, f"{name} is back, though it was deleted"
    for name in conflicts:
        assert b"<<<<<<< before updating\n" in found[name]
    assert [name for name in found if name.endswith((".rej", ".orig"))] == []
    shutil.rmtree(project)


def do(project, number, edit, names):
    """Does an edit where its place still is; yields the lines that were added, with their files."""
    kind, where, *rest = edit
    if kind in {"new", "binary"}:
        path = project / where
        if kind == "binary":
            user.write(path, "")
            path.write_bytes(rest[0])
        else:
            lines = marked(rest[0], number)
            user.write(path, "\n".join(lines))
            yield from ((where, line.encode()) for line in lines)
        return
    name = names[int(where * (len(names) - 1))]
    path = project / name
    if name == ANSWERS or not path.exists() or Path(name).suffix == ".parquet":
        return
    if kind == "delete":
        path.unlink()
        return
    lines = path.read_bytes().split(b"\n")
    if kind == "empty":
        path.write_bytes(b"")
    elif kind == "cut the last line end":
        path.write_bytes(b"\n".join(lines).rstrip(b"\n"))
    else:
        at = int(rest[0] * (len(lines) - 1))
        new = [] if kind == "remove" else [line.encode() for line in marked(rest[1], number)]
        lines[at : at + {"insert": 0, "replace": 1}.get(kind, rest[1] if kind == "remove" else 0)] = new
        path.write_bytes(b"\n".join(lines))
        yield from ((name, line) for line in new)


def marked(lines, number):
    """Lines that are found nowhere else."""
    return [f"{line}mine {number}.{place}" for place, line in enumerate(lines)]
